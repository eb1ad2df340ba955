/**
 * The engine without Node, as a program (native/test): faults at each point of a batch, cancellation, snapshots, the step grid, a thousand
 * sessions. Linked from
 * the objects of the addon's build; `npm run test:sanitize` builds all of it with the sanitizers.
 */
import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { seed } from '../support/seed.js';
import { compile, compilerMissing } from './program.js';

const root = path.resolve(import.meta.dirname, '../..');
const objects = path.join(root, 'build/CMakeFiles/parakeet.dir/native');
const libraries = ['vendor/mlx/lib', 'vendor/onednn/lib'].map((folder) => path.join(root, folder));
// An addon that was not built here, or against other libraries, leaves no objects to link.
const missing =
  compilerMissing || process.platform !== 'linux' || !existsSync(objects) || !libraries.every(existsSync);

function filesIn(folder: string, ending: string): string[] {
  return readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith(ending))
    .map((name) => path.join(folder, name));
}

describe.skipIf(missing)('the engine by itself', () => {
  const folder = mkdtempSync(path.join(os.tmpdir(), 'parakeet-engine-'));
  const program = path.join(folder, 'program');
  let goldens: string[] = [];

  beforeAll(async () => {
    const { describeGoldens } = (await import('../../scripts/golden-description.mjs')) as {
      describeGoldens(folder: string): Promise<string[]>;
    };
    goldens = await describeGoldens(folder);
    // A source that was moved or deleted leaves its object behind.
    const hasSource = (object: string) =>
      existsSync(path.join(root, 'native', path.relative(objects, object).replace(/\.o$/, '')));
    const engine = ['engine', 'lm', 'model', 'ops']
      .flatMap((room) => filesIn(path.join(objects, room), '.o'))
      .filter(hasSource);
    const sources = filesIn(path.join(root, 'native/test'), '.cpp');
    const options = libraries.flatMap((library) => [`-L${library}`, `-Wl,-rpath,${library}`]);
    const mlx = ['-isystem', path.join(root, 'vendor/mlx/include'), ...options];
    // Tests of our CPU kernels are there if the objects are.
    const plain = /^PARAKEET_PLAIN_MLX:\w+=ON$/m.test(
      readFileSync(path.join(root, 'build/CMakeCache.txt'), 'utf8'),
    );
    const definitions = plain ? [] : ['-DPARAKEET_CPU_KERNELS', '-DPARAKEET_ONEDNN'];
    compile(
      [...sources, ...engine, '-lmlx', '-ldnnl'],
      program,
      ...definitions,
      ...mlx,
      '-Wl,--copy-dt-needed-entries',
    );
    // Fifteen sources, one after the other.
  }, 400_000);
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  it('gives the goldens, and harms no stream by the failure, the end or the cancellation of another', () => {
    const own = String(seed % 100_000);
    const { status, stdout, stderr } = spawnSync(program, [own, ...goldens], {
      encoding: 'utf8',
      timeout: 200_000,
    });
    expect({ status, stdout: stdout.replace(/^.*: ok\n/gm, ''), stderr }).toEqual({
      status: 0,
      stdout: '',
      stderr: '',
    });
  });
});
