/** Builds the engine without Node as a test program (native/test), for test-sanitize.mjs and test-gpu.mjs. */
import { spawnSync } from 'node:child_process';
import { mkdirSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { describeGoldens } from './golden-description.mjs';
import { checkPlatform, checkTools } from './toolchain.mjs';

const root = path.resolve(import.meta.dirname ?? path.dirname(new URL(import.meta.url).pathname), '..');

/**
 * @param {{ out: string, mlx: string, definitions?: string[] }} options the build folder, MLX's folder, and CMake's definitions
 * @returns {Promise<{ file: string, goldens: string[] }>} the program, and the descriptions of golden models that it takes
 */
export async function buildEngineTest({ out, mlx, definitions = [] }) {
  mkdirSync(out, { recursive: true });
  const { cmake } = checkTools(checkPlatform(process.env), process.env);
  const source = path.join(root, 'native', 'test');
  must(cmake, ['-S', source, '-B', out, `-DMLX_ROOT=${path.resolve(mlx)}`, ...definitions]);
  must(cmake, ['--build', out, '--parallel', String(os.availableParallelism())]);
  return { file: path.join(out, 'parakeet_test'), goldens: await describeGoldens(out) };
}

function must(command, options) {
  const { status, stdout, stderr, error } = spawnSync(command, options, {
    encoding: 'utf8',
    maxBuffer: 1 << 28,
  });
  if (status === 0) return;
  process.stderr.write(`${stdout}\n${stderr}`.split('\n').slice(-60).join('\n'));
  throw error ?? new Error(`${command} ended with ${status}`);
}
