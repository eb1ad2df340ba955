/**
 * Where the native addon may be, in order: what was compiled on this machine, then the package of this platform. Only looking; loading is
 * load-addon.ts, and what to say when nothing is found is load-failure.ts.
 */
import { existsSync } from 'node:fs';
import path from 'node:path';
import { fileOf } from '../node-require.js';
import { type Companion, companionName, findCompanion } from './companions.js';
import { hasNvidiaCard } from './cuda-libraries.js';

/** The package's folder, both from src/engine and from dist/engine. (Bundlers take a `new URL` of a name for a file to copy.) */
export const root = path.resolve(fileOf(import.meta.url), '../../..');

/** Where scripts/install.mjs leaves the addon, in a checkout and in `@parakeet-stream/source`. */
export const BUILT = path.join('build', 'Release', 'parakeet.node');
/** The same for the one that was built for CUDA. */
const BUILT_FOR_CUDA = path.join('build-cuda', 'Release', 'parakeet.node');

/** Where a platform's package has it. */
const PACKED = path.join('lib', 'parakeet.node');

/** The addon's file, and the package that it came with or was compiled in; none in a checkout. */
export interface FoundAddon {
  file: string;
  from?: Companion;
}

/** What was found; or the places where nothing was, and the platform's package that should be there, by its short name. */
export type Search = { found: FoundAddon } | { found: undefined; looked: string[]; wanted: string };

/** The names of the packages for a platform, the one to prefer first. CUDA's is installed only by those who ask for it. */
export function platformPackages(platform: string, arch: string, backend: string | undefined): string[] {
  const name = `${platform}-${arch}`;
  if (backend === 'cuda') return [`${name}-cuda`];
  return backend === 'cpu' || platform !== 'linux' ? [name] : [`${name}-cuda`, name];
}

/** A checkout has the sources; the published package has not. */
export const isCheckout = (): boolean => existsSync(path.join(root, 'CMakeLists.txt'));

/**
 * @param env `PARAKEET_ADDON` names the file, `PARAKEET_BACKEND` (`cpu` or `cuda`) what it was built for; otherwise one for CUDA is taken
 * where there is a card, unless `PARAKEET_DEVICE` is `cpu`.
 * @param hasCard whether there is one of NVIDIA's cards
 * @param own the package's folder
 */
export function findAddon(env: NodeJS.ProcessEnv, hasCard = hasNvidiaCard, own = root): Search {
  if (env.PARAKEET_ADDON) return { found: { file: path.resolve(env.PARAKEET_ADDON) } };
  const looked: string[] = [];

  const backend = env.PARAKEET_BACKEND || (env.PARAKEET_DEVICE === 'cpu' ? 'cpu' : undefined);
  // Asked only when there is something to choose.
  const usesCuda = () => backend === 'cuda' || (backend !== 'cpu' && hasCard());

  const builders: Built[] = [{ folder: own }];
  const source = findCompanion('source');
  if (source) builders.push({ folder: source.folder, from: source });
  for (const { folder, ...origin } of builders) {
    const forCuda = path.join(folder, BUILT_FOR_CUDA);
    if (existsSync(forCuda) && usesCuda()) return { found: { file: forCuda, ...origin } };
    const file = path.join(folder, backend === 'cuda' ? BUILT_FOR_CUDA : BUILT);
    if (existsSync(file)) return { found: { file, ...origin } };
    looked.push(file);
  }

  const names = platformPackages(process.platform, process.arch, backend);
  for (const name of names) {
    const from = findCompanion(name);
    if (from && name.endsWith('-cuda') && !usesCuda()) continue;
    if (from) return { found: { file: path.join(from.folder, PACKED), from } };
    looked.push(`the package ${companionName(name)}`);
  }
  return { found: undefined, looked, wanted: names.at(-1) ?? '' };
}

/** A folder that the addon is compiled in. */
interface Built {
  folder: string;
  from?: Companion;
}
