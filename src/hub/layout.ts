/**
 * Which files of a folder or a repository make a model, by their names alone. The one place that knows what formats look like from
 * outside; how each is read is said in folder.ts and nemo.ts.
 */

/** The file of weights, where it is one. */
export const WEIGHTS = 'model.safetensors';
/** Says which file has which tensor, where they are several. */
export const SHARD_INDEX = 'model.safetensors.index.json';
/** How the name of such a file ends. */
export const NEMO = '.nemo';

/** Small files that are taken along where they are there: of our own, and of transformers. */
const BESIDE = [
  'streaming.json',
  'preprocessor_config.json',
  'processor_config.json',
  'tokenizer.json',
  'tokenizer.model',
];
const CONFIG = 'config.json';
const SHARD = /^model-(\d+)-of-(\d+)\.safetensors$/;

/** What is looked for, for errors. */
export const LOOKED_FOR = `${CONFIG} with ${WEIGHTS} or ${SHARD_INDEX}, or one file ${NEMO}`;

/** The files of a model. */
export interface ModelLayout {
  kind: 'folder' | 'nemo';
  /** The small ones first, so that what is wrong with them is found before the weights are fetched. */
  files: string[];
}

/** The model's files among `names`; `undefined` when no model is whole. */
export function modelLayout(names: readonly string[]): ModelLayout | undefined {
  const has = (name: string) => names.includes(name);
  const small = [...BESIDE, CONFIG].filter(has);
  if (has(CONFIG) && has(WEIGHTS)) return { kind: 'folder', files: [...small, WEIGHTS] };
  if (has(CONFIG) && has(SHARD_INDEX)) {
    const shards = names.filter((name) => SHARD.test(name));
    const count = Number(SHARD.exec(shards[0] ?? '')?.[2]);
    if (shards.length === count) return { kind: 'folder', files: [...small, SHARD_INDEX, ...shards.sort()] };
  }
  const archives = names.filter((name) => name.endsWith(NEMO));
  return archives.length === 1 ? { kind: 'nemo', files: archives } : undefined;
}
