/**
 * The models in Hugging Face's cache, whichever library downloaded them: listing and removing them. Downloading is in hub.ts.
 */
import { readdir, readFile, rm, stat } from 'node:fs/promises';
import path from 'node:path';
import { ModelError } from '../errors.js';
import { defaultCacheDir, namesIn } from './hub-cache.js';
import { modelLayout } from './layout.js';

/** A model in the cache. */
export interface CachedModel {
  /** `owner/name`. */
  name: string;
  /** The branch or tag that points to the commit; null when none does. */
  revision: string | null;
  commit: string;
  /** The folder, which `loadModel` also takes. */
  folder: string;
  /** Size of its files. */
  bytes: number;
}

const PREFIX = 'models--';

/** The models that can be loaded from the cache: those that are complete. */
export async function cachedModels(cacheDir = defaultCacheDir()): Promise<CachedModel[]> {
  const found: CachedModel[] = [];
  for (const entry of (await names(cacheDir)).filter((name) => name.startsWith(PREFIX)).sort()) {
    const root = path.join(cacheDir, entry);
    const name = entry.slice(PREFIX.length).split('--').join('/');
    const revisions = await revisionsOf(root);
    for (const commit of await names(path.join(root, 'snapshots'))) {
      const folder = path.join(root, 'snapshots', commit);
      const layout = modelLayout(await namesIn(folder));
      if (!layout) continue;
      let bytes = 0;
      for (const file of layout.files) bytes += (await sizeOf(path.join(folder, file))) ?? 0;
      found.push({ name, revision: revisions.get(commit) ?? null, commit, folder, bytes });
    }
  }
  return found;
}

/**
 * Removes a model with all its revisions from the cache.
 *
 * @returns the number of bytes freed.
 * @throws {@link ModelError} `ERR_PARAKEET_MODEL_NOT_FOUND` when it is not in the cache.
 */
export async function removeCachedModel(name: string, cacheDir = defaultCacheDir()): Promise<number> {
  const root = path.join(cacheDir, `${PREFIX}${name.replaceAll('/', '--')}`);
  const blobs = path.join(root, 'blobs');
  const known = /^[\w.-]+\/[\w.-]+$/.test(name) && (await names(path.join(root, 'snapshots'))).length > 0;
  if (!known) {
    const there = [...new Set((await cachedModels(cacheDir)).map((model) => model.name))];
    throw new ModelError(
      'ERR_PARAKEET_MODEL_NOT_FOUND',
      `Expected a model in the cache ${cacheDir} but received '${name}', which is not there. ` +
        (there.length > 0 ? `There are: ${there.join(', ')}.` : 'There are none.'),
    );
  }
  let freed = 0;
  for (const blob of await names(blobs)) freed += (await sizeOf(path.join(blobs, blob))) ?? 0;
  await rm(root, { recursive: true });
  return freed;
}

async function revisionsOf(root: string): Promise<Map<string, string>> {
  const revisions = new Map<string, string>();
  for (const name of await names(path.join(root, 'refs'))) {
    const commit = await readFile(path.join(root, 'refs', name), 'utf8').catch(() => '');
    revisions.set(commit.trim(), name);
  }
  return revisions;
}

async function names(folder: string): Promise<string[]> {
  return readdir(folder).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT' || error.code === 'ENOTDIR') return [];
    throw error;
  });
}

async function sizeOf(file: string): Promise<number | undefined> {
  return stat(file).then(
    ({ size }) => size,
    () => undefined,
  );
}
