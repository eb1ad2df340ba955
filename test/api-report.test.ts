/**
 * The public surface, types and names, is the one that was reviewed: docs/api-report. When a change is meant, `npm run -s api` writes the reports again.
 */
import { spawnSync } from 'node:child_process';
import path from 'node:path';
import { expect, test } from 'vitest';
import { root } from './support/documents.js';

test('the public surface is that of docs/api-report', () => {
  const script = path.join(root, 'scripts', 'api-report.mjs');
  const { status, stdout, stderr } = spawnSync(process.execPath, [script, '--check'], {
    cwd: root,
    encoding: 'utf8',
  });
  expect(stdout + stderr).toBe('');
  expect(status).toBe(0);
});
