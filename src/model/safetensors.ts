/**
 * The header of a safetensors file: where each tensor is. The tensors themselves are mapped and read natively. Format: 8 bytes of header
 * length (little endian), a JSON object, the data.
 */
import { open } from 'node:fs/promises';
import { inspect } from 'node:util';
import type { NativeTensor } from '../engine/addon.js';
import { ModelError } from '../errors.js';
import { PACKED_VERSION } from './packed.js';
import { FOUR_BITS_VERSION, GROUP_BYTES, GROUP_VALUES } from './stored-types.js';

/** Longest header that the reference library of the format accepts. */
const MAX_HEADER_BYTES = 100_000_000;
const BYTES = { F32: 4, F16: 2, BF16: 2, I8: 1, U8: 1 } as const;
/** Counters that training leaves behind, in types that no layer has; they are not read. */
const COUNTER = /\.num_batches_tracked$/;

/**
 * The tensors of `file`.
 *
 * @throws {@link ModelError} `ERR_PARAKEET_INVALID_WEIGHTS` for a file that is not a safetensors file, is cut short, or has tensors of a
 * type that the engine does not read; the message names the tensor, what was expected and what was found.
 */
export async function readTensorIndex(file: string): Promise<NativeTensor[]> {
  const handle = await open(file, 'r').catch((cause: Error) => {
    throw new ModelError(
      'ERR_PARAKEET_MODEL_NOT_FOUND',
      `Expected to read ${file} but the system refused: ${cause.message}`,
      { cause },
    );
  });
  try {
    const { size } = await handle.stat();
    const prefix = Buffer.alloc(8);
    const { bytesRead } = await handle.read(prefix, 0, 8, 0);
    if (bytesRead < 8)
      throw invalid(`Expected at least 8 bytes in ${file} but found ${size}: it is cut short`);
    const length = prefix.readBigUInt64LE(0);
    if (length > BigInt(MAX_HEADER_BYTES)) {
      throw invalid(
        `Expected a header of at most ${MAX_HEADER_BYTES} bytes in ${file} but found a length of ${length}: ` +
          'it is no safetensors file. A Git LFS pointer or a web page, perhaps; fetch it again.',
      );
    }
    const headerEnd = 8 + Number(length);
    if (headerEnd > size) {
      throw invalid(
        `Expected a header of ${length} bytes in ${file} but the file has ${size} in all: it is cut short`,
      );
    }
    const header = Buffer.alloc(Number(length));
    await handle.read(header, 0, header.length, 8);
    const tensors = parseHeader(header, file, headerEnd, size);
    if (tensors.length === 0)
      throw invalid(`Expected tensors in ${file} but it has none, so all are missing`);
    mustNotOverlap(tensors, file);
    return tensors;
  } finally {
    await handle.close();
  }
}

function parseHeader(header: Buffer, file: string, dataStart: number, size: number): NativeTensor[] {
  let json: unknown;
  try {
    json = JSON.parse(header.toString('utf8'));
  } catch (cause) {
    throw invalid(`Expected a JSON header in ${file} but it does not parse: ${(cause as Error).message}`);
  }
  if (typeof json !== 'object' || json === null || Array.isArray(json)) {
    throw invalid(`Expected a JSON object as the header of ${file} but found ${show(json)}`);
  }
  const { __metadata__: metadata } = json as {
    __metadata__?: { four_bits?: unknown; packed?: unknown; checksums?: unknown } | null;
  };
  const version = metadata?.four_bits;
  const checksums = checksumsOf(metadata ?? {}, file);
  return Object.entries(json)
    .filter(([name]) => name !== '__metadata__' && !COUNTER.test(name))
    .map(([name, entry]) => {
      const tensor = parseTensor(name, entry, file, dataStart, size);
      if (tensor.dtype === 'I4' && version !== FOUR_BITS_VERSION) {
        throw invalid(
          `Expected version ${FOUR_BITS_VERSION} of weights in four bits for tensor '${name}' in ${file} but found ${show(version)}: a newer version of parakeet-stream wrote it, or another program`,
        );
      }
      const checksum = checksums.get(name);
      return checksum === undefined ? tensor : { ...tensor, checksum };
    });
}

/** The checksums of packed matrices. */
function checksumsOf(
  { packed, checksums }: { packed?: unknown; checksums?: unknown },
  file: string,
): Map<string, number> {
  if (packed === undefined) return new Map();
  if (packed !== PACKED_VERSION) {
    throw invalid(
      `Expected version ${PACKED_VERSION} of packed weights in ${file} but found ${show(packed)}: a newer version of parakeet-stream wrote it, or another program`,
    );
  }
  try {
    return new Map(
      Object.entries(JSON.parse(String(checksums)) as object).map(([name, checksum]) => {
        if (!/^[0-9a-f]{8}$/.test(checksum)) throw new TypeError(`'${name}' has none`);
        return [name, Number.parseInt(checksum, 16)];
      }),
    );
  } catch (cause) {
    throw invalid(
      `Expected the checksums of packed weights in ${file} but they do not parse: ${(cause as Error).message}`,
    );
  }
}

function parseTensor(
  name: string,
  entry: unknown,
  file: string,
  dataStart: number,
  size: number,
): NativeTensor {
  const where = `tensor '${name}' in ${file}`;
  if (typeof entry !== 'object' || entry === null) {
    throw invalid(`Expected an object for ${where} but found ${show(entry)}`);
  }
  const { dtype, shape, data_offsets: offsets } = entry as Record<string, unknown>;
  if (!isCounts(shape)) {
    throw invalid(`Expected a shape of whole numbers for ${where} but found ${show(shape)}`);
  }
  if (!isCounts(offsets) || offsets.length !== 2) {
    throw invalid(`Expected two data_offsets for ${where} but found ${show(offsets)}`);
  }
  if (typeof dtype !== 'string' || !isType(dtype)) {
    throw invalid(`Expected F32, F16, BF16, I8 or U8 for ${where} but found ${show(dtype)}`);
  }
  const [begin, end] = offsets as [number, number];
  const expected = shape.reduce((product, n) => product * n, BYTES[dtype]);
  if (end - begin !== expected) {
    throw invalid(
      `Expected ${expected} bytes for ${where} of shape [${shape.join(', ')}] but found ${end - begin}`,
    );
  }
  if (dataStart + end > size) {
    throw invalid(
      `Expected ${where} to end at byte ${dataStart + end} but the file has ${size}: it is cut short. Fetch it again.`,
    );
  }
  const place = { name, path: file, offset: dataStart + begin, bytes: end - begin };
  if (dtype !== 'U8') return { ...place, dtype, shape };
  const [rows, width] = shape;
  if (shape.length !== 2 || rows === undefined || width === undefined || width % GROUP_BYTES > 0) {
    throw invalid(
      `Expected rows of groups of ${GROUP_BYTES} bytes for ${where}, as U8 are weights in four bits here, but found the shape [${shape.join(', ')}]`,
    );
  }
  return { ...place, dtype: 'I4', shape: [rows, (width / GROUP_BYTES) * GROUP_VALUES] };
}

function isType(dtype: string): dtype is keyof typeof BYTES {
  return Object.hasOwn(BYTES, dtype);
}

/** The format forbids it, and a file that has it was written incorrectly. */
function mustNotOverlap(tensors: readonly NativeTensor[], file: string): void {
  const sorted = tensors.filter(({ bytes }) => bytes > 0).sort((a, b) => a.offset - b.offset);
  sorted.forEach((tensor, i) => {
    const before = sorted[i - 1];
    if (before === undefined || tensor.offset >= before.offset + before.bytes) return;
    throw invalid(
      `Expected tensor '${tensor.name}' in ${file} to begin at byte ${before.offset + before.bytes} or later, ` +
        `where '${before.name}' ends, but found it at ${tensor.offset}`,
    );
  });
}

function show(value: unknown): string {
  return value === undefined
    ? 'none'
    : inspect(value, { depth: 1, maxArrayLength: 8, breakLength: Number.POSITIVE_INFINITY });
}

function isCounts(value: unknown): value is number[] {
  return Array.isArray(value) && value.every((n) => Number.isSafeInteger(n) && n >= 0);
}

function invalid(message: string): ModelError {
  return new ModelError('ERR_PARAKEET_INVALID_WEIGHTS', message);
}
