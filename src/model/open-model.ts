/**
 * From a model's name to its files: a folder, a `.nemo` archive, or a repository of the hub, which is downloaded. Loading them is up to the
 * caller.
 */
import { stat } from 'node:fs/promises';
import path from 'node:path';
import { ModelError } from '../errors.js';
import { fetchFromHub, type HubOptions, isRepositoryId } from '../hub/hub.js';
import { namesIn } from '../hub/hub-cache.js';
import { modelLayout, NEMO } from '../hub/layout.js';
import { openFolder } from './formats/folder.js';
import type { ModelFiles } from './formats/model-files.js';
import { openNemo } from './formats/nemo.js';

/** A model's files by its name: see {@link loadModel}. */
export async function openModel(name: string, options: HubOptions = {}): Promise<ModelFiles> {
  const kind = name === '' ? undefined : await kindOf(name);
  if (kind === 'folder') return openEither(name);
  if (kind === 'file' && name.endsWith(NEMO)) return openNemo(name);
  if (kind === undefined && isRepositoryId(name)) return openEither(await fetchFromHub(name, options));
  throw new ModelError(
    'ERR_PARAKEET_MODEL_NOT_FOUND',
    `Expected a model folder, a .nemo archive, or a Hugging Face repository id such as mlx-community/parakeet-tdt-0.6b-v3, ` +
      `but received '${name}', which is none of them`,
  );
}

/** A folder's own files, or the only archive in it. */
async function openEither(folder: string): Promise<ModelFiles> {
  const layout = modelLayout(await namesIn(folder));
  if (layout?.kind === 'nemo') return openNemo(path.join(folder, layout.files[0] as string));
  return openFolder(folder);
}

async function kindOf(name: string): Promise<'folder' | 'file' | undefined> {
  return stat(name).then(
    (status) => (status.isDirectory() ? 'folder' : 'file'),
    () => undefined,
  );
}
