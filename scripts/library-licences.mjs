/** The licences of the libraries in a platform's package: their wheels', and those of what the wheels bring along. */
import { spawnSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { licenceDocument, tidy } from './licence-document.mjs';

const root = fileURLToPath(new URL('..', import.meta.url));
const GCC = {
  licence: 'GPL-3.0-or-later WITH GCC-exception-3.1',
  texts: ['GCC-exception-3.1.txt', 'GPL-3.0.txt'],
};
const BSD = 'BSD-3-Clause';

/** What wheels bring along, and GCC's libgomp, by the beginning of the files' names. The texts are in packages/licenses. */
const BROUGHT_ALONG = [
  { file: 'libblas', name: 'BLAS', licence: BSD, texts: ['LAPACK.txt'] },
  { file: 'liblapack', name: 'LAPACK', licence: BSD, texts: ['LAPACK.txt'] },
  { file: 'libopenblas', name: 'OpenBLAS', licence: BSD, texts: ['OpenBLAS.txt'] },
  { file: 'libopenblas', name: 'LAPACK in OpenBLAS', licence: BSD, texts: ['LAPACK.txt'] },
  { file: 'libgfortran', name: 'libgfortran of GCC', ...GCC },
  { file: 'libgomp', name: 'libgomp of GCC', ...GCC },
  {
    file: 'libquadmath',
    name: 'libquadmath of GCC',
    licence: 'LGPL-2.1-or-later',
    texts: ['LGPL-2.1.txt'],
  },
];

/** Where the sources of the libraries under the GPL and LGPL are. */
const SOURCES_OF_GCC =
  'Those of GCC are unchanged, and files of their own that may be replaced; their sources are the package gcc of the distribution ' +
  'that the version names, and at gcc.gnu.org';

/**
 * @param {string} vendor where the wheels were unpacked
 * @param {readonly string[]} files the libraries in the package, by their places in it
 */
export function libraryLicences(vendor, files) {
  const wheel = readdirSync(vendor).find((name) => /^mlx.*\.dist-info$/.test(name));
  if (!wheel)
    throw new Error(`Expected the folder of MLX's wheel, mlx….dist-info, in ${vendor} but found none`);
  const has = (name) => files.some((file) => path.basename(file).startsWith(name));
  const versions = versionsIn(path.join(vendor, wheel));
  const broughtAlong = BROUGHT_ALONG.filter(({ file }) => has(file)).map(
    ({ file, name, licence, texts }) => ({
      name,
      version: versions.get(file) ?? (file === 'libgomp' ? compilerVersion() : ''),
      licence,
      text: texts.map((text) => read(root, 'packages', 'licenses', text)).join('\n\n'),
    }),
  );
  const all = [mlx(vendor, wheel), ...(has('libdnnl') || has('dnnl') ? onednn(vendor) : []), ...broughtAlong];
  const ofGcc = broughtAlong.some(({ name }) => name.endsWith('of GCC'));
  return licenceDocument(all, `the libraries in this package${ofGcc ? `. ${SOURCES_OF_GCC}` : ''}`);
}

function mlx(vendor, wheel) {
  const [, version] = /-(.+)\.dist-info$/.exec(wheel) ?? [];
  return { name: 'MLX', version, licence: 'MIT', text: read(vendor, wheel, 'licenses', 'LICENSE') };
}

function onednn(vendor) {
  const documents = path.join(vendor, 'onednn', 'share', 'doc', 'onednn');
  const own = { name: 'oneDNN', version: pinned('onednn-cpu-gomp') };
  return [
    { ...own, licence: 'Apache-2.0', text: read(documents, 'LICENSE') },
    { ...own, licence: 'third parties in it', text: read(documents, 'THIRD-PARTY-PROGRAMS') },
  ];
}

/** The version that scripts/requirements pins. */
function pinned(name) {
  const text = read(root, 'scripts', 'requirements', 'onednn.txt');
  const [, version] = new RegExp(`^${name}==(\\S+)`, 'm').exec(text) ?? [];
  if (!version) throw new Error(`Expected a version of ${name} in scripts/requirements/onednn.txt`);
  return version;
}

/** The versions of what a wheel brings along, from its list of parts: `libblas` for Debian's `libblas3`. */
function versionsIn(wheel) {
  const folder = path.join(wheel, 'sboms');
  const versions = new Map();
  for (const file of existsSync(folder) ? readdirSync(folder) : []) {
    const { components = [] } = JSON.parse(readFileSync(path.join(folder, file), 'utf8'));
    for (const { name, version, purl } of components) {
      const [, distribution] = /^pkg:deb\/(\w+)/.exec(purl ?? '') ?? [];
      versions.set(name.replace(/\d+$/, ''), distribution ? `${version} (${distribution})` : version);
    }
  }
  return versions;
}

/** The compiler, which libgomp comes with. */
function compilerVersion() {
  const { stdout } = spawnSync(process.env.CXX || 'g++', ['--version'], { encoding: 'utf8' });
  const [, distribution, version] = /\((.+?)\) ([\d.]+)/.exec(stdout ?? '') ?? [];
  return version ? `${version} (${distribution})` : '';
}

const read = (...parts) => tidy(readFileSync(path.join(...parts), 'utf8'));
