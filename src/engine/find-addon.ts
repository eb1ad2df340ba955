/**
 * Where the native addon may be, in order: what was compiled on this machine, then the package of this platform. Only looking; loading is
 * load-addon.ts, and what to say when nothing is found is load-failure.ts.
 */
import { existsSync } from 'node:fs';
import path from 'node:path';
import { DependencyError } from '../errors.js';
import { fileOf } from '../node-require.js';
import { packageVersion } from '../version.js';
import { type Companion, companionName, findCompanion } from './companions.js';
import { howToAdd, managerOf } from './package-manager.js';

/** The package's folder, both from src/engine and from dist/engine. (Bundlers take a `new URL` of a name for a file to copy.) */
export const root = path.resolve(fileOf(import.meta.url), '../../..');

/** Where scripts/install.mjs leaves the addon, in a checkout and in `@parakeet-stream/source`. */
const BUILT = path.join('build', 'Release', 'parakeet.node');

/** Where a platform's package has it. */
const PACKED = path.join('lib', 'parakeet.node');

/** The addon's file, and the package that it came with unless it was compiled here. */
export interface FoundAddon {
  file: string;
  from?: Companion;
}

/** What was found, or the places where nothing was. */
export type Search = { found: FoundAddon } | { found: undefined; looked: string[] };

/** The names of the packages for a platform, the one to prefer first. CUDA's is installed only by those who ask for it. */
export function platformPackages(platform: string, arch: string, backend: string | undefined): string[] {
  const name = `${platform}-${arch}`;
  if (backend === 'cuda') return [`${name}-cuda`];
  return backend === 'cpu' || platform !== 'linux' ? [name] : [`${name}-cuda`, name];
}

/**
 * What compiles the addon, and where it then is.
 *
 * @throws {@link DependencyError} `ERR_PARAKEET_MISSING_DEPENDENCY` when the sources are not installed.
 */
export function addonSources(): { script: string; addon: string } {
  const source = isCheckout() ? undefined : findCompanion('source');
  if (!source && !isCheckout()) {
    const specifier = `${companionName('source')}@${packageVersion}`;
    throw new DependencyError(
      `Expected the package ${companionName('source')}, which has the engine's sources, but it is not installed. ` +
        `Run \`${howToAdd(managerOf(root), specifier)}\`, and build again.`,
    );
  }
  const folder = source?.folder ?? root;
  return { script: path.join(folder, 'scripts', 'install.mjs'), addon: path.join(folder, BUILT) };
}

/** A checkout has the sources; the published package has not. */
export const isCheckout = (): boolean => existsSync(path.join(root, 'CMakeLists.txt'));

/** @param env `PARAKEET_ADDON` names the file, `PARAKEET_BACKEND` (`cpu` or `cuda`) the package. */
export function findAddon(env: NodeJS.ProcessEnv): Search {
  if (env.PARAKEET_ADDON) return { found: { file: path.resolve(env.PARAKEET_ADDON) } };
  const looked: string[] = [];

  const source = findCompanion('source');
  for (const folder of [root, ...(source ? [source.folder] : [])]) {
    const file = path.join(folder, BUILT);
    if (existsSync(file)) return { found: { file } };
    looked.push(file);
  }
  for (const name of platformPackages(process.platform, process.arch, env.PARAKEET_BACKEND || undefined)) {
    const from = findCompanion(name);
    if (from) return { found: { file: path.join(from.folder, PACKED), from } };
    looked.push(`the package ${companionName(name)}`);
  }
  return { found: undefined, looked };
}
