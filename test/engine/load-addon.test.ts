/**
 * Loading the native addon, and what a failed load says; how it fails on other systems is in load-failure.test.ts.
 */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, expect, test } from 'vitest';
import type { FoundAddon } from '../../src/engine/find-addon.js';
import { load, loadAddon } from '../../src/engine/load-addon.js';
import { NativeError } from '../../src/errors.js';

const folder = mkdtempSync(path.join(tmpdir(), 'parakeet-addon-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

function failure(found: FoundAddon): NativeError {
  try {
    load(found);
  } catch (error) {
    if (error instanceof NativeError) return error;
    throw error;
  }
  throw new Error(`Expected ${found.file} not to load`);
}

test('a missing addon names the file and the command that builds it', () => {
  const error = failure({ file: path.join(folder, 'parakeet.node') });
  expect(error.code).toBe('ERR_PARAKEET_NATIVE_LOAD');
  expect(error.message).toContain(path.join(folder, 'parakeet.node'));
  expect(error.message).toContain('There is no such file');
  expect(error.message).toContain('npm run build:native');
});

test('an addon that the system refuses repeats what the system said', () => {
  const file = path.join(folder, 'broken.node');
  writeFileSync(file, 'not a library');
  const error = failure({ file });
  expect(error.code).toBe('ERR_PARAKEET_NATIVE_LOAD');
  expect(error.message).toMatch(/invalid ELF header|file too short|not a mach-o|slice is not valid/i);
  expect(error.message).toContain('npm run build:native');
  expect(error.message).not.toContain('Require stack');
  expect(error.cause).toBeInstanceOf(Error);
});

test('a package of another version is refused before its addon is loaded', () => {
  const from = { name: '@parakeet-stream/linux-x64', folder, version: '0.0.1', parakeet: {} };
  const { message } = failure({ file: path.join(folder, 'parakeet.node'), from });
  expect(message).toMatch(
    /needs @parakeet-stream\/linux-x64@\d.*but 0\.0\.1 is installed\. Run `npm install @parakeet-stream\/linux-x64@\d/,
  );
});

test('the addon loads once and says what it was built with', () => {
  const addon = loadAddon();
  expect(loadAddon()).toBe(addon);
  expect(addon.build().mlx).toMatch(/^\d+\.\d+\.\d+/);
});
