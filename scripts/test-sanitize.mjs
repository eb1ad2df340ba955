/**
 * Builds the engine without Node as a program (native/test) with AddressSanitizer and UndefinedBehaviorSanitizer, and with
 * ThreadSanitizer, and runs both. Exits with 1 for a finding or a failed check. What is suppressed, and why, is in
 * native/test/suppressions.
 *
 *     npm run test:sanitize [-- --only address|thread] [-- --seed N]
 */
import { spawnSync } from 'node:child_process';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { buildEngineTest } from './build-engine-test.mjs';
import { record } from './verified.mjs';

const root = path.resolve(import.meta.dirname ?? path.dirname(new URL(import.meta.url).pathname), '..');
const { values } = parseArgs({ options: { only: { type: 'string' }, seed: { type: 'string' } } });
const seed = values.seed ?? String(Date.now() % 100_000);
const suppressions = (name) => path.join(root, 'native', 'test', 'suppressions', `${name}.txt`);

const variants = [
  {
    name: 'address',
    sanitizer: 'address,undefined',
    environment: {
      // MLX is not built with the sanitizer, so the capacity behind a vector's end is not annotated on its side of a call.
      ASAN_OPTIONS: 'detect_container_overflow=0:detect_stack_use_after_return=1',
      LSAN_OPTIONS: `suppressions=${suppressions('leak')}:print_suppressions=0`,
      UBSAN_OPTIONS: 'print_stacktrace=1',
    },
  },
  {
    name: 'thread',
    sanitizer: 'thread',
    environment: { TSAN_OPTIONS: `suppressions=${suppressions('thread')}:second_deadlock_stack=1` },
  },
].filter(({ name }) => values.only === undefined || values.only === name);
if (variants.length === 0)
  throw new Error(`Expected address or thread for --only but received ${values.only}`);

process.stdout.write(`seed ${seed}\n`);
const results = {};
for (const variant of variants) results[variant.name] = await run(variant);
if (values.only === undefined)
  record('sanitize', { passed: Object.values(results).every(Boolean), seed: Number(seed), ...results });
process.exitCode = Object.values(results).every(Boolean) ? 0 : 1;

async function run({ name, sanitizer, environment }) {
  process.stdout.write(`${sanitizer}: building\n`);
  const { file, goldens } = await buildEngineTest({
    out: path.join(root, `build-${name}`),
    mlx: process.env.MLX_ROOT || path.join(root, 'vendor', 'mlx'),
    definitions: [`-DSANITIZER=${sanitizer}`],
  });
  process.stdout.write(`${sanitizer}: running\n`);
  const { status, signal } = spawnSync(file, [seed, ...goldens], {
    stdio: 'inherit',
    env: { ...process.env, ...environment },
  });
  process.stdout.write(
    `${sanitizer}: ${status === 0 ? 'clean' : `failed (${signal ?? `exit code ${status}`})`}\n`,
  );
  return status === 0;
}
