/**
 * Compiles dist/ once before the suite, since some tests run the command line tool and the examples as a user would.
 */
import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';

export function setup(): void {
  const script = fileURLToPath(new URL('../../scripts/build-dist.mjs', import.meta.url));
  spawnSync(process.execPath, [script], { stdio: 'inherit' });
}
