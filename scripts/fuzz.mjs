/**
 * The fuzz of test/transforms/fuzz.test.ts for longer, with a seed that is printed:
 *
 *     npm run fuzz [-- CASES [SEED]]
 */
import { spawnSync } from 'node:child_process';
import { createRequire } from 'node:module';
import path from 'node:path';

const [cases = '300000', seed = String(Math.floor(Math.random() * 2 ** 31))] = process.argv.slice(2);
console.log(`${cases} cases, seed ${seed}: npm run fuzz -- ${cases} ${seed}`);
const vitest = path.join(
  path.dirname(createRequire(import.meta.url).resolve('vitest/package.json')),
  'vitest.mjs',
);
const { status } = spawnSync(process.execPath, [vitest, 'run', 'test/transforms/fuzz.test.ts'], {
  stdio: 'inherit',
  env: { ...process.env, PARAKEET_FUZZ_CASES: cases, PARAKEET_SEED: seed },
});
process.exitCode = status ?? 1;
