/**
 * Tests the engine on a GPU: the engine without Node (native/test: goldens, streams, batches, snapshots, faults), then `parakeet verify`.
 * Fails where there is no GPU. The result goes to docs/verified.json.
 *
 *     PARAKEET_BACKEND=cuda PARAKEET_CUDA=13 npm run build:native && npm run test:gpu
 */
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { loadAddon } from '../dist/engine/load-addon.js';
import { describeGoldens } from './golden-description.mjs';
import { checkPlatform, checkTools } from './toolchain.mjs';
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
const program = await build();
const results = {
  engine: passes(program.file, [seed, ...program.goldens]),
  verify: passes(process.execPath, [path.join(root, 'dist', 'cli', 'main.js'), 'verify']),
};
const passed = Object.values(results).every(Boolean);
record('gpu', { passed, gpu: gpu.name, seed: Number(seed), ...results });
process.exitCode = passed ? 0 : 1;

async function build() {
  const out = path.join(root, 'build-gpu-test');
  mkdirSync(out, { recursive: true });
  const cuda = path.join(root, 'vendor-cuda', 'mlx');
  const mlx = process.env.MLX_ROOT ?? (existsSync(cuda) ? cuda : path.join(root, 'vendor', 'mlx'));
  const tools = checkTools(checkPlatform(process.env), process.env);
  must(tools.cmake, ['-S', path.join(root, 'native', 'test'), '-B', out, `-DMLX_ROOT=${path.resolve(mlx)}`]);
  must(tools.cmake, ['--build', out, '--parallel', String(os.availableParallelism())]);
  return { file: path.join(out, 'parakeet_test'), goldens: await describeGoldens(out) };
}

function passes(command, options) {
  return spawnSync(command, options, { stdio: 'inherit', cwd: root }).status === 0;
}

function must(command, options) {
  const { status, stdout, stderr } = spawnSync(command, options, { encoding: 'utf8', maxBuffer: 1 << 28 });
  if (status === 0) return;
  process.stderr.write(`${stdout}\n${stderr}`.split('\n').slice(-60).join('\n'));
  throw new Error(`${command} ended with ${status}`);
}
