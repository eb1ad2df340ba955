/** How numbers are stored in a file of weights: float32, float16, bfloat16, and rows of bytes or of four bits with a scale each. Bits, no files. */
import type { NativeAddon } from '../engine/addon.js';
import { loadAddon } from '../engine/load-addon.js';

/** A type of a tensor in a file. */
export type TargetType = 'F32' | 'F16' | 'BF16' | 'I8' | 'I4';

/** Values of a group in four bits, and the bytes that it takes (native/ops/four_bits.h). */
export const GROUP_VALUES = 16;
export const GROUP_BYTES = 9;

/** Whether a tensor's rows have scales, in another one. */
export function isQuantized({ dtype }: { dtype: TargetType }): boolean {
  return dtype === 'I8' || dtype === 'I4';
}

/** A tensor in its stored form: the values, or the scales that belong to them. */
export interface StoredTensor {
  name: string;
  dtype: TargetType;
  shape: number[];
  bytes: number;
  encode(values: Float32Array): Uint8Array;
}

/** A row's largest value in units of its scale. */
const MOST = 127;

/**
 * What is written for a tensor of this shape: one tensor, or two for bytes. Value = byte · scale of its row (the first dimension), scale =
 * the row's largest absolute value / 127 (1 for a row of zeros); the same as the engine's own int8 (native/ops/cpu/quantize.cpp). Four bits
 * are made by the engine (native/ops/four_bits.h).
 */
export function stored(name: string, shape: number[], dtype: TargetType): StoredTensor[] {
  const count = shape.reduce((product, n) => product * n, 1);
  switch (dtype) {
    case 'F32':
      return [{ name, dtype, shape, bytes: 4 * count, encode: bytesOf }];
    case 'F16':
      return [{ name, dtype, shape, bytes: 2 * count, encode: () => notWritten() }];
    case 'BF16':
      return [{ name, dtype, shape, bytes: 2 * count, encode: (values) => bytesOf(toBfloat16(values)) }];
    case 'I8': {
      const rows = shape[0] ?? 1;
      return [
        scaleTensor(name, rows, (values) => bytesOf(scalesOf(values, rows))),
        { name, dtype, shape, bytes: count, encode: (values) => bytesOf(toBytes(values, rows)) },
      ];
    }
    case 'I4': {
      const rows = shape[0] ?? 1;
      // Both tensors come of one search, which takes seconds for a large model.
      let made: FourBits | undefined;
      const quantized = (values: Float32Array) => {
        made ??= loadAddon().quantizeFourBits(values, count / rows);
        return made;
      };
      return [
        scaleTensor(name, rows, (values) => bytesOf(quantized(values).scale)),
        {
          name,
          dtype,
          shape,
          bytes: (count / GROUP_VALUES) * GROUP_BYTES,
          encode: (values) => quantized(values).groups,
        },
      ];
    }
  }
}

type FourBits = ReturnType<NativeAddon['quantizeFourBits']>;

function scaleTensor(name: string, rows: number, encode: StoredTensor['encode']): StoredTensor {
  return { name: `${name}_scale`, dtype: 'F32', shape: [rows], bytes: 4 * rows, encode };
}

/** What the metadata of a file with four bits say under `four_bits`; another number will be another layout. */
export const FOUR_BITS_VERSION = '1';

/** What a file's header says of a tensor: the format knows no four bits, which are written as the bytes that they lie in. */
export function inHeader({ dtype, shape }: Pick<StoredTensor, 'dtype' | 'shape'>): {
  dtype: string;
  shape: number[];
} {
  if (dtype !== 'I4') return { dtype, shape };
  const [rows, columns] = shape as [number, number];
  return { dtype: 'U8', shape: [rows, (columns / GROUP_VALUES) * GROUP_BYTES] };
}

/** float16 is copied if the source has it, and never produced. */
function notWritten(): never {
  throw new TypeError('Nothing is converted to float16');
}

/** The values of a float tensor's bytes. */
export function floatsOf(bytes: Buffer, dtype: TargetType): Float32Array {
  const copy = bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.length) as ArrayBuffer;
  switch (dtype) {
    case 'F32':
      return new Float32Array(copy);
    case 'BF16': {
      const wide = new Uint32Array(bytes.length / 2);
      new Uint16Array(copy).forEach((half, i) => {
        wide[i] = half << 16;
      });
      return new Float32Array(wide.buffer);
    }
    case 'F16':
      return Float32Array.from(new Uint16Array(copy), fromHalf);
    case 'I8':
    case 'I4':
      throw new TypeError('Bytes need their scales');
  }
}

function fromHalf(half: number): number {
  const sign = half & 0x8000 ? -1 : 1;
  const exponent = (half >> 10) & 0x1f;
  const fraction = half & 0x3ff;
  if (exponent === 0) return sign * fraction * 2 ** -24;
  if (exponent === 31) return fraction ? Number.NaN : sign * Number.POSITIVE_INFINITY;
  return sign * (1 + fraction / 1024) * 2 ** (exponent - 15);
}

/** Rounded to nearest, ties to even. */
function toBfloat16(values: Float32Array): Uint16Array {
  const bits = new Uint32Array(values.buffer, values.byteOffset, values.length);
  const narrow = new Uint16Array(values.length);
  for (let i = 0; i < bits.length; i++) {
    const wide = bits[i] as number;
    narrow[i] = (wide + 0x7fff + ((wide >>> 16) & 1)) >>> 16;
  }
  return narrow;
}

function scalesOf(values: Float32Array, rows: number): Float32Array {
  const columns = values.length / rows;
  const scales = new Float32Array(rows);
  for (let row = 0; row < rows; row++) {
    let peak = 0;
    for (let i = row * columns; i < (row + 1) * columns; i++)
      peak = Math.max(peak, Math.abs(values[i] as number));
    scales[row] = peak > 0 ? peak / MOST : 1;
  }
  return scales;
}

function toBytes(values: Float32Array, rows: number): Int8Array {
  const columns = values.length / rows;
  const bytes = new Int8Array(values.length);
  let i = 0;
  for (const scale of scalesOf(values, rows)) {
    for (const end = i + columns; i < end; i++) {
      const scaled = Math.fround((values[i] as number) / scale);
      // Halves away from zero, like C's lround.
      bytes[i] = scaled < 0 ? Math.ceil(scaled - 0.5) : Math.floor(scaled + 0.5);
    }
  }
  return bytes;
}

function bytesOf(array: Float32Array | Uint16Array | Int8Array): Uint8Array {
  return new Uint8Array(array.buffer, array.byteOffset, array.byteLength);
}
