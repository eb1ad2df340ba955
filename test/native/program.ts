import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

const root = path.resolve(import.meta.dirname, '../..');
const compiler = process.env.CXX ?? 'c++';
const missing = spawnSync(compiler, ['--version']).error !== undefined;

/** A program of C++ that prints what is wrong: for parts of the addon whose mistakes JavaScript would not see. */
export function testProgram(subject: string, expectation: string, sources: string[]): void {
  describe.skipIf(missing || process.platform === 'win32')(subject, () => {
    const folder = mkdtempSync(path.join(os.tmpdir(), 'parakeet-native-'));
    const program = path.join(folder, 'program');

    beforeAll(() => {
      execFileSync(compiler, ['-std=c++20', '-O1', '-pthread', '-Inative', ...sources, '-o', program], {
        cwd: root,
      });
    });
    afterAll(() => rmSync(folder, { recursive: true, force: true }));

    it(expectation, () => {
      const { status, stdout, stderr } = spawnSync(program, { encoding: 'utf8', timeout: 60_000 });
      expect({ status, stdout, stderr }).toEqual({ status: 0, stdout: '', stderr: '' });
    });
  });
}
