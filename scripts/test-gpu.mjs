/**
 * Tests the engine on a GPU: the engine without Node (native/test: goldens, streams, batches, snapshots, faults), then `parakeet verify`.
 * Fails where there is no GPU. The result goes to docs/verified.json.
 *
 *     PARAKEET_BACKEND=cuda PARAKEET_CUDA=13 npm run build:native && npm run test:gpu
 */
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import path from 'node:path';
import { loadAddon } from '../dist/engine/load-addon.js';
import { buildEngineTest } from './build-engine-test.mjs';
import { record } from './verified.mjs';

const root = path.resolve(import.meta.dirname ?? path.dirname(new URL(import.meta.url).pathname), '..');
const seed = String(Date.now() % 100_000);

const gpu = loadAddon().gpu();
if (gpu === null) {
  process.stderr.write(
    'Expected a GPU but found none. Build with PARAKEET_BACKEND=cuda on a machine that has one; see docs/gpu.md.\n',
  );
  process.exit(1);
}
process.stdout.write(`${gpu.name}, seed ${seed}\n`);
const cuda = path.join(root, 'vendor-cuda', 'mlx');
const program = await buildEngineTest({
  out: path.join(root, 'build-gpu-test'),
  mlx: process.env.MLX_ROOT || (existsSync(cuda) ? cuda : path.join(root, 'vendor', 'mlx')),
});
const results = {
  engine: passes(program.file, [seed, ...program.goldens]),
  verify: passes(process.execPath, [path.join(root, 'dist', 'cli', 'main.js'), 'verify']),
};
const passed = Object.values(results).every(Boolean);
record('gpu', { passed, gpu: gpu.name, seed: Number(seed), ...results });
process.exitCode = passed ? 0 : 1;

function passes(command, options) {
  return spawnSync(command, options, { stdio: 'inherit', cwd: root }).status === 0;
}
