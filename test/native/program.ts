import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

const root = path.resolve(import.meta.dirname, '../..');
const compiler = process.env.CXX ?? 'c++';

/** No compiler here, or one with other options: these tests are skipped. */
export const compilerMissing =
  process.platform === 'win32' || spawnSync(compiler, ['--version']).error !== undefined;

/** Compiles `sources` (relative to the repository) to `output`. */
export function compile(sources: string[], output: string, ...options: string[]): void {
  const flags = ['-std=c++20', '-O1', '-pthread', '-Inative', '-fvisibility=hidden', '-fno-gnu-unique'];
  const known = process.platform === 'darwin' ? flags.slice(0, -1) : flags;
  execFileSync(compiler, [...known, ...options, ...sources, '-o', output, '-ldl'], { cwd: root });
}

/** A program of C++ that prints what is wrong: for parts of the addon whose mistakes JavaScript would not see. */
export function testProgram(subject: string, expectation: string, sources: string[]): void {
  describe.skipIf(compilerMissing)(subject, () => {
    const folder = mkdtempSync(path.join(os.tmpdir(), 'parakeet-native-'));
    const program = path.join(folder, 'program');

    beforeAll(() => compile(sources, program));
    afterAll(() => rmSync(folder, { recursive: true, force: true }));

    it(expectation, () => {
      const { status, stdout, stderr } = spawnSync(program, { encoding: 'utf8', timeout: 60_000 });
      expect({ status, stdout, stderr }).toEqual({ status: 0, stdout: '', stderr: '' });
    });
  });
}
