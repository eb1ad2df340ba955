/** The next version: changesets become package.json's version and a section of CHANGELOG.md, and the version goes wherever else it stands. */
import { execFileSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { withoutTrailingSpace } from './changelog.mjs';
import { changeset } from './changeset.mjs';

const root = fileURLToPath(new URL('../..', import.meta.url));
const run = (...words) => execFileSync(process.execPath, words, { cwd: root, stdio: 'inherit' });

process.exitCode = changeset(['version'], root);
if (!process.exitCode) {
  const changelog = path.join(root, 'CHANGELOG.md');
  writeFileSync(changelog, withoutTrailingSpace(readFileSync(changelog, 'utf8')));
  run(path.join('scripts', 'set-version.mjs'));
  execFileSync('npm', ['install', '--package-lock-only', '--ignore-scripts', '--no-fund', '--no-audit'], {
    cwd: root,
    stdio: 'inherit',
  });
}
