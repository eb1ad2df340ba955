/**
 * Tests the build without oneDNN, on MLX's own operations (build-mlx/), which are those of a GPU: it must give the goldens, and its
 * streams must agree with the reference. The suite tests the build with oneDNN.
 *
 *     npm run test:plain-mlx
 */
import { spawnSync } from 'node:child_process';
import path from 'node:path';

const root = path.resolve(path.dirname(new URL(import.meta.url).pathname), '..');
const tests = [
  'golden',
  'model/dtype',
  'streaming/stepper',
  'streaming/exact',
  'streaming/together',
  'streaming/cache-aware',
  'model/formats/transformers-cache-aware',
  'model/language',
];

function run(script, options, environment = {}) {
  const { status } = spawnSync(process.execPath, [path.join(root, 'scripts', script), ...options], {
    cwd: root,
    stdio: 'inherit',
    env: { ...process.env, ...environment },
  });
  if (status !== 0) process.exit(status ?? 1);
}

run('install.mjs', ['--plain-mlx']);
// Once with tokens chosen on the CPU, once as on a GPU.
for (const decoder of ['host', 'device']) {
  // The bundled model is left out: it takes minutes on these operations.
  run('test.mjs', [...tests.map((name) => `test/${name}.test.ts`), '-t', '^(?!the bundled model)'], {
    PARAKEET_ADDON: path.join(root, 'build-mlx', 'Release', 'parakeet.node'),
    PARAKEET_DECODER: decoder,
  });
}
