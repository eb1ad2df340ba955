/**
 * What all of NVIDIA's archives are: `.nemo` is a tar (compressed in older ones) of `model_config.yaml`, `model_weights.ckpt` and other files. The
 * weights stay in the archive; only a compressed archive is unpacked, to a temporary folder. What they are of is the caller's to know.
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
import { keepAll } from './model-files.js';
import { readTarIndex, type TarEntry } from './tar-index.js';
import { type CheckpointTensor, readTorchCheckpoint } from './torch-checkpoint.js';

export const CONFIG = 'model_config.yaml';
const WEIGHTS = 'model_weights.ckpt';

/** An open archive. */
export interface NemoArchive {
  handle: FileHandle;
  entries: readonly TarEntry[];
  /** The configuration, as it is. */
  config: unknown;
  tensors: CheckpointTensor[];
}

/**
 * Opens an archive for as long as `read` takes.
 *
 * @returns what `read` returns, and how to remove what was unpacked, once the tensors have been read.
 * @throws {ModelError} `ERR_PARAKEET_INVALID_WEIGHTS` for a file that is not such an archive, or whose checkpoint holds more than tensors;
 * `ERR_PARAKEET_INVALID_CONFIG`. @throws {ParakeetError} `ERR_PARAKEET_MISSING_DEPENDENCY` without the packages `yaml` and `yauzl`.
 */
export async function readNemoArchive<T>(
  file: string,
  read: (archive: NemoArchive) => T | Promise<T>,
): Promise<{ result: T; dispose: () => Promise<void> }> {
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
    const config = parse(yaml, (await readAt(own, text.offset, text.size)).toString('utf8'), file);
    const { offset, size } = entry(WEIGHTS);
    const tensors = await readTorchCheckpoint({ handle: own, path: archive, offset, size }, yauzl).catch(
      (cause: Error) => {
        throw new Error(`its ${WEIGHTS} does not read: ${cause.message}`, { cause });
      },
    );
    return { result: await read({ handle: own, entries, config, tensors }), dispose };
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

function needed<T>(name: string): Promise<T> {
  return importPeer<T>(name, 'reads .nemo archives', 'Run `npm install yaml yauzl`.');
}
