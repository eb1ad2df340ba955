/**
 * The fuzz of test/transforms/fuzz.test.ts for longer, with a seed that is printed:
 *
 *     npm run fuzz [-- CASES [SEED]]
 *
 * A run of a million cases or more leaves its result in docs/verified.json.
 */
import { spawnSync } from 'node:child_process';
import { createRequire } from 'node:module';
import path from 'node:path';
import { record } from './verified.mjs';

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
// Without a status it was stopped by a signal, and has no result.
if (status !== null && Number(cases) >= 1e6)
  record('fuzz', { passed: status === 0, cases: Number(cases), seed: Number(seed) });
