/**
 * Interleaved samples to planar floats: raw PCM, and the body of a WAV file. Knows no container.
 */
import type { AudioError } from '../../errors.js';
import { allFinite } from '../samples.js';
import { broken, Damage, type DecodedChunk, type FormatDecoder, LONGEST, SHORTEST } from './format.js';

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

const littleEndian = new Uint8Array(Uint16Array.of(1).buffer)[0] === 1;

/**
 * The samples as an array of the machine's own, for the encodings that most programs write: a fifth of the time that a `DataView` takes.
 * `count` samples, of all channels, from `offset` on.
 */
function typed(
  encoding: PcmEncoding,
  bytes: Uint8Array,
  offset: number,
  count: number,
): { values: Int16Array | Float32Array; scale: number } | undefined {
  if (!littleEndian || (encoding !== 's16le' && encoding !== 'f32le')) return undefined;
  const width = encoding === 's16le' ? 2 : 4;
  const at = bytes.byteOffset + offset;
  const aligned = at % width === 0;
  // Not the method of a Buffer, which copies nothing.
  const buffer = aligned
    ? bytes.buffer
    : Uint8Array.prototype.slice.call(bytes, offset, offset + count * width).buffer;
  const start = aligned ? at : 0;
  return encoding === 's16le'
    ? { values: new Int16Array(buffer, start, count), scale: 1 / 0x8000 }
    : { values: new Float32Array(buffer, start, count), scale: 1 };
}

/** Every encoding, for messages and checks. */
export const pcmEncodings = Object.keys(readers) as PcmEncoding[];

/** Bytes of one sample. */
export function sampleBytes(encoding: PcmEncoding): number {
  return readers[encoding].bytes;
}

/**
 * Runs of NaN samples beyond which the input is not audio of this encoding: this many, plus one for each of these seconds.
 */
const MOST_DAMAGE = 32;
const SECONDS_PER_DAMAGE = 10;

/** Every `step`-th value from `first` on, scaled, to `to` from `at` on. */
function spread(
  values: Int16Array | Float32Array,
  first: number,
  step: number,
  scale: number,
  to: Float32Array,
  at: number,
  count: number,
): void {
  if (step === 1 && scale === 1) {
    to.set(values.subarray(first, first + count), at);
    return;
  }
  for (let i = 0, from = first; i < count; i++, from += step) to[at + i] = (values[from] as number) * scale;
}

/** Incremental decoder of interleaved samples. */
export class PcmDecoder implements FormatDecoder {
  readonly #reader: Reader;
  readonly #frameBytes: number;
  readonly #partial: Uint8Array;
  #partialLength = 0;
  #pending: Float32Array[] = [];
  /** Start and end of the part of it that was not emitted yet. */
  #start = 0;
  #filled = 0;
  #emitted = 0;
  readonly #damage = new Damage('PCM');
  /** Whether the collected part is silence in place of invalid samples. */
  #lost = false;

  constructor(
    private readonly encoding: PcmEncoding,
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

  /** The error for invalid samples, if there were any. */
  get damage(): AudioError | undefined {
    return this.#damage.error();
  }

  async *push(bytes: Uint8Array): AsyncGenerator<DecodedChunk> {
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
    if ((this.#filled - this.#start) * SHORTEST >= this.sampleRate) yield this.#takeAll();
  }

  async *flush(): AsyncGenerator<DecodedChunk> {
    if (this.#filled > this.#start) yield this.#takeAll();
  }

  async *end(): AsyncGenerator<DecodedChunk> {
    if (this.#filled > this.#start) yield this.#takeAll();
    if (this.#partialLength > 0) {
      throw broken(
        `Expected whole samples of ${this.#frameBytes} bytes (${this.channels} channels of ${this.#reader.bytes}) but the input ended ` +
          `after ${this.#partialLength} bytes of one. Check the format option, or that the input is complete.`,
      );
    }
    const damage = this.damage;
    if (damage) throw damage;
  }

  close(): void {}

  *#frames(bytes: Uint8Array, offset: number, frames: number): Generator<DecodedChunk> {
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    const longest = Math.max(1, Math.floor(this.sampleRate / LONGEST));
    const { bytes: width, float, read } = this.#reader;
    const own = typed(this.encoding, bytes, offset, frames * this.channels);
    for (let frame = 0; frame < frames; ) {
      if (this.#filled === 0) {
        this.#pending = Array.from({ length: this.channels }, () => new Float32Array(longest));
      }
      const count = Math.min(frames - frame, longest - this.#filled);
      for (let channel = 0; channel < this.channels; channel++) {
        const samples = this.#pending[channel] as Float32Array;
        if (own) {
          spread(
            own.values,
            frame * this.channels + channel,
            this.channels,
            own.scale,
            samples,
            this.#filled,
            count,
          );
          continue;
        }
        let at = offset + frame * this.#frameBytes + channel * width;
        for (let i = 0; i < count; i++, at += this.#frameBytes) samples[this.#filled + i] = read(view, at);
      }
      if (float) yield* this.#checked(count);
      else this.#filled += count;
      frame += count;
      if (this.#filled === longest) yield this.#takeAll();
    }
  }

  /** Takes `count` new frames; a run of frames with invalid samples becomes silence, in chunks of its own. */
  *#checked(count: number): Generator<DecodedChunk> {
    const end = this.#filled + count;
    if (!this.#lost && this.#pending.every((samples) => allFinite(samples.subarray(this.#filled, end)))) {
      this.#filled = end;
      return;
    }
    while (this.#filled < end) {
      const bad = this.#isBad(this.#filled);
      if (bad !== this.#lost) {
        if (this.#filled > this.#start) yield this.#take();
        this.#lost = bad;
        if (bad) this.#report();
      }
      if (bad) {
        for (const samples of this.#pending) samples[this.#filled] = 0;
        this.#damage.extend(1 / this.sampleRate);
      }
      this.#filled++;
    }
  }

  #isBad(frame: number): boolean {
    return this.#pending.some((samples) => !Number.isFinite(samples[frame]));
  }

  #report(): void {
    const channel = this.#pending.findIndex((samples) => !Number.isFinite(samples[this.#filled]));
    const time = (this.#emitted + this.#filled - this.#start) / this.sampleRate;
    const sample = this.#pending[channel]?.[this.#filled];
    this.#damage.add(time, 0, `a sample is ${sample} in channel ${channel}`);
    if (this.#damage.places <= MOST_DAMAGE + time / SECONDS_PER_DAMAGE) return;
    throw broken(
      `Expected finite samples but received ${this.#damage.places} runs of others by ${time.toFixed(4)} s. ` +
        'Check the format option, or repair what wrote the audio.',
    );
  }

  #take(): DecodedChunk {
    const channels = this.#pending.map((samples) => samples.subarray(this.#start, this.#filled));
    this.#emitted += this.#filled - this.#start;
    this.#start = this.#filled;
    return { channels, sampleRate: this.sampleRate, ...(this.#lost && { lost: true as const }) };
  }

  /** Returns what is collected, and starts a new collection. */
  #takeAll(): DecodedChunk {
    const chunk = this.#take();
    this.#start = 0;
    this.#filled = 0;
    return chunk;
  }
}
