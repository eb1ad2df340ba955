/**
 * THIRD_PARTY_LICENSES: the licences of what runs with the package, which are its dependencies of package-lock.json, MLX and oneDNN.
 *
 *     node scripts/third-party.mjs [--check]
 *
 * Needs node_modules and, for the libraries, vendor (npm run build:native).
 */
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));
const file = path.join(root, 'THIRD_PARTY_LICENSES');
const read = (...parts) => readFileSync(path.join(root, ...parts), 'utf8');

/** What the file should hold. */
export function thirdPartyLicenses() {
  const all = [...libraries(), ...packages()];
  const lines = [...new Set(all.map(({ name, version, licence }) => `${name} ${version}: ${licence}`))];
  // Most packages share a few texts: each stands once, below the names that it holds for.
  const texts = new Map();
  for (const { name, text } of all) texts.set(text, (texts.get(text) ?? new Set()).add(name));
  const sections = [...texts].map(
    ([text, names]) => `${'-'.repeat(80)}\n${[...names].join(', ')}\n\n${text}\n`,
  );
  return [
    'Made by scripts/third-party.mjs: what runs with parakeet-stream, and its licences.\n',
    `${lines.join('\n')}\n`,
    ...sections,
  ].join('\n');
}

/** The native libraries: their wheels' licences, and those of what is built into them. */
function libraries() {
  const wheel = readdirSync(path.join(root, 'vendor')).find((name) => /^mlx.*\.dist-info$/.test(name));
  const mlx = { name: 'MLX', version: pinned('mlx-cpu'), licence: 'MIT' };
  const onednn = { name: 'oneDNN', version: pinned('onednn-cpu-gomp'), licence: 'Apache-2.0' };
  const documents = ['vendor', 'onednn', 'share', 'doc', 'onednn'];
  return [
    { ...mlx, text: tidy(read('vendor', wheel, 'licenses', 'LICENSE')) },
    { ...onednn, text: tidy(read(...documents, 'LICENSE')) },
    { ...onednn, licence: 'third parties in it', text: tidy(read(...documents, 'THIRD-PARTY-PROGRAMS')) },
  ];
}

/** The version that scripts/requirements pins. */
function pinned(name) {
  for (const requirements of readdirSync(path.join(root, 'scripts', 'requirements'))) {
    const [, version] =
      read('scripts', 'requirements', requirements).match(new RegExp(`^${name}==(\\S+)`, 'm')) ?? [];
    if (version) return version;
  }
  throw new Error(`Expected a version of ${name} in scripts/requirements`);
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

const tidy = (text) =>
  text
    .replaceAll('\r\n', '\n')
    .replace(/[ \t]+$/gm, '')
    .trim();

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const text = thirdPartyLicenses();
  if (!process.argv.includes('--check')) writeFileSync(file, text);
  else if (!existsSync(file) || readFileSync(file, 'utf8') !== text) {
    console.error('THIRD_PARTY_LICENSES is not up to date: node scripts/third-party.mjs');
    process.exitCode = 1;
  }
}
