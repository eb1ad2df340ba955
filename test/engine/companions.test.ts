/** Where the packages beside ours are found. */
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { findCompanion, outsideArchive } from '../../src/engine/companions.js';

const folder = mkdtempSync(path.join(tmpdir(), 'parakeet-companions-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

test('one that is not installed', () => {
  expect(findCompanion('no-such-platform')).toBeUndefined();
});

test("outside Electron's archive, where it was unpacked", () => {
  const at = (archive: string) => path.join(folder, archive, 'node_modules', '@parakeet-stream', 'linux-x64');
  expect(outsideArchive(at('app.asar'))).toBe(at('app.asar'));
  mkdirSync(at('app.asar.unpacked'), { recursive: true });
  expect(outsideArchive(at('app.asar'))).toBe(at('app.asar.unpacked'));
  expect(outsideArchive(at('app'))).toBe(at('app'));
});
