/**
 * THIRD_PARTY_LICENSES: the licences of what is installed with the package, which are its dependencies of package-lock.json. Those of the
 * libraries in a platform's package: library-licences.mjs.
 *
 *     node scripts/third-party.mjs [--check]
 */
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { licenceDocument, tidy } from './licence-document.mjs';

const root = fileURLToPath(new URL('..', import.meta.url));
const file = path.join(root, 'THIRD_PARTY_LICENSES');
const read = (...parts) => readFileSync(path.join(root, ...parts), 'utf8');

/** What the checkout's file should hold: the dependencies. */
export function thirdPartyLicenses() {
  return licenceDocument(packages(), 'what is installed with parakeet-stream');
}

/** All packages of the tree below the package's `dependencies`. */
function packages() {
  const { packages: locked } = JSON.parse(read('package-lock.json'));
  const found = new Map();
  const visit = (names, from) => {
    for (const name of names) {
      const place = resolve(locked, from, name);
      if (!place || found.has(place)) continue;
      const { version, license, dependencies = {} } = locked[place];
      found.set(place, { name, version, licence: license ?? 'see below', text: textOf(place, name) });
      visit(Object.keys(dependencies), place);
    }
  };
  visit(Object.keys(locked[''].dependencies), '');
  return [...found.values()].sort((a, b) => compare(a.name, b.name) || compare(a.version, b.version));
}

const compare = (a, b) => (a < b ? -1 : a > b ? 1 : 0);

/** Where Node finds `name` from a package of the lock file. */
function resolve(locked, from, name) {
  for (let at = from; ; at = at.slice(0, Math.max(0, at.lastIndexOf('/node_modules/')))) {
    const place = at === '' ? `node_modules/${name}` : `${at}/node_modules/${name}`;
    if (locked[place]) return place;
    if (at === '') return undefined;
  }
}

function textOf(place, name) {
  const licence = readdirSync(path.join(root, place)).filter((entry) => /^(licen[cs]e|copying)/i.test(entry));
  if (licence.length > 0)
    return licence
      .sort()
      .map((entry) => tidy(read(place, entry)))
      .join('\n\n');
  const { author, repository } = JSON.parse(read(place, 'package.json'));
  const by = typeof author === 'string' ? author : author?.name;
  const from = typeof repository === 'string' ? repository : repository?.url;
  return `${name} comes without a text of its licence. Author: ${by ?? 'not named'}. Source: ${from ?? 'not named'}.`;
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const text = thirdPartyLicenses();
  if (!process.argv.includes('--check')) writeFileSync(file, text);
  else if (!existsSync(file) || readFileSync(file, 'utf8') !== text) {
    console.error('THIRD_PARTY_LICENSES is not up to date: node scripts/third-party.mjs');
    process.exitCode = 1;
  }
}
