// Copies of a golden model that a test may break, and the files of one as values that it may change.
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { type Architecture, goldenFolder } from './goldens.js';

// biome-ignore lint/suspicious/noExplicitAny: a test breaks JSON wherever it likes
export type Json = any;

export interface Weights {
  header: Record<string, Json>;
  data: Buffer;
}

/** A folder for this test file; remove it with `remove`. */
export class ModelFolders {
  readonly root = mkdtempSync(path.join(tmpdir(), 'parakeet-models-'));
  #count = 0;

  /** A new folder with these files; a file that is `null` is left out. */
  make(
    files: { config?: string | Buffer | null; weights?: Buffer | null },
    like: Architecture = 'tdt',
  ): string {
    const folder = path.join(this.root, String(this.#count++));
    mkdirSync(folder);
    const put = (name: string, content: string | Buffer | null | undefined) => {
      if (content !== null)
        writeFileSync(path.join(folder, name), content ?? readFileSync(path.join(goldenFolder(like), name)));
    };
    put('config.json', files.config);
    put('model.safetensors', files.weights);
    return folder;
  }

  remove(): void {
    rmSync(this.root, { recursive: true, force: true });
  }
}

export function readConfigOf(architecture: Architecture): Json {
  return JSON.parse(readFileSync(path.join(goldenFolder(architecture), 'config.json'), 'utf8'));
}

export function readWeightsOf(architecture: Architecture): Weights {
  const file = readFileSync(path.join(goldenFolder(architecture), 'model.safetensors'));
  const length = Number(file.readBigUInt64LE(0));
  return {
    header: JSON.parse(file.subarray(8, 8 + length).toString('utf8')),
    data: file.subarray(8 + length),
  };
}

/** A safetensors file of this header (an object or any text) and this data. */
export function weightsFile(header: unknown, data: Buffer): Buffer {
  const text = Buffer.from(typeof header === 'string' ? header : JSON.stringify(header));
  const length = Buffer.alloc(8);
  length.writeBigUInt64LE(BigInt(text.length));
  return Buffer.concat([length, text, data]);
}

/** The model's weights in half the bytes. */
export function halved({ header, data }: Weights, type: 'F16' | 'BF16'): Buffer {
  const out = Buffer.alloc(data.length / 2);
  const view = new DataView(data.buffer, data.byteOffset, data.length);
  for (let i = 0; i < data.length / 4; i++) {
    const value = view.getFloat32(4 * i, true);
    out.writeUInt16LE(type === 'BF16' ? toBfloat16(value) : toFloat16(value), 2 * i);
  }
  const half = Object.entries(header).map(([name, entry]) => [
    name,
    name === '__metadata__'
      ? entry
      : { ...entry, dtype: type, data_offsets: entry.data_offsets.map((at: number) => at / 2) },
  ]);
  return weightsFile(Object.fromEntries(half), out);
}

function bitsOf(value: number): number {
  return new Uint32Array(Float32Array.of(value).buffer)[0] as number;
}

function toBfloat16(value: number): number {
  const bits = bitsOf(value);
  return ((bits + 0x7fff + ((bits >>> 16) & 1)) >>> 16) & 0xffff;
}

/** Rounded to nearest; too small becomes subnormal or zero. */
function toFloat16(value: number): number {
  const sign = value < 0 || Object.is(value, -0) ? 0x8000 : 0;
  const size = Math.abs(value);
  if (size >= 65_520) return sign | 0x7c00;
  if (size < 2 ** -14) return sign | Math.round(size * 2 ** 24);
  const exponent = Math.floor(Math.log2(size));
  const fraction = Math.round((size / 2 ** exponent - 1) * 1024);
  return sign | ((exponent + 15) * 1024 + fraction);
}
