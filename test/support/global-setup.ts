/**
 * Before the suite: compiles dist/, since some tests run the command line tool and the examples as a user would, and draws the run's seed.
 */
import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';

export function setup(): void {
  const script = fileURLToPath(new URL('../../scripts/build-dist.mjs', import.meta.url));
  spawnSync(process.execPath, [script], { stdio: 'inherit' });
  process.env.PARAKEET_SEED ||= String(Math.floor(Math.random() * 2 ** 31));
  process.stdout.write(`seed ${process.env.PARAKEET_SEED}\n`);
}
