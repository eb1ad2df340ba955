/**
 * Packs what is published: `parakeet-stream` and the packages of packages/, each as a folder and a tarball in build-packages/.
 *
 *     node scripts/pack.mjs                 all that can be packed here: platforms with a build, the model, the sources, the root
 *     node scripts/pack.mjs linux-x64       some of them
 *     node scripts/pack.mjs root --platforms linux-x64,darwin-arm64
 *                                           the root, with optional dependencies that were packed on other machines
 */
import { copyFileSync, cpSync, existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { runNpm } from './npm.mjs';
import { buildOf, fillPlatform } from './pack-platform.mjs';
import { fillRoot, publishedManifest } from './pack-root.mjs';

const root = fileURLToPath(new URL('..', import.meta.url));
const { version } = JSON.parse(readFileSync(path.join(root, 'package.json'), 'utf8'));

/** Installed by themselves where they fit. CUDA's is not: it is 100 MB, and most machines with Linux have no such GPU. */
export const AUTOMATIC = ['linux-x64', 'linux-arm64', 'darwin-arm64', 'win32-x64'];

/** Every package for a platform. */
export const PLATFORMS = [...AUTOMATIC, 'linux-x64-cuda'];

/** What goes into the other packages, from the checkout. */
const CONTENTS = {
  'tiny-en': [
    ['models/parakeet-tiny-en', 'parakeet-tiny-en'],
    ['models/verify', 'verify'],
  ],
  source: [
    ['native', 'native'],
    ['CMakeLists.txt', 'CMakeLists.txt'],
    ...['install', 'build-addon', 'install-error', 'toolchain', 'wheels'].map((name) => [
      `scripts/${name}.mjs`,
      `scripts/${name}.mjs`,
    ]),
    ['scripts/requirements', 'scripts/requirements'],
    ['scripts/find-onednn', 'scripts/find-onednn'],
  ],
};

/** The engine's tests stay in the checkout. */
const LEFT_OUT = path.join(root, 'native', 'test');

/**
 * @param {string} name `root` or a folder of packages/
 * @param {{ out: string, platforms: readonly string[] }} options `out`: where folder and tarball go; `platforms`: the root's
 * @returns {{ name: string, folder: string, tarball: string, size: number, unpackedSize: number }}
 */
export function pack(name, { out, platforms }) {
  const folder = path.join(out, name);
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder, { recursive: true });
  writeManifest(folder, name === 'root' ? fillFromRoot(folder, platforms) : fillCompanion(name, folder));
  return { name, folder, ...tarballOf(folder, out) };
}

/**
 * A platform's package without the addon, for tests of what package managers do with one that is not for this machine.
 *
 * @param {string} name
 * @param {{ out: string }} options
 */
export function packForeign(name, { out }) {
  const folder = path.join(out, name);
  mkdirSync(folder, { recursive: true });
  copyFileSync(path.join(root, 'packages', name, 'package.json'), path.join(folder, 'package.json'));
  return { name, folder, ...tarballOf(folder, out) };
}

function fillFromRoot(folder, platforms) {
  fillRoot(folder);
  return publishedManifest(platforms);
}

function fillCompanion(name, folder) {
  const own = path.join(root, 'packages', name);
  const manifest = JSON.parse(readFileSync(path.join(own, 'package.json'), 'utf8'));
  if (manifest.version !== version) {
    throw new Error(
      `Expected version ${version} in packages/${name} but found ${manifest.version}: node scripts/set-version.mjs`,
    );
  }
  copyFileSync(path.join(root, 'LICENSE'), path.join(folder, 'LICENSE'));
  copyFileSync(path.join(own, 'README.md'), path.join(folder, 'README.md'));
  if (PLATFORMS.includes(name)) return { ...manifest, parakeet: fillPlatform(name, folder) };
  for (const [from, to] of CONTENTS[name]) {
    const filter = (file) => file !== LEFT_OUT;
    cpSync(path.join(root, from), path.join(folder, to), { recursive: true, filter });
  }
  return manifest;
}

function writeManifest(folder, manifest) {
  writeFileSync(path.join(folder, 'package.json'), `${JSON.stringify(manifest, null, 2)}\n`);
}

function tarballOf(folder, out) {
  const words = ['pack', '--json', '--ignore-scripts', '--pack-destination', out];
  const { status, stdout, stderr } = runNpm(words, { cwd: folder });
  if (status !== 0) throw new Error(`npm pack failed in ${folder}:\n${stderr}`);
  const [{ filename, size, unpackedSize }] = Object.values(JSON.parse(stdout));
  return { tarball: path.join(out, filename), size, unpackedSize };
}

function main() {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: {
      out: { type: 'string', default: path.join(root, 'build-packages') },
      platforms: { type: 'string' },
    },
  });
  const built = PLATFORMS.filter((platform) => buildOf(platform).isThere);
  const names = positionals.length > 0 ? positionals : [...built, ...Object.keys(CONTENTS), 'root'];
  const platforms = values.platforms?.split(',') ?? AUTOMATIC.filter((platform) => built.includes(platform));
  const unknown = [...names, ...platforms].filter(
    (name) => name !== 'root' && !existsSync(path.join(root, 'packages', name, 'package.json')),
  );
  if (unknown.length > 0) throw new Error(`Expected names of packages/ but received ${unknown.join(', ')}`);
  const out = path.resolve(values.out);
  for (const name of names) {
    const { tarball, size, unpackedSize } = pack(name, { out, platforms });
    const megabytes = (bytes) => `${(bytes / 1e6).toFixed(2)} MB`;
    console.log(`${path.relative(root, tarball)}: ${megabytes(size)}, unpacked ${megabytes(unpackedSize)}`);
  }
}

if (process.argv[1] === fileURLToPath(import.meta.url)) main();
