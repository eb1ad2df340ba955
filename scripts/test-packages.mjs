/**
 * What package managers, compilers, bundlers and frameworks make of the packages: packs them, publishes them in a registry on 127.0.0.1, and
 * installs and runs them in empty folders (test/packages). Leaves the result in docs/verified.json when all of it was run.
 *
 *     npm run test:packages [-- managers places]
 *
 * On Linux x86_64 only: the package managers and the versions of Node that it runs are programs for that.
 */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { record } from './verified.mjs';

const root = path.resolve(import.meta.dirname, '..');
const vitest = path.join(
  path.dirname(createRequire(import.meta.url).resolve('vitest/package.json')),
  'vitest.mjs',
);
if (`${process.platform}-${process.arch}` !== 'linux-x64') {
  console.error(
    'Expected Linux x86_64, which test:packages is for; elsewhere: npm test -- test/scripts/pack',
  );
  process.exit(1);
}
for (const script of ['install.mjs', 'build-dist.mjs']) {
  const { status } = spawnSync(process.execPath, [path.join(import.meta.dirname, script)], {
    stdio: 'inherit',
  });
  if (status !== 0) process.exit(status ?? 1);
}
const folder = mkdtempSync(path.join(tmpdir(), 'parakeet-packages-report-'));
const report = path.join(folder, 'report.json');
const chosen = process.argv.slice(2);

try {
  const { status } = spawnSync(
    process.execPath,
    [
      ...[vitest, 'run', '--config', 'test/packages/vitest.config.ts'],
      ...['--reporter=default', '--reporter=json', `--outputFile.json=${report}`, ...chosen],
    ],
    { cwd: root, stdio: 'inherit' },
  );
  process.exitCode = status ?? 1;
  if (chosen.length === 0) {
    const { success, testResults } = JSON.parse(readFileSync(report, 'utf8'));
    const tests = testResults.flatMap(({ assertionResults }) => assertionResults);
    const named = (wanted) => tests.filter(({ status }) => status === wanted).map(({ title }) => title);
    const skipped = tests
      .filter(({ status }) => status === 'skipped')
      .map(({ title, meta }) => `${title}: ${meta.reason ?? 'not on this machine'}`);
    for (const line of skipped) console.log(`skipped: ${line}`);
    record('packages', {
      passed: success,
      tests: named('passed'),
      failed: named('failed'),
      ...(skipped.length > 0 && { skipped }),
    });
  }
} finally {
  rmSync(folder, { recursive: true, force: true });
}
