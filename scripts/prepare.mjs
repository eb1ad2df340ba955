/**
 * npm's prepare script, which runs in a checkout only: builds the addon, then compiles src/ to dist/. Of the published packages none runs a script.
 */
import { spawnSync } from 'node:child_process';
import path from 'node:path';

for (const script of ['install.mjs', 'build-dist.mjs']) {
  const { status } = spawnSync(process.execPath, [path.join(import.meta.dirname, script)], {
    stdio: 'inherit',
  });
  if (status !== 0) process.exit(status ?? 1);
}
