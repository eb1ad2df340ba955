/**
 * The tensors of a checkpoint of `torch.save`: an uncompressed zip archive with a pickle that describes the tensors and a file for each
 * storage. Finds the position of each tensor; reads nothing but the description.
 */
import { createReadStream } from 'node:fs';
import type { FileHandle } from 'node:fs/promises';
import type * as Yauzl from 'yauzl';
import type { NativeTensor } from '../../engine/addon.js';
import { readAt } from '../read-at.js';
import { unpickle } from './unpickle.js';

type YauzlModule = typeof Yauzl;

/** A description of several thousand tensors takes less than a megabyte. */
const MOST_DESCRIPTION = 64 << 20;

/** A tensor of a checkpoint: integers too, which no layer of a speech model reads. */
export type CheckpointTensor = Omit<NativeTensor, 'dtype'> & { dtype: NativeTensor['dtype'] | 'I32' | 'I64' };

const STORAGES: Readonly<Record<string, { dtype: CheckpointTensor['dtype'] | 'other'; bytes: number }>> = {
  'torch.FloatStorage': { dtype: 'F32', bytes: 4 },
  'torch.HalfStorage': { dtype: 'F16', bytes: 2 },
  'torch.BFloat16Storage': { dtype: 'BF16', bytes: 2 },
  'torch.LongStorage': { dtype: 'I64', bytes: 8 },
  'torch.IntStorage': { dtype: 'I32', bytes: 4 },
  // Masks, which nobody reads.
  'torch.DoubleStorage': { dtype: 'other', bytes: 8 },
  'torch.BoolStorage': { dtype: 'other', bytes: 1 },
  'torch.ByteStorage': { dtype: 'other', bytes: 1 },
};

interface Storage {
  kind: string;
  key: string;
  count: number;
}

interface TensorView {
  storage: Storage;
  first: number;
  shape: number[];
  stride: number[];
}

/** A part of a file that is a zip archive. */
export interface ZipPlace {
  handle: FileHandle;
  path: string;
  offset: number;
  size: number;
}

/** The tensors of a checkpoint. Throws an `Error` that says what is wrong. */
export async function readTorchCheckpoint(place: ZipPlace, yauzl: YauzlModule): Promise<CheckpointTensor[]> {
  const files = await readZipIndex(place, yauzl);
  const description = [...files.keys()].find((name) => name.endsWith('/data.pkl'));
  const own = description === undefined ? undefined : files.get(description);
  if (description === undefined || own === undefined) throw new Error('it has no data.pkl');
  const root = description.slice(0, -'data.pkl'.length);
  const order = files.get(`${root}byteorder`);
  if (order && (await readAt(place.handle, order.offset, order.size)).toString('latin1') !== 'little')
    throw new Error('it was written on a big-endian machine');
  if (own.size > MOST_DESCRIPTION) throw new Error(`a description of ${own.size} bytes`);
  const described = readDescription(await readAt(place.handle, own.offset, own.size));
  const tensors: CheckpointTensor[] = [];
  for (const [name, view] of described) {
    const kind = STORAGES[view.storage.kind];
    if (kind === undefined || kind.dtype === 'other') continue;
    const file = files.get(`${root}data/${view.storage.key}`);
    if (!file) throw new Error(`tensor '${name}' lies in a file that is not there (${view.storage.key})`);
    const count = view.shape.reduce((product, n) => product * n, 1);
    mustBeContiguous(name, view);
    const begin = view.first * kind.bytes;
    const bytes = count * kind.bytes;
    if (begin < 0 || begin + bytes > file.size) throw new Error(`tensor '${name}' ends outside its storage`);
    tensors.push({
      name,
      path: place.path,
      dtype: kind.dtype,
      shape: view.shape,
      offset: file.offset + begin,
      bytes,
    });
  }
  return tensors;
}

function mustBeContiguous(name: string, { shape, stride }: TensorView): void {
  let expected = 1;
  for (let i = shape.length - 1; i >= 0; i--) {
    const size = shape[i] as number;
    if (size > 1 && stride[i] !== expected) throw new Error(`tensor '${name}' is not contiguous`);
    expected *= size;
  }
}

/** The named tensors: of the dictionary itself, or of its `state_dict`. */
function readDescription(bytes: Buffer): Map<string, TensorView> {
  const root = unpickle(bytes, { global: allowed, call, persistent });
  const dictionary = root instanceof Map ? (root.get('state_dict') ?? root) : root;
  if (!(dictionary instanceof Map)) throw new Error('it holds no dictionary of tensors');
  const tensors = new Map<string, TensorView>();
  for (const [name, value] of dictionary as Map<unknown, unknown>) {
    if (typeof name === 'string' && isTensor(value)) tensors.set(name, value);
  }
  return tensors;
}

const FUNCTIONS = new Set([
  'collections.OrderedDict',
  'torch._utils._rebuild_tensor_v2',
  'torch._utils._rebuild_parameter',
]);

function allowed(name: string): string {
  if (FUNCTIONS.has(name) || name in STORAGES) return name;
  throw new Error(`it names ${name}, which is not a part of weights: refused`);
}

function call(callee: unknown, args: readonly unknown[]): unknown {
  if (callee === 'collections.OrderedDict') return new Map();
  if (callee === 'torch._utils._rebuild_parameter' && isTensor(args[0])) return args[0];
  if (callee === 'torch._utils._rebuild_tensor_v2') {
    const [storage, first, shape, stride] = args;
    const view = { storage, first, shape, stride };
    if (isTensor(view)) return view;
  }
  throw new Error(`it calls ${String(callee)} in an unknown way: refused`);
}

function persistent(id: unknown): Storage {
  const [what, kind, key, , count] = Array.isArray(id) ? (id as unknown[]) : [];
  if (what !== 'storage' || typeof kind !== 'string' || typeof key !== 'string' || typeof count !== 'number')
    throw new Error('it refers to something that is no storage');
  return { kind, key, count };
}

function isTensor(value: unknown): value is TensorView {
  if (typeof value !== 'object' || value === null || !('storage' in value)) return false;
  const { storage, first, shape, stride } = value as Record<string, unknown>;
  const counts = (list: unknown) =>
    Array.isArray(list) && list.every((n) => Number.isSafeInteger(n) && (n as number) >= 0);
  return (
    typeof storage === 'object' &&
    storage !== null &&
    Number.isSafeInteger(first) &&
    counts(shape) &&
    counts(stride)
  );
}

/** Where the archive's files are in the file around it. */
async function readZipIndex(
  { handle, path, offset, size }: ZipPlace,
  yauzl: YauzlModule,
): Promise<Map<string, { offset: number; size: number }>> {
  class Part extends yauzl.RandomAccessReader {
    override _readStreamForRange(start: number, end: number) {
      return createReadStream(path, { start: offset + start, end: offset + end - 1 });
    }
    // yauzl reads small pieces through this; a stream for each would open the file hundreds of times.
    override read(
      buffer: Buffer,
      at: number,
      length: number,
      position: number,
      callback: (error: Error | null) => void,
    ): void {
      readAt(handle, offset + position, length).then(
        (bytes) => {
          bytes.copy(buffer, at);
          callback(null);
        },
        (error: Error) => callback(error),
      );
    }
  }
  const zip = await new Promise<Yauzl.ZipFile>((resolve, reject) => {
    yauzl.fromRandomAccessReader(
      new Part(),
      size,
      { autoClose: false, lazyEntries: true },
      (error, opened) => (opened ? resolve(opened) : reject(error ?? new Error('it is no zip archive'))),
    );
  });
  const files = new Map<string, { offset: number; size: number }>();
  await new Promise<void>((resolve, reject) => {
    zip.on('end', resolve);
    zip.on('error', reject);
    zip.on('entry', (entry: Yauzl.Entry) => {
      if (entry.compressionMethod !== 0) return reject(new Error(`its file ${entry.fileName} is compressed`));
      zip.readLocalFileHeader(entry, { minimal: true }, (error, header) => {
        if (error || !header) return reject(error ?? new Error(`its file ${entry.fileName} has no header`));
        files.set(entry.fileName, { offset: offset + header.fileDataStart, size: entry.uncompressedSize });
        zip.readEntry();
      });
    });
    zip.readEntry();
  });
  return files;
}
