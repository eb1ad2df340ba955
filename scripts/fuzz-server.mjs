/**
 * The random clients of test/server/random.test.ts for longer, with a seed that is printed:
 *
 *     npm run fuzz:server [-- MESSAGES CONNECTIONS [SEED]]
 *
 * A run of 10,000 messages a protocol and 1,000 connections or more leaves its result in docs/verified.json.
 */
import { spawnSync } from 'node:child_process';
import { createRequire } from 'node:module';
import path from 'node:path';
import { record } from './verified.mjs';

const [messages = '10000', connections = '1000', seed = String(Math.floor(Math.random() * 2 ** 31))] =
  process.argv.slice(2);
const command = `npm run fuzz:server -- ${messages} ${connections} ${seed}`;
console.log(`${messages} messages a protocol, ${connections} connections, seed ${seed}: ${command}`);
const vitest = path.join(
  path.dirname(createRequire(import.meta.url).resolve('vitest/package.json')),
  'vitest.mjs',
);
const { status } = spawnSync(process.execPath, [vitest, 'run', 'test/server/random.test.ts'], {
  stdio: 'inherit',
  env: {
    ...process.env,
    PARAKEET_FUZZ_MESSAGES: messages,
    PARAKEET_FUZZ_CONNECTIONS: connections,
    PARAKEET_SEED: seed,
  },
});
process.exitCode = status ?? 1;
// Without a status it was stopped by a signal, and has no result.
if (status !== null && Number(messages) >= 10_000 && Number(connections) >= 1000)
  record('fuzz:server', {
    passed: status === 0,
    messages: Number(messages),
    connections: Number(connections),
    seed: Number(seed),
  });
