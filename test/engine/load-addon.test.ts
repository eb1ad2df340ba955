/**
 * Loading the native addon: what a failed load says.
 */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { load, loadAddon } from '../../src/engine/load-addon.js';
import { NativeError } from '../../src/errors.js';

const folder = mkdtempSync(path.join(tmpdir(), 'parakeet-addon-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

function failure(file: string): NativeError {
  try {
    load(file);
  } catch (error) {
    if (error instanceof NativeError) return error;
    throw error;
  }
  throw new Error(`Expected ${file} not to load`);
}

test('a missing addon names the file and the command that builds it', () => {
  const error = failure(path.join(folder, 'parakeet.node'));
  expect(error.code).toBe('ERR_PARAKEET_NATIVE_LOAD');
  expect(error.message).toContain(path.join(folder, 'parakeet.node'));
  expect(error.message).toContain('npm run build:native');
});

test('an addon that the system refuses repeats what the system said', () => {
  const file = path.join(folder, 'broken.node');
  writeFileSync(file, 'not a library');
  const error = failure(file);
  expect(error.code).toBe('ERR_PARAKEET_NATIVE_LOAD');
  expect(error.message).toMatch(/invalid ELF header|file too short|not a mach-o|slice is not valid/i);
  expect(error.message).toContain('npm run build:native');
  expect(error.cause).toBeInstanceOf(Error);
});

test('the addon loads once and says what it was built with', () => {
  const addon = loadAddon();
  expect(loadAddon()).toBe(addon);
  expect(addon.build().mlx).toMatch(/^\d+\.\d+\.\d+/);
});
