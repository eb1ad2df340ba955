/**
 * Writes the version of package.json wherever else it stands: in the packages beside it and in src/version.ts.
 *
 *     node scripts/set-version.mjs
 */
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));
const { version } = JSON.parse(readFileSync(path.join(root, 'package.json'), 'utf8'));

const packages = readdirSync(path.join(root, 'packages'), { withFileTypes: true })
  .filter((entry) => entry.isDirectory() && entry.name !== 'licenses')
  .map(({ name }) => path.join('packages', name, 'package.json'));

function replace(file, pattern, text) {
  const at = path.join(root, file);
  const before = readFileSync(at, 'utf8');
  if (!pattern.test(before)) throw new Error(`Expected a version in ${file} but found none`);
  writeFileSync(at, before.replace(pattern, text));
}

for (const file of packages) replace(file, /^ {2}"version": ".*"/m, `  "version": "${version}"`);
replace('src/version.ts', /packageVersion = '.*'/, `packageVersion = '${version}'`);
