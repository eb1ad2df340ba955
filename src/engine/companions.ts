/**
 * The packages that are published beside this one, `@parakeet-stream/…`: where they are installed and what their manifests say. Not what is
 * in them.
 */
import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { nodeRequire } from '../node-require.js';

/** The parts of a companion's package.json that we read. */
export interface Companion {
  name: string;
  folder: string;
  version: string;
  /** What scripts/pack.mjs found out about it. */
  parakeet: {
    /** Files that must be there, by their paths in the package. */
    files?: string[];
    /** The oldest glibc that its libraries run with. */
    glibc?: string;
  };
}

/** The companion's full name. */
export const companionName = (name: string): string => `@parakeet-stream/${name}`;

/**
 * Looks for a companion from this package, then from the program that runs: in a bundle, this package's own place is gone. Gives undefined
 * when it is not installed.
 */
export function findCompanion(name: string): Companion | undefined {
  const file = resolve(`${companionName(name)}/package.json`);
  if (file === undefined) return undefined;
  const { version, parakeet } = JSON.parse(readFileSync(file, 'utf8')) as Partial<Companion>;
  return {
    name: companionName(name),
    folder: outsideArchive(path.dirname(file)),
    version: version ?? 'none',
    parakeet: parakeet ?? {},
  };
}

/**
 * Electron packs an application into an archive that only its own JavaScript can read; what native code reads lies beside it, where the
 * packager was told to (`asarUnpack`).
 */
export function outsideArchive(folder: string): string {
  const beside = folder.replace(/\.asar(?=[\\/])/, '.asar.unpacked');
  return existsSync(beside) ? beside : folder;
}

function resolve(request: string): string | undefined {
  for (const from of [import.meta.url as string | undefined, process.argv[1]]) {
    if (!from || (!from.startsWith('file:') && !path.isAbsolute(from))) continue;
    try {
      return nodeRequire(from).resolve(request);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'MODULE_NOT_FOUND') throw error;
    }
  }
  return undefined;
}
