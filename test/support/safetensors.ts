// Reads a safetensors file into plain float arrays, for tests that need the golden models and their reference outputs.
// It is not the product's loader: that one is native and checks what it reads.
import { readFileSync } from 'node:fs';

export interface Tensor {
  shape: number[];
  data: Float32Array;
}

interface HeaderEntry {
  dtype: string;
  shape: number[];
  data_offsets: [number, number];
}

/** Every tensor of the file, by name, as float32. F32 and BF16 are understood. */
export function readSafetensors(path: string): Map<string, Tensor> {
  const file = readFileSync(path);
  const headerLength = Number(file.readBigUInt64LE(0));
  const header = JSON.parse(file.subarray(8, 8 + headerLength).toString('utf8')) as Record<
    string,
    HeaderEntry
  >;
  const tensors = new Map<string, Tensor>();
  for (const [name, entry] of Object.entries(header)) {
    if (name === '__metadata__') continue;
    const [begin, end] = entry.data_offsets;
    // A copy, since the offset in the file need not be a multiple of four.
    const bytes = new Uint8Array(file.subarray(8 + headerLength + begin, 8 + headerLength + end));
    tensors.set(name, { shape: entry.shape, data: floats(bytes.buffer, entry.dtype, name) });
  }
  return tensors;
}

/** bfloat16 is the upper half of float32. */
function floats(bytes: ArrayBuffer, dtype: string, name: string): Float32Array {
  if (dtype === 'F32') return new Float32Array(bytes);
  if (dtype !== 'BF16') throw new Error(`Tensor ${name} is ${dtype}, expected F32 or BF16`);
  return new Float32Array(Uint32Array.from(new Uint16Array(bytes), (half) => half << 16).buffer);
}
