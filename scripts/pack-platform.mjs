/** Fills the package of a platform: the addon, its libraries, and their licences. It builds nothing. */
import { chmodSync, copyFileSync, existsSync, mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { linuxLibraries, macLibraries, windowsLibraries } from './addon-libraries.mjs';
import { libraryLicences } from './library-licences.mjs';

const root = fileURLToPath(new URL('..', import.meta.url));

/**
 * Where a platform's build lies: in build/ and vendor/ for the machine's own (with `-cuda` for CUDA's), in folders with the platform's name for one that was
 * cross-compiled.
 *
 * @param {string} platform
 */
export function buildOf(platform) {
  const [, system, cuda] = /^(.*?)(-cuda)?$/.exec(platform) ?? [];
  const here = system === `${process.platform}-${process.arch}`;
  const suffix = here ? (cuda ?? '') : `-${platform}`;
  const vendor = path.join(root, `vendor${suffix}`);
  const addon = path.join(root, `build${suffix}`, 'Release', 'parakeet.node');
  return { addon, vendor, isThere: existsSync(addon) && isFor(vendor, platform) };
}

/** What MLX compiles its kernels with when they are first used: it looks for them beside its library. */
function headers(vendor) {
  const folder = path.join(vendor, 'mlx', 'include');
  return ['cccl', 'cute', 'cutlass'].flatMap((name) =>
    readdirSync(path.join(folder, name), { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile())
      .map((entry) => {
        const from = path.join(entry.parentPath ?? entry.path, entry.name);
        return { from, to: path.join('mlx', 'include', path.relative(folder, from)) };
      }),
  );
}

/** Whether the MLX in `vendor` has the backend that the package is for. */
function isFor(vendor, platform) {
  if (!existsSync(vendor)) return false;
  const cuda = readdirSync(vendor).some((name) => /^mlx_cuda.*\.dist-info$/.test(name));
  return cuda === platform.endsWith('-cuda');
}

/**
 * @param {string} platform
 * @param {string} folder the package, where its package.json lies already
 * @returns {{ glibc?: string, files: string[] }} what the loader checks, for package.json
 */
export function fillPlatform(platform, folder) {
  const { addon, vendor, isThere } = buildOf(platform);
  if (!isThere) {
    throw new Error(`Expected an addon for ${platform} at ${addon} and its MLX in ${vendor}: build it first`);
  }
  const [os, arch] = platform.split('-');
  const cuda = platform.endsWith('-cuda');
  const libraries = {
    linux: () => linuxLibraries({ addon, vendor, arch, cuda }),
    darwin: () => macLibraries(vendor),
    win32: () => windowsLibraries(addon),
  };
  const { files, glibc } = libraries[os]();
  if (cuda) files.push(...headers(vendor));
  const packed = [{ from: addon, to: 'parakeet.node' }, ...files].map(({ from, to }) => {
    const place = path.join('lib', to);
    mkdirSync(path.dirname(path.join(folder, place)), { recursive: true });
    copyFileSync(from, path.join(folder, place));
    chmodSync(path.join(folder, place), 0o755);
    return place.split(path.sep).join('/');
  });
  writeFileSync(
    path.join(folder, 'THIRD_PARTY_LICENSES'),
    libraryLicences(
      vendor,
      files.map(({ to }) => to),
    ),
  );
  return { ...(glibc ? { glibc } : {}), files: packed };
}
