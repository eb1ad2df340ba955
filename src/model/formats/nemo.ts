/**
 * NVIDIA's archives: `.nemo` is a tar (compressed in older ones) of `model_config.yaml`, `model_weights.ckpt` and the tokenizer's files.
 * The weights stay in the archive; only a compressed archive is unpacked, to a temporary folder.
 */
import { createReadStream, createWriteStream } from 'node:fs';
import { type FileHandle, mkdtemp, open, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { pipeline } from 'node:stream/promises';
import { createGunzip } from 'node:zlib';
import { ModelError, ParakeetError } from '../../errors.js';
import { importPeer } from '../../optional-peer.js';
import { readAt } from '../read-at.js';
import { isJson } from './json.js';
import { channelsLast, keepAll, lstmName, type ModelFiles } from './model-files.js';
import { readSentencePieces } from './sentencepiece.js';
import { readTarIndex, type TarEntry } from './tar-index.js';
import { readTorchCheckpoint } from './torch-checkpoint.js';

const CONFIG = 'model_config.yaml';
const WEIGHTS = 'model_weights.ckpt';

/**
 * Opens a `.nemo` archive.
 *
 * @throws {ModelError} `ERR_PARAKEET_INVALID_WEIGHTS` for a file that is not such an archive, or whose checkpoint holds more than tensors;
 * `ERR_PARAKEET_INVALID_CONFIG`. @throws {ParakeetError} `ERR_PARAKEET_MISSING_DEPENDENCY` without the packages `yaml` and `yauzl`.
 */
export async function openNemo(file: string): Promise<ModelFiles> {
  const [yaml, yauzl] = await Promise.all([
    needed<typeof import('yaml')>('yaml'),
    needed<typeof import('yauzl') & { default: typeof import('yauzl') }>('yauzl'),
  ]);
  const { archive, dispose } = await uncompressed(file);
  let handle: FileHandle | undefined;
  try {
    handle = await open(archive, 'r');
    const own = handle;
    const entries = await readTarIndex(own);
    const entry = (name: string): TarEntry => {
      const found = entries.find((one) => path.posix.basename(one.name) === name);
      if (found) return found;
      throw new Error(`it has no ${name} (there is ${entries.map((one) => one.name).join(', ')})`);
    };
    const text = entry(CONFIG);
    const config = withVocabulary(
      resolved(parse(yaml, (await readAt(own, text.offset, text.size)).toString('utf8'), file)),
      await piecesOf(own, entries, file),
    );
    const { offset, size } = entry(WEIGHTS);
    const tensors = await readTorchCheckpoint({ handle: own, path: archive, offset, size }, yauzl).catch(
      (cause: Error) => {
        throw new Error(`its ${WEIGHTS} does not read: ${cause.message}`, { cause });
      },
    );
    return {
      format: 'nemo',
      config,
      configFile: `${file} (${CONFIG})`,
      tensors: tensors.map((tensor) => channelsLast({ ...tensor, name: lstmName(tensor.name) })),
      dispose,
    };
  } catch (cause) {
    await dispose();
    if (cause instanceof ParakeetError) throw cause;
    throw new ModelError(
      'ERR_PARAKEET_INVALID_WEIGHTS',
      `Expected a .nemo archive in ${file} but ${(cause as Error).message}. If the download is incomplete, download it again.`,
      { cause },
    );
  } finally {
    await handle?.close();
  }
}

/** The archive itself, or, if it is compressed, an uncompressed copy. */
async function uncompressed(file: string): Promise<{ archive: string; dispose: () => Promise<void> }> {
  const handle = await open(file, 'r').catch((cause: Error) => {
    throw new ModelError(
      'ERR_PARAKEET_MODEL_NOT_FOUND',
      `Expected to read ${file} but the system refused: ${cause.message}`,
      { cause },
    );
  });
  const magic = Buffer.alloc(2);
  await handle.read(magic, 0, 2, 0).finally(() => handle.close());
  if (magic.readUInt16BE() !== 0x1f8b) return { archive: file, dispose: keepAll };
  const folder = await mkdtemp(path.join(tmpdir(), 'parakeet-nemo-'));
  const dispose = () => rm(folder, { recursive: true, force: true });
  const archive = path.join(folder, 'model.tar');
  try {
    await pipeline(createReadStream(file), createGunzip(), createWriteStream(archive));
  } catch (cause) {
    await dispose();
    throw new ModelError(
      'ERR_PARAKEET_INVALID_WEIGHTS',
      `Expected a .nemo archive in ${file} but it does not unpack: ${(cause as Error).message}`,
      { cause },
    );
  }
  return { archive, dispose };
}

function parse(yaml: typeof import('yaml'), text: string, file: string): unknown {
  try {
    return yaml.parse(text) as unknown;
  } catch (cause) {
    throw new ModelError(
      'ERR_PARAKEET_INVALID_CONFIG',
      `Expected YAML in ${CONFIG} of ${file} but it does not parse: ${(cause as Error).message}`,
      { cause },
    );
  }
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

function needed<T>(name: string): Promise<T> {
  return importPeer<T>(name, 'reads .nemo archives', 'Run `npm install yaml yauzl`.');
}
