/**
 * The licences of third parties: of what is installed with the package (THIRD_PARTY_LICENSES, from package-lock.json), and of the libraries in
 * a platform's package.
 *
 *     node scripts/third-party.mjs [--check]
 */
import { spawnSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));
const file = path.join(root, 'THIRD_PARTY_LICENSES');
const read = (...parts) => readFileSync(path.join(root, ...parts), 'utf8');

/** What the checkout's file should hold: the dependencies. */
export function thirdPartyLicenses() {
  return document(packages(), 'what is installed with parakeet-stream');
}

/**
 * What a platform's package should hold.
 *
 * @param {string} vendor where the wheels were unpacked
 * @param {readonly string[]} files the libraries in the package, by their places in it
 */
export function librariesLicences(vendor, files) {
  const has = (part) => files.some((file) => file.includes(part));
  const from = (...parts) => tidy(readFileSync(path.join(vendor, ...parts), 'utf8'));
  const text = (name) => tidy(read('packages', 'licenses', name));
  const wheel = readdirSync(vendor).find((name) => /^mlx.*\.dist-info$/.test(name));
  const bundled = bundledVersions(path.join(vendor, wheel));
  const gcc = `${text('GCC-exception-3.1.txt')}\n\n${text('GPL-3.0.txt')}`;

  const all = [
    {
      name: 'MLX',
      version: /-(.+)\.dist-info/.exec(wheel)?.[1],
      licence: 'MIT',
      text: from(wheel, 'licenses', 'LICENSE'),
    },
  ];
  const add = (part, entry) => {
    if (has(part)) all.push({ version: bundled.get(part) ?? '', ...entry });
  };
  const documents = ['onednn', 'share', 'doc', 'onednn'];
  if (has('dnnl')) {
    const onednn = { name: 'oneDNN', version: pinned('onednn-cpu-gomp') };
    all.push({ ...onednn, licence: 'Apache-2.0', text: from(...documents, 'LICENSE') });
    all.push({ ...onednn, licence: 'third parties in it', text: from(...documents, 'THIRD-PARTY-PROGRAMS') });
  }
  add('libopenblas', { name: 'OpenBLAS', licence: 'BSD-3-Clause', text: text('OpenBLAS.txt') });
  add('libopenblas', { name: 'LAPACK', licence: 'BSD-3-Clause', text: text('LAPACK.txt') });
  const lapack = { licence: 'BSD-3-Clause', text: text('LAPACK.txt') };
  add('libblas', { name: 'BLAS', ...lapack });
  add('liblapack', { name: 'LAPACK', ...lapack });
  const runtime = { licence: 'GPL-3.0-or-later WITH GCC-exception-3.1', text: gcc };
  add('libgfortran', { name: 'libgfortran of GCC', ...runtime });
  add('libgomp', { name: 'libgomp of GCC', version: gccVersion(), ...runtime });
  add('libquadmath', {
    name: 'libquadmath of GCC',
    licence: 'LGPL-2.1-or-later',
    text: text('LGPL-2.1.txt'),
  });
  return document(
    all,
    `the libraries in this package${files.some((file) => /lib(gfortran|gomp|quadmath)/.test(file)) ? OF_GCC : ''}`,
  );
}

/** Where the sources of the libraries under the GPL and LGPL are. */
const OF_GCC =
  '. Those of GCC are unchanged, and files of their own that may be replaced; their sources are the package gcc of the ' +
  'distribution that the version names, and at gcc.gnu.org';

function document(all, what) {
  const lines = [
    ...new Set(
      all.map(({ name, version, licence }) => `${[name, version].filter(Boolean).join(' ')}: ${licence}`),
    ),
  ];
  // Most packages share a few texts: each stands once, below the names that it holds for.
  const texts = new Map();
  for (const { name, text } of all) texts.set(text, (texts.get(text) ?? new Set()).add(name));
  const sections = [...texts].map(
    ([text, names]) => `${'-'.repeat(80)}\n${[...names].join(', ')}\n\n${text}\n`,
  );
  return [
    `Made by scripts/third-party.mjs: the licences of ${what}.\n`,
    `${lines.join('\n')}\n`,
    ...sections,
  ].join('\n');
}

/** The versions of the libraries that the wheel brought along, by their names, from its list of parts. */
function bundledVersions(wheel) {
  const folder = path.join(wheel, 'sboms');
  const versions = new Map();
  if (!existsSync(folder)) return versions;
  for (const file of readdirSync(folder)) {
    const { components = [] } = JSON.parse(readFileSync(path.join(folder, file), 'utf8'));
    for (const { name, version, purl } of components) {
      const [, distribution] = /^pkg:deb\/(\w+)/.exec(purl ?? '') ?? [];
      versions.set(name.replace(/\d+$/, ''), distribution ? `${version} (${distribution})` : version);
    }
  }
  return versions;
}

/** The compiler that libgomp came with. */
function gccVersion() {
  const { stdout } = spawnSync(process.env.CXX || 'g++', ['--version'], { encoding: 'utf8' });
  return (
    /\((.+?)\) ([\d.]+)/
      .exec(stdout ?? '')
      ?.slice(1)
      .reverse()
      .join(', ') ?? ''
  );
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
