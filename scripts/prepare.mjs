/**
 * npm's prepare script, which runs in a checkout only: builds the addon, then compiles src/ to dist/. The published packages run no script.
 */
import { spawnSync } from 'node:child_process';
import { createRequire } from 'node:module';
import path from 'node:path';

try {
  createRequire(import.meta.url).resolve('cmake-js/package.json');
} catch {
  process.stdout.write(
    'parakeet-stream: without devDependencies (npm install --omit=dev) nothing is built\n',
  );
  process.exit(0);
}
for (const script of ['install.mjs', 'build-dist.mjs']) {
  const { status } = spawnSync(process.execPath, [path.join(import.meta.dirname, script)], {
    stdio: 'inherit',
  });
  if (status !== 0) process.exit(status ?? 1);
}
