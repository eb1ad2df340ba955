/**
 * Interleaved samples to planar floats: raw PCM, and the body of a WAV file. Knows no container.
 */
import type { AudioChunk } from '../../events.js';
import { broken, type FormatDecoder, LONGEST, SHORTEST } from './format.js';

/** How one sample of raw PCM is written; names as in ffmpeg. */
export type PcmEncoding =
  | 'u8'
  | 's8'
  | 's16le'
  | 's16be'
  | 's24le'
  | 's24be'
  | 's32le'
  | 's32be'
  | 'f32le'
  | 'f32be'
  | 'f64le'
  | 'f64be'
  | 'alaw'
  | 'mulaw';

interface Reader {
  bytes: number;
  /** Samples can be NaN or infinite. */
  float?: true;
  read(view: DataView, offset: number): number;
}

const s24 = (view: DataView, low: number, middle: number, high: number) =>
  ((view.getInt8(high) << 16) | (view.getUint8(middle) << 8) | view.getUint8(low)) / 0x800000;

/** ITU-T G.711, table 1: 13 bits in 8, even bits inverted. */
const A_LAW = Float32Array.from({ length: 256 }, (_, code) => {
  const bits = code ^ 0x55;
  const exponent = (bits >> 4) & 7;
  const mantissa = ((bits & 15) << 4) + 8;
  const value = exponent === 0 ? mantissa : (mantissa + 0x100) << (exponent - 1);
  return (bits & 0x80 ? value : -value) / 0x8000;
});
/** ITU-T G.711, table 2: 14 bits in 8, all bits inverted. */
const MU_LAW = Float32Array.from({ length: 256 }, (_, code) => {
  const bits = ~code & 0xff;
  const value = ((((bits & 15) << 3) + 0x84) << ((bits >> 4) & 7)) - 0x84;
  return (bits & 0x80 ? -value : value) / 0x8000;
});

const readers: Record<PcmEncoding, Reader> = {
  u8: { bytes: 1, read: (view, at) => (view.getUint8(at) - 128) / 128 },
  s8: { bytes: 1, read: (view, at) => view.getInt8(at) / 128 },
  s16le: { bytes: 2, read: (view, at) => view.getInt16(at, true) / 0x8000 },
  s16be: { bytes: 2, read: (view, at) => view.getInt16(at, false) / 0x8000 },
  s24le: { bytes: 3, read: (view, at) => s24(view, at, at + 1, at + 2) },
  s24be: { bytes: 3, read: (view, at) => s24(view, at + 2, at + 1, at) },
  s32le: { bytes: 4, read: (view, at) => view.getInt32(at, true) / 0x80000000 },
  s32be: { bytes: 4, read: (view, at) => view.getInt32(at, false) / 0x80000000 },
  f32le: { bytes: 4, float: true, read: (view, at) => view.getFloat32(at, true) },
  f32be: { bytes: 4, float: true, read: (view, at) => view.getFloat32(at, false) },
  f64le: { bytes: 8, float: true, read: (view, at) => view.getFloat64(at, true) },
  f64be: { bytes: 8, float: true, read: (view, at) => view.getFloat64(at, false) },
  alaw: { bytes: 1, read: (view, at) => A_LAW[view.getUint8(at)] as number },
  mulaw: { bytes: 1, read: (view, at) => MU_LAW[view.getUint8(at)] as number },
};

/** Every encoding, for messages and checks. */
export const pcmEncodings = Object.keys(readers) as PcmEncoding[];

/** Bytes of one sample. */
export function sampleBytes(encoding: PcmEncoding): number {
  return readers[encoding].bytes;
}

/** Incremental decoder of interleaved samples. */
export class PcmDecoder implements FormatDecoder {
  readonly #reader: Reader;
  readonly #frameBytes: number;
  readonly #partial: Uint8Array;
  #partialLength = 0;
  #pending: Float32Array[] = [];
  #filled = 0;
  #emitted = 0;

  constructor(
    encoding: PcmEncoding,
    private readonly sampleRate: number,
    private readonly channels: number,
  ) {
    this.#reader = readers[encoding];
    this.#frameBytes = this.#reader.bytes * channels;
    this.#partial = new Uint8Array(this.#frameBytes);
  }

  /** Bytes of an incomplete last frame. */
  get leftover(): Uint8Array {
    return this.#partial.subarray(0, this.#partialLength);
  }

  async *push(bytes: Uint8Array): AsyncGenerator<AudioChunk> {
    let offset = 0;
    if (this.#partialLength > 0) {
      offset = Math.min(this.#frameBytes - this.#partialLength, bytes.length);
      this.#partial.set(bytes.subarray(0, offset), this.#partialLength);
      this.#partialLength += offset;
      if (this.#partialLength < this.#frameBytes) return;
      this.#partialLength = 0;
      yield* this.#frames(this.#partial, 0, 1);
    }
    const frames = Math.floor((bytes.length - offset) / this.#frameBytes);
    yield* this.#frames(bytes, offset, frames);
    const rest = bytes.subarray(offset + frames * this.#frameBytes);
    this.#partial.set(rest);
    this.#partialLength = rest.length;
    if (this.#filled * SHORTEST >= this.sampleRate) yield this.#take();
  }

  async *end(): AsyncGenerator<AudioChunk> {
    if (this.#filled > 0) yield this.#take();
    if (this.#partialLength > 0) {
      throw broken(
        `Expected whole samples of ${this.#frameBytes} bytes (${this.channels} channels of ${this.#reader.bytes}) but the input ended ` +
          `after ${this.#partialLength} bytes of one. Check the format option, or that the input is complete.`,
      );
    }
  }

  close(): void {}

  *#frames(bytes: Uint8Array, offset: number, frames: number): Generator<AudioChunk> {
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    const longest = Math.max(1, Math.floor(this.sampleRate / LONGEST));
    const { bytes: width, float, read } = this.#reader;
    for (let frame = 0; frame < frames; ) {
      if (this.#filled === 0) {
        this.#pending = Array.from({ length: this.channels }, () => new Float32Array(longest));
      }
      const count = Math.min(frames - frame, longest - this.#filled);
      for (let channel = 0; channel < this.channels; channel++) {
        const samples = this.#pending[channel] as Float32Array;
        let at = offset + frame * this.#frameBytes + channel * width;
        for (let i = 0; i < count; i++, at += this.#frameBytes) samples[this.#filled + i] = read(view, at);
      }
      if (float) yield* this.#checkFinite(count);
      this.#filled += count;
      frame += count;
      if (this.#filled === longest) yield this.#take();
    }
  }

  *#checkFinite(count: number): Generator<AudioChunk> {
    for (let i = this.#filled; i < this.#filled + count; i++) {
      for (const [channel, samples] of this.#pending.entries()) {
        const sample = samples[i] as number;
        if (Number.isFinite(sample)) continue;
        const time = (this.#emitted + i) / this.sampleRate;
        this.#filled = i;
        if (i > 0) yield this.#take();
        throw broken(
          `Expected finite samples but received ${sample} at ${time.toFixed(4)} s in channel ${channel}. ` +
            'Check the format option, or repair what wrote the audio.',
        );
      }
    }
  }

  #take(): AudioChunk {
    const channels = this.#pending.map((samples) => samples.subarray(0, this.#filled));
    this.#emitted += this.#filled;
    this.#filled = 0;
    return { channels, sampleRate: this.sampleRate };
  }
}
