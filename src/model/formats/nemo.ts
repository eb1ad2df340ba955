/**
 * NVIDIA's speech models in archives (nemo-archive.ts): the configuration with its references resolved, the tokenizer's pieces, and the tensors by
 * the engine's names.
 */
import type { FileHandle } from 'node:fs/promises';
import type { NativeTensor } from '../../engine/addon.js';
import { readAt } from '../read-at.js';
import { isJson } from './json.js';
import { channelsLast, lstmName, type ModelFiles } from './model-files.js';
import { CONFIG, readNemoArchive } from './nemo-archive.js';
import { readSentencePieces } from './sentencepiece.js';
import type { TarEntry } from './tar-index.js';
import type { CheckpointTensor } from './torch-checkpoint.js';

/**
 * Opens a `.nemo` archive.
 *
 * @throws as `readNemoArchive`.
 */
export async function openNemo(file: string): Promise<ModelFiles> {
  const { result, dispose } = await readNemoArchive(file, async ({ handle, entries, config, tensors }) => ({
    format: 'nemo' as const,
    config: withVocabulary(resolved(config), await piecesOf(handle, entries, file)),
    configFile: `${file} (${CONFIG})`,
    tensors: tensors
      .filter(isFloat)
      .map((tensor) => channelsLast({ ...tensor, name: lstmName(tensor.name) })),
  }));
  return { ...result, dispose };
}

function isFloat(tensor: CheckpointTensor): tensor is NativeTensor {
  return tensor.dtype !== 'I32' && tensor.dtype !== 'I64';
}

/** The tokenizer's pieces, if the archive has its SentencePiece model. A hybrid or multilingual model may have several. */
async function piecesOf(
  handle: FileHandle,
  entries: readonly TarEntry[],
  file: string,
): Promise<string[] | undefined> {
  const own = entries.filter(({ name }) => name.endsWith('tokenizer.model'));
  const [entry] = own;
  if (entry === undefined || own.length > 1) return undefined;
  return readSentencePieces(await readAt(handle, entry.offset, entry.size), `${file} (${entry.name})`);
}

/** NeMo usually writes the pieces into the configuration; otherwise they come from the tokenizer. */
function withVocabulary(config: unknown, pieces: string[] | undefined): unknown {
  if (!isJson(config) || pieces === undefined) return config;
  const own = isJson(config.joint) ? 'joint' : 'decoder';
  const section = config[own];
  if (!isJson(section) || (Array.isArray(section.vocabulary) && section.vocabulary.length > 0)) return config;
  return { ...config, [own]: { ...section, vocabulary: pieces } };
}

const REFERENCE = /^\$\{([\w.]+)\}$/;

/** OmegaConf's references, `${a.b}`, if a value is nothing else; NeMo resolves them only with `resolve=True`. */
function resolved(config: unknown): unknown {
  const find = (at: string): unknown =>
    at.split('.').reduce<unknown>((value, key) => (isJson(value) ? value[key] : undefined), config);
  const walk = (value: unknown, depth: number): unknown => {
    if (depth > 32) return value;
    if (Array.isArray(value)) return value.map((item) => walk(item, depth + 1));
    if (isJson(value))
      return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, walk(item, depth + 1)]));
    const reference = typeof value === 'string' ? REFERENCE.exec(value)?.[1] : undefined;
    return reference === undefined ? value : walk(find(reference), depth + 1);
  };
  return walk(config, 0);
}
