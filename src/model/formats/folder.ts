/**
 * A model folder: parakeet-mlx's (NeMo's `config.json`, a `model.safetensors` with MLX's names; our quantised folders have this format
 * too), or Hugging Face transformers'. The weights may be in several files with a `model.safetensors.index.json`.
 */
import { readdir, stat } from 'node:fs/promises';
import path from 'node:path';
import type { NativeTensor } from '../../engine/addon.js';
import { ModelError } from '../../errors.js';
import { LANGUAGE_MODEL, SHARD_INDEX, WEIGHTS } from '../../hub/layout.js';
import { readTensorIndex } from '../safetensors.js';
import { readJson } from './json.js';
import { keepAll, type ModelFiles } from './model-files.js';
import { isTransformersConfig, readTransformers } from './transformers.js';

/**
 * Opens a model folder.
 *
 * @throws {ModelError} `ERR_PARAKEET_MODEL_NOT_FOUND` naming what is missing; `ERR_PARAKEET_INVALID_CONFIG`,
 * `ERR_PARAKEET_INVALID_WEIGHTS`, `ERR_PARAKEET_UNSUPPORTED_MODEL`.
 */
export async function openFolder(folder: string): Promise<ModelFiles> {
  const configFile = path.join(folder, 'config.json');
  const sharded =
    !(await isFile(path.join(folder, WEIGHTS))) && (await isFile(path.join(folder, SHARD_INDEX)));
  for (const file of ['config.json', sharded ? SHARD_INDEX : WEIGHTS]) {
    if (await isFile(path.join(folder, file))) continue;
    throw new ModelError(
      'ERR_PARAKEET_MODEL_NOT_FOUND',
      `Expected ${file} in the model folder ${folder} but found none ` +
        `(looked for config.json with ${WEIGHTS} or ${SHARD_INDEX})`,
    );
  }
  const config = await readJson(configFile);
  const tensors = sharded ? await readShards(folder) : await readTensorIndex(path.join(folder, WEIGHTS));
  const languageModel = (await readdir(folder)).sort().find((name) => name.endsWith(LANGUAGE_MODEL));
  const common = {
    configFile,
    prior: path.join(folder, 'streaming.json'),
    calibrations: path.join(folder, 'confidence.json'),
    ...(languageModel !== undefined && { languageModel: path.join(folder, languageModel) }),
    dispose: keepAll,
  };
  if (isTransformersConfig(config)) {
    return { format: 'transformers', ...(await readTransformers(config, tensors, folder)), ...common };
  }
  return { format: 'parakeet-mlx', config, tensors, ...common };
}

/** The tensors of all files that the index names, each from the file that the index gives. */
async function readShards(folder: string): Promise<NativeTensor[]> {
  const index = path.join(folder, SHARD_INDEX);
  const json = (await readJson(index)) as { weight_map?: unknown } | null;
  const map = json?.weight_map;
  if (typeof map !== 'object' || map === null) {
    throw new ModelError(
      'ERR_PARAKEET_INVALID_WEIGHTS',
      `Expected an object 'weight_map' in ${index} but found ${JSON.stringify(map)}`,
    );
  }
  const places = new Map(Object.entries(map as Record<string, unknown>));
  const tensors: NativeTensor[] = [];
  for (const file of new Set(places.values())) {
    if (typeof file !== 'string' || file !== path.basename(file)) {
      throw new ModelError(
        'ERR_PARAKEET_INVALID_WEIGHTS',
        `Expected names of files beside it in ${index} but found ${JSON.stringify(file)}`,
      );
    }
    const own = await readTensorIndex(path.join(folder, file));
    tensors.push(...own.filter(({ name }) => places.get(name) === file));
  }
  const found = new Set(tensors.map(({ name }) => name));
  const missing = [...places.keys()].find(
    (name) => !found.has(name) && !name.endsWith('num_batches_tracked'),
  );
  if (missing !== undefined) {
    throw new ModelError(
      'ERR_PARAKEET_INVALID_WEIGHTS',
      `Expected tensor '${missing}' in ${places.get(missing)}, as ${index} says, but it is not there`,
    );
  }
  return tensors;
}

async function isFile(name: string): Promise<boolean> {
  return stat(name).then(
    (status) => status.isFile(),
    () => false,
  );
}
