/**
 * The addon holds itself in memory. Shown on a small library: what GCC makes of the whole addon is not unloaded on Linux in any case
 * (it has unique symbols), so a missing hold would go unnoticed there and end processes on macOS.
 */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { compile, compilerMissing } from './program.js';

describe.skipIf(compilerMissing)('a library that was given back', () => {
  const folder = mkdtempSync(path.join(os.tmpdir(), 'parakeet-kept-'));
  const library = path.join(folder, 'kept.so');
  const program = path.join(folder, 'program');
  beforeAll(() => {
    compile(
      ['test/native/keep_loaded.cpp', 'native/binding/keep_loaded.cpp'],
      library,
      '-DKEPT',
      '-shared',
      '-fPIC',
    );
    compile(['test/native/keep_loaded.cpp'], program);
  });
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  it.each([
    ['hold', 'there'],
    ['leave', 'gone'],
  ])('with %s is %s', (what, state) => {
    expect(execFileSync(program, [library, what], { encoding: 'utf8' }).trim()).toBe(state);
  });
});
