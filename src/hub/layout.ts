/**
 * Which files of a folder or a repository make a model, judged by their names alone. This is the only place that knows what the formats
 * look like from outside; reading them is in folder.ts and nemo.ts.
 */

/** The file of weights, if there is a single one. */
export const WEIGHTS = 'model.safetensors';
/** Says which file has which tensor, if there are several. */
export const SHARD_INDEX = 'model.safetensors.index.json';
/** How the name of such a file ends. */
export const NEMO = '.nemo';

/** Small files that are taken along if they exist: ours, and those of transformers. */
const BESIDE = [
  'streaming.json',
  'confidence.json',
  'preprocessor_config.json',
  'processor_config.json',
  'tokenizer.json',
  'tokenizer.model',
];
/** How the name of a language model beside the weights ends. */
export const LANGUAGE_MODEL = '.lm';
const CONFIG = 'config.json';
const SHARD = /^model-(\d+)-of-(\d+)\.safetensors$/;

/** What is looked for, for error messages. */
export const LOOKED_FOR = `${CONFIG} with ${WEIGHTS} or ${SHARD_INDEX}, or one file ${NEMO}`;

/** The files of a model. */
export interface ModelLayout {
  kind: 'folder' | 'nemo';
  /** The small ones first, so that their errors are found before the weights are downloaded. */
  files: string[];
}

/** The model's files among `names`; `undefined` when there is no complete model. */
export function modelLayout(names: readonly string[]): ModelLayout | undefined {
  const has = (name: string) => names.includes(name);
  const small = [...BESIDE, CONFIG].filter(has).concat(names.filter((name) => name.endsWith(LANGUAGE_MODEL)));
  if (has(CONFIG) && has(WEIGHTS)) return { kind: 'folder', files: [...small, WEIGHTS] };
  if (has(CONFIG) && has(SHARD_INDEX)) {
    const shards = names.filter((name) => SHARD.test(name));
    const count = Number(SHARD.exec(shards[0] ?? '')?.[2]);
    if (shards.length === count) return { kind: 'folder', files: [...small, SHARD_INDEX, ...shards.sort()] };
  }
  const archives = names.filter((name) => name.endsWith(NEMO));
  return archives.length === 1 ? { kind: 'nemo', files: archives } : undefined;
}
