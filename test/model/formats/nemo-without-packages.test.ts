// `.nemo` where the packages that read it are not installed: the error says which command mends it.
import path from 'node:path';
import { expect, test, vi } from 'vitest';
import { openNemo } from '../../../src/model/formats/nemo.js';

vi.mock('yauzl', () => {
  throw new Error("Cannot find package 'yauzl'");
});

test('a missing package is named, with the command that installs it', async () => {
  const file = path.join(import.meta.dirname, '..', '..', 'fixtures', 'nemo', 'ctc.nemo');
  await expect(openNemo(file)).rejects.toMatchObject({
    code: 'ERR_PARAKEET_MISSING_DEPENDENCY',
    message: expect.stringMatching(/yauzl.*npm install yaml yauzl/),
  });
});
