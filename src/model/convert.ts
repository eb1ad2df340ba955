/**
 * Converts a model of any format to our folder format: `config.json` with NeMo's keys and one `model.safetensors`, its matrices in float32,
 * bfloat16, or bytes or four bits with a scale for each row. It works tensor by tensor, so that only one is in memory at a time.
 */
import {
  copyFile,
  type FileHandle,
  mkdir,
  open,
  readdir,
  rename,
  rm,
  stat,
  writeFile,
} from 'node:fs/promises';
import path from 'node:path';
import { throwIfAborted } from '../abort.js';
import type { NativeTensor } from '../engine/addon.js';
import { checkDevice, decideDevice } from '../engine/device.js';
import { loadAddon } from '../engine/load-addon.js';
import { ModelError, WriteError } from '../errors.js';
import { expected, flag, known, oneOf, optionalSignal } from '../options.js';
import { readConfig } from './config.js';
import { openModel } from './open-model.js';
import { LAYER_MATRIX, PACKED_ALIGNMENT, PACKED_VERSION, type PackedMatrix, packedMatrix } from './packed.js';
import { readAt } from './read-at.js';
import {
  FOUR_BITS_VERSION,
  floatsOf,
  GROUP_VALUES,
  inHeader,
  isQuantized,
  type StoredTensor,
  stored,
  type TargetType,
} from './stored-types.js';

/** Options of {@link convertModel}. */
export interface ConvertModelOptions {
  /**
   * Type of the matrices. `'int8'`: the encoder's layers and the CTC head in bytes (a quarter of float32), the other matrices in bfloat16.
   * `'int4'`: of those of the encoder the feed-forward layers and the attention in four bits (an eighth and a little), the rest as `'int8'`.
   * `'bfloat16'`: all but the subsampling's, which stay float32. `'float32'`: all of them. Vectors and the small convolutions always stay
   * float32.
   * @defaultValue the types of the source
   */
  dtype?: 'float32' | 'bfloat16' | 'int8' | 'int4' | undefined;
  /**
   * Lays out the matrices of the encoder as this machine's CPU multiplies them: the model then loads in a fraction of the time, and all
   * processes of the machine share the memory of its weights. CPUs with other instructions read it all the same, as slowly as any other
   * folder. For `float32`, `bfloat16` and `int8`.
   * @defaultValue false
   */
  packed?: boolean | undefined;
  /**
   * Branch, tag or commit of a repository on the hub.
   * @defaultValue `'main'`
   */
  revision?: string | undefined;
  /**
   * The folder for repositories of the hub.
   * @defaultValue Hugging Face's own cache
   */
  cacheDir?: string | undefined;
  /** Cancels the conversion; nothing is left in the folder. */
  signal?: AbortSignal | undefined;
  /** Called after each tensor. */
  onProgress?: ((progress: { file: string; loaded: number; total: number }) => void) | undefined;
}

const CTC_MATRIX = /(?:^|\.)decoder_layers\.0\.weight$/;
/** Of those the ones that bear four bits. */
const FOUR_BIT_MATRIX = /\.(?:feed_forward\d\.linear\d|self_attn\.linear_\w+)\.weight$/;
/** Matrices that it multiplies at least in bfloat16. */
const OTHER_MATRIX =
  /^joint\..*\.weight$|^prompt_kernel\.\d\.weight$|^decoder\.prediction\..*\.(?:weight|Wx|Wh)$/;
/** Matrices that it multiplies in the next wider type. */
const SUBSAMPLING_MATRIX = /^encoder\.pre_encode\.(?:out|conv\.(?!0\.)\d+)\.weight$/;

/** The weights until they are complete. */
const PART = 'model.safetensors.part';

/** Parts of NeMo's configuration that only training uses. */
const TRAINING = /^(?:train|validation|test)_ds$|^optim$|^trainer$|^exp_manager$/;

/**
 * Writes the model `name` (as {@link loadModel} takes it) to `folder`, which must be empty or not exist. `loadModel(folder)` then loads it,
 * in int8 or int4 if it was converted to that.
 *
 * @returns the size of the weights in bytes.
 * @throws {@link ModelError}, {@link HubError}, {@link WriteError} as `loadModel` does. @throws {@link ArgumentError} for invalid options,
 * or when the folder is not empty. @throws {@link AbortedError} when `signal` is aborted. All as rejections.
 *
 * @example
 * ```js no-run
 * import { convertModel } from 'parakeet-stream';
 *
 * const { bytes } = await convertModel('parakeet-tdt-0.6b-v2.nemo', 'parakeet-v2-int8', { dtype: 'int8' });
 * console.log(`${Math.round(bytes / 1e6)} MB`);
 * ```
 */
export async function convertModel(
  name: string,
  folder: string,
  options: ConvertModelOptions = {},
): Promise<{ bytes: number }> {
  known('convertModel', options, ['dtype', 'packed', 'revision', 'cacheDir', 'signal', 'onProgress']);
  const dtype =
    options.dtype === undefined
      ? undefined
      : oneOf('dtype', options.dtype, ['float32', 'bfloat16', 'int8', 'int4'] as const);
  const packed = flag('packed', options.packed ?? false);
  const signal = optionalSignal('signal', options.signal);
  // What a killed conversion left is overwritten.
  const there = (await readdir(folder).catch(() => [])).filter((name) => name !== PART);
  if (there.length > 0) throw expected('an empty folder', 'folder', folder);
  const files = await openModel(name, options);
  const part = path.join(folder, PART);
  try {
    readConfig(files.config, files.configFile);
    const tensors = planned(files.tensors, dtype);
    if (packed) planPacking(tensors, dtype);
    await mkdir(folder, { recursive: true });
    const bytes = await write(part, tensors, signal, options.onProgress);
    const config = Object.entries(files.config as object).filter(([key]) => !TRAINING.test(key));
    await writeFile(
      path.join(folder, 'config.json'),
      `${JSON.stringify(Object.fromEntries(config), null, 1)}\n`,
    );
    for (const beside of [files.prior, files.calibrations]) {
      if (beside !== undefined && (await stat(beside).catch(() => undefined)))
        await copyFile(beside, path.join(folder, path.basename(beside)));
    }
    if (files.languageModel !== undefined)
      await copyFile(files.languageModel, path.join(folder, path.basename(files.languageModel)));
    await rename(part, path.join(folder, 'model.safetensors'));
    return { bytes };
  } catch (error) {
    // What could not be read is an error of the model already.
    if (!(error instanceof Error && 'syscall' in error)) throw error;
    const message = `Could not write the model to ${folder}: ${error.message}. Its weights are not there; free some space, or give another folder.`;
    throw new WriteError('ERR_PARAKEET_WRITE', message, { cause: error });
  } finally {
    // What led here says more than that there is nothing to remove.
    await rm(part, { force: true }).catch(() => {});
    await files.dispose();
  }
}

interface Planned {
  name: string;
  shape: number[];
  sources: NativeTensor[];
  target: TargetType;
  packed?: PackedMatrix;
}

/** A tensor of the file that is written: one of those that a planned one becomes. */
type Piece = Omit<StoredTensor, 'encode'> & { packed?: PackedMatrix };

/** What is written: one entry per name. */
function planned(tensors: readonly NativeTensor[], dtype: ConvertModelOptions['dtype']): Planned[] {
  const before = tensors.find(({ checksum }) => checksum !== undefined);
  if (before) {
    throw new ModelError(
      'ERR_PARAKEET_UNSUPPORTED_MODEL',
      `Expected weights that are not packed but found some in ${before.path}. Convert the original.`,
    );
  }
  const scales = new Set(tensors.filter(isQuantized).map((one) => `${one.name}_scale`));
  const found = tensors.some((one) => one.dtype === 'I4') ? 'int4' : 'int8';
  if (scales.size > 0 && dtype !== undefined && dtype !== found) {
    throw new ModelError(
      'ERR_PARAKEET_UNSUPPORTED_MODEL',
      `Expected weights that are not quantised, to write them as ${dtype}, but found ${found}. Convert the original.`,
    );
  }
  const byName = new Map<string, Planned>();
  for (const tensor of tensors) {
    const own = byName.get(tensor.name);
    if (own) own.sources.push(tensor);
    else {
      const { name, shape } = tensor;
      byName.set(name, { name, shape, sources: [tensor], target: targetOf(tensor, dtype) });
    }
  }
  for (const one of byName.values()) if (scales.has(one.name)) one.target = 'F32';
  return [...byName.values()];
}

function planPacking(tensors: readonly Planned[], dtype: ConvertModelOptions['dtype']): void {
  if (dtype === 'int4' || tensors.some(({ target }) => target === 'I4'))
    throw expected("'float32', 'bfloat16' or 'int8' with packed", 'dtype', 'int4');
  const addon = loadAddon();
  decideDevice(addon, checkDevice('device', undefined));
  for (const tensor of tensors) {
    const matrix = packedMatrix(addon, tensor.name, tensor.shape, tensor.target);
    if (matrix) tensor.packed = matrix;
  }
  if (tensors.some(({ packed }) => packed)) return;
  throw new ModelError(
    'ERR_PARAKEET_UNSUPPORTED_MODEL',
    'Expected matrices in float32, bfloat16 or bytes, and a CPU to pack them for, but found none: with a GPU there is nothing to pack. Set a dtype, or PARAKEET_DEVICE=cpu.',
  );
}

function targetOf(
  { name, dtype: found, shape }: NativeTensor,
  dtype: ConvertModelOptions['dtype'],
): TargetType {
  if (dtype === undefined || isQuantized({ dtype: found })) return found;
  // The engine multiplies these in the model's type.
  const own = LAYER_MATRIX.test(name) || CTC_MATRIX.test(name);
  if (dtype === 'int4' && FOUR_BIT_MATRIX.test(name) && (shape.at(-1) as number) % GROUP_VALUES === 0)
    return 'I4';
  if ((dtype === 'int8' || dtype === 'int4') && own) return 'I8';
  if (dtype === 'float32' || (dtype === 'bfloat16' && SUBSAMPLING_MATRIX.test(name))) return 'F32';
  const other = OTHER_MATRIX.test(name) || SUBSAMPLING_MATRIX.test(name);
  return own || (other && shape.at(-1) !== 1) ? 'BF16' : 'F32';
}

async function write(
  file: string,
  tensors: readonly Planned[],
  signal: AbortSignal | undefined,
  onProgress: ConvertModelOptions['onProgress'],
): Promise<number> {
  const places = placesOf(tensors.flatMap(piecesOf));
  const total = places.reduce((sum, { piece }) => sum + piece.bytes, 0);
  const checksums = new Map<string, number>();
  const header = () => headerOf(places, checksums);
  const start = header().length;
  const offsets = new Map(places.map(({ piece, offset }) => [piece.name, start + offset]));
  const handles = new Map<string, FileHandle>();
  const out = await open(file, 'w');
  try {
    let loaded = 0;
    for (const tensor of tensors) {
      throwIfAborted(signal);
      const contents = await contentsOf(tensor, handles);
      for (const [i, piece] of piecesOf(tensor).entries()) {
        const content = packed(piece, contents[i] as Uint8Array, checksums);
        await writeAt(out, content, offsets.get(piece.name) as number);
        loaded += content.length;
      }
      onProgress?.({ file: 'model.safetensors', loaded, total });
    }
    // Only now are the checksums known.
    await writeAt(out, header(), 0);
    await out.sync();
  } finally {
    await out.close();
    for (const handle of handles.values()) await handle.close();
  }
  return start + total;
}

/** All of it: the system may take less at a time. */
async function writeAt(out: FileHandle, bytes: Uint8Array, position: number): Promise<void> {
  for (let at = 0; at < bytes.length; )
    at += (await out.write(bytes, at, bytes.length - at, position + at)).bytesWritten;
}

interface Place {
  piece: Piece;
  /** From the end of the header. */
  offset: number;
}

/** One after the other, the packed ones first and then the widest types, so that all are aligned. */
function placesOf(pieces: readonly Piece[]): Place[] {
  const order: TargetType[] = ['F32', 'F16', 'BF16', 'I8', 'I4'];
  const rank = (piece: Piece) => (piece.packed ? -1 : order.indexOf(piece.dtype));
  let offset = 0;
  return [...pieces]
    .sort((a, b) => rank(a) - rank(b))
    .map((piece) => {
      const place = { piece, offset };
      offset += piece.bytes;
      return place;
    });
}

/** As long whatever the checksums are. */
function headerOf(places: readonly Place[], checksums: ReadonlyMap<string, number>): Buffer {
  const hex = (name: string) => (checksums.get(name) ?? 0).toString(16).padStart(8, '0');
  const packed = places.filter(({ piece }) => piece.packed).map(({ piece: { name } }) => [name, hex(name)]);
  const metadata = {
    format: 'parakeet-stream',
    ...(places.some(({ piece }) => piece.dtype === 'I4') && { four_bits: FOUR_BITS_VERSION }),
    ...(packed.length > 0 && {
      packed: PACKED_VERSION,
      checksums: JSON.stringify(Object.fromEntries(packed)),
    }),
  };
  const entries = places.map(({ piece, offset }) => [
    piece.name,
    { ...inHeader(piece), data_offsets: [offset, offset + piece.bytes] },
  ]);
  const text = Buffer.from(JSON.stringify({ __metadata__: metadata, ...Object.fromEntries(entries) }));
  const padded = Buffer.alloc(Math.ceil((8 + text.length) / PACKED_ALIGNMENT) * PACKED_ALIGNMENT, ' ');
  padded.writeBigUInt64LE(BigInt(padded.length - 8));
  text.copy(padded, 8);
  return padded;
}

/** An unchanged tensor is one piece, the scales of bytes are another one. */
function isCopy({ sources, target }: Planned): boolean {
  return sources.length === 1 && sources[0]?.dtype === target;
}

function piecesOf(tensor: Planned): Piece[] {
  const { name, shape, target, sources, packed } = tensor;
  const pieces: Piece[] = isCopy(tensor)
    ? sources.map(({ bytes }) => ({ name, dtype: target, shape, bytes }))
    : stored(name, shape, target);
  if (!packed) return pieces;
  const count = (dimensions: readonly number[]) => dimensions.reduce((product, n) => product * n, 1);
  return pieces.map((piece) => {
    if (piece.name !== name) return piece;
    const { dtype, bytes } = piece;
    return { name, dtype, shape: packed.shape, bytes: (bytes / count(shape)) * count(packed.shape), packed };
  });
}

/** What a piece is in the file. */
function packed(piece: Piece, content: Uint8Array, checksums: Map<string, number>): Uint8Array {
  if (!piece.packed) return content;
  const { dtype, rows, columns, gated } = piece.packed;
  const { bytes, checksum } = loadAddon().packWeights(dtype, content, rows, columns, gated);
  checksums.set(piece.name, checksum);
  return bytes;
}

async function contentsOf(tensor: Planned, handles: Map<string, FileHandle>): Promise<Uint8Array[]> {
  const read = async (source: NativeTensor): Promise<Buffer> => {
    let handle = handles.get(source.path);
    if (!handle) {
      handle = await open(source.path, 'r');
      handles.set(source.path, handle);
    }
    return readAt(handle, source.offset, source.bytes).catch((cause: Error) => {
      throw new ModelError(
        'ERR_PARAKEET_INVALID_WEIGHTS',
        `Expected tensor '${source.name}' in ${source.path} but could not read it: ${cause.message}`,
        { cause },
      );
    });
  };
  const { sources, target, shape, name } = tensor;
  const [first, ...more] = sources as [NativeTensor, ...NativeTensor[]];
  if (isCopy(tensor)) return [await read(first)];
  const values = floatsOf(await read(first), first.dtype);
  for (const source of more)
    floatsOf(await read(source), source.dtype).forEach((x, i) => {
      values[i] = Math.fround((values[i] as number) + x);
    });
  return stored(name, shape, target).map((piece: StoredTensor) => piece.encode(values));
}
