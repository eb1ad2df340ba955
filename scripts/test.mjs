/**
 * Runs the suite (`vitest run`, types included) and ends with a line of its own, "N passed, N failed", for programs that read it.
 * Arguments go to vitest: `npm test -- test/transforms`.
 */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import path from 'node:path';

const root = path.resolve(path.dirname(new URL(import.meta.url).pathname), '..');
const vitest = path.join(
  path.dirname(createRequire(import.meta.url).resolve('vitest/package.json')),
  'vitest.mjs',
);
const folder = mkdtempSync(path.join(tmpdir(), 'parakeet-test-'));
const report = path.join(folder, 'report.json');

try {
  const { status } = spawnSync(
    process.execPath,
    [
      vitest,
      'run',
      '--reporter=default',
      '--reporter=json',
      `--outputFile.json=${report}`,
      ...process.argv.slice(2),
    ],
    { cwd: root, stdio: 'inherit' },
  );
  process.exitCode = status ?? 1;
  let counts;
  try {
    counts = JSON.parse(readFileSync(report, 'utf8'));
  } catch {
    counts = { numPassedTests: 0, numFailedTests: 1, testResults: [] };
  }
  // A file that fails while it is loaded has no failed test of its own.
  const brokenFiles = counts.testResults.filter(
    (file) => file.status === 'failed' && !file.assertionResults.some((test) => test.status === 'failed'),
  ).length;
  const failed = counts.numFailedTests + brokenFiles;
  if (failed > 0) process.exitCode ||= 1;
  process.stdout.write(`\n${counts.numPassedTests} passed, ${failed} failed\n`);
} finally {
  rmSync(folder, { recursive: true, force: true });
}
