import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

const root = path.resolve(import.meta.dirname, '../..');
const compiler = process.env.CXX ?? 'c++';
const missing = spawnSync(compiler, ['--version']).error !== undefined;

// The addon shows the pool's results only, in arrays that are right as long as each piece is done; this looks at the pieces.
describe.skipIf(missing || process.platform === 'win32')('the pool of threads', () => {
  const folder = mkdtempSync(path.join(os.tmpdir(), 'parakeet-pool-'));
  const program = path.join(folder, 'pool');

  beforeAll(() => {
    const sources = ['test/native/pool.cpp', 'native/ops/cpu/pool.cpp', 'native/ops/profile.cpp'];
    execFileSync(compiler, ['-std=c++20', '-O1', '-pthread', '-Inative', ...sources, '-o', program], {
      cwd: root,
    });
  });
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  it('does each piece once, for several callers at once; exceptions come back; nothing begins after giving up', () => {
    const { status, stdout, stderr } = spawnSync(program, { encoding: 'utf8', timeout: 60_000 });
    expect({ status, stdout, stderr }).toEqual({ status: 0, stdout: '', stderr: '' });
  });
});
