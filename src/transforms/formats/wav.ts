/**
 * WAV: walks the chunks of a RIFF, RIFX, RF64 or BW64 file to its samples. The samples themselves are `pcm.ts`'s matter.
 *
 * Not the Reader of the `wav` package, which the tests use as a second opinion: it refuses a chunk before `fmt ` (LIST,
 * JUNK, bext), does not skip the padding byte of odd chunks, throws on an empty one, collects unknown chunks of any
 * claimed size in memory, ignores WAVE_FORMAT_EXTENSIBLE, and cannot tell that the data came short.
 */
import { AudioError } from '../../errors.js';
import type { AudioChunk } from '../../events.js';
import { broken, checkShape, type FormatDecoder } from './format.js';
import { PcmDecoder, type PcmEncoding, pcmEncodings } from './pcm.js';

const PCM = 1;
const FLOAT = 3;
/** One byte a sample, logarithmic: telephones. */
const LAWS: Record<number, PcmEncoding> = { 6: 'alaw', 7: 'mulaw' };
const EXTENSIBLE = 0xfffe;
const NAMES: Record<number, string> = {
  2: 'Microsoft ADPCM',
  17: 'IMA ADPCM',
  85: 'MP3',
};

/** Writers into a pipe cannot know the length: ffmpeg leaves 0xFFFFFFFF, sox about 0x7FFFF000, others 0. */
const UNKNOWN_LENGTH = 0x7ffff000;
/** What is read of `fmt ` and `ds64`; the rest is skipped. */
const HEADER_BYTES = 40;

/** Incremental decoder of a WAV file. */
export class WavDecoder implements FormatDecoder {
  /** Bytes that the next step of the walk needs, and those that are there. */
  #need = 12;
  #have = new Uint8Array(64);
  #haveLength = 0;
  #next: (bytes: DataView) => void = (bytes) => this.#onRiff(bytes);
  /** Bytes to skip before that. */
  #skip = 0;
  #position = 0;
  #littleEndian = true;
  #riffEnd = 0;
  #longDataSize: number | undefined;
  #pcm: PcmDecoder | undefined;
  /** Bytes of samples still to come: undefined before the data chunk, Infinity when nobody knows. */
  #remaining: number | undefined;
  #declared = 0;

  async *push(bytes: Uint8Array): AsyncGenerator<AudioChunk> {
    let offset = 0;
    while (offset < bytes.length && this.#remaining === undefined) {
      offset += this.#walk(bytes.subarray(offset));
    }
    if (this.#remaining === undefined || this.#remaining === 0) return;
    const samples = bytes.subarray(offset, offset + Math.min(this.#remaining, bytes.length - offset));
    this.#remaining -= samples.length;
    if (this.#pcm) yield* this.#pcm.push(samples);
  }

  async *end(): AsyncGenerator<AudioChunk> {
    if (this.#remaining === undefined) {
      throw broken(
        `Expected a WAV file with a data chunk but the input ended after ${this.#position} bytes of header. Check that the file is complete.`,
      );
    }
    if (!this.#pcm) return;
    const unknown = this.#remaining === Number.POSITIVE_INFINITY;
    const short = !unknown && this.#remaining > 0;
    const leftover = this.#pcm.leftover;
    // A short or padded end leaves part of a sample, which is no news beside the error below.
    const ignorable = short || (unknown && leftover.length === 1 && leftover[0] === 0);
    try {
      yield* this.#pcm.end();
    } catch (error) {
      if (!ignorable) throw error;
    }
    if (short) {
      throw broken(
        `Expected ${this.#declared} bytes of audio, as the WAV header says, but received ${this.#declared - this.#remaining}. ` +
          'Check that the file is complete.',
      );
    }
  }

  close(): void {}

  /** Takes what the next step needs; returns how many bytes were used. */
  #walk(bytes: Uint8Array): number {
    if (this.#skip > 0) {
      const skipped = Math.min(this.#skip, bytes.length);
      this.#skip -= skipped;
      this.#position += skipped;
      return skipped;
    }
    const taken = Math.min(this.#need - this.#haveLength, bytes.length);
    this.#have.set(bytes.subarray(0, taken), this.#haveLength);
    this.#haveLength += taken;
    this.#position += taken;
    if (this.#haveLength === this.#need) {
      this.#haveLength = 0;
      this.#next(new DataView(this.#have.buffer, 0, this.#need));
    }
    return taken;
  }

  #onRiff(bytes: DataView): void {
    const id = ascii(bytes, 0);
    if (!['RIFF', 'RIFX', 'RF64', 'BW64'].includes(id) || ascii(bytes, 8) !== 'WAVE') {
      throw new AudioError(
        'ERR_PARAKEET_UNSUPPORTED_FORMAT',
        `Expected a WAV file, which begins with RIFF and WAVE, but received ${JSON.stringify(id)} and ${JSON.stringify(ascii(bytes, 8))}.`,
      );
    }
    this.#littleEndian = id !== 'RIFX';
    this.#riffEnd = 8 + bytes.getUint32(4, this.#littleEndian);
    this.#expectChunk();
  }

  #expectChunk(): void {
    this.#need = 8;
    this.#next = (bytes) => this.#onChunk(ascii(bytes, 0), bytes.getUint32(4, this.#littleEndian));
  }

  #onChunk(id: string, size: number): void {
    if (id === 'data') {
      this.#onData(size);
      return;
    }
    const read = id === 'fmt ' || id === 'ds64' ? Math.min(size, HEADER_BYTES) : 0;
    const skip = size - read + (size % 2);
    if (id === 'fmt ' && size < 16) {
      throw broken(
        `Expected a WAV fmt chunk of at least 16 bytes but received one of ${size}. Check that the file is intact.`,
      );
    }
    if (read === 0) {
      this.#skip = skip;
      return;
    }
    this.#need = read;
    this.#next = (bytes) => {
      if (id === 'fmt ') this.#onFormat(bytes);
      else if (read >= 16) this.#longDataSize = Number(bytes.getBigUint64(8, this.#littleEndian));
      this.#skip = skip;
      this.#expectChunk();
    };
  }

  #onFormat(bytes: DataView): void {
    const little = this.#littleEndian;
    const tag = bytes.getUint16(0, little);
    const channels = bytes.getUint16(2, little);
    const sampleRate = bytes.getUint32(4, little);
    const blockAlign = bytes.getUint16(12, little);
    const bits = bytes.getUint16(14, little);
    const format = tag === EXTENSIBLE && bytes.byteLength >= 26 ? bytes.getUint16(24, little) : tag;
    const law = LAWS[format];
    if (format !== PCM && format !== FLOAT && !law) {
      throw new AudioError(
        'ERR_PARAKEET_UNSUPPORTED_FORMAT',
        `Expected a WAV file of PCM, float, A-law or µ-law samples but received ${NAMES[format] ?? 'an unknown coding'} (format ${format}). ` +
          'Convert it, for example with: ffmpeg -i in.wav -c:a pcm_s16le out.wav',
      );
    }
    checkShape('WAV', sampleRate, channels);
    // The container of a sample may be wider than its bits (20 in 24, 24 in 32); the sample is at its upper end.
    const width = blockAlign / channels;
    if (law && width === 1) {
      this.#pcm = new PcmDecoder(law, sampleRate, channels);
      return;
    }
    const letter = format === FLOAT ? 'f' : width === 1 ? 'u' : 's';
    const encoding = `${letter}${width * 8}${width === 1 ? '' : little ? 'le' : 'be'}`;
    if (bits > width * 8 || bits === 0 || !isEncoding(encoding)) {
      throw broken(
        `Expected a WAV header with samples of 8, 16, 24 or 32 bits, or floats of 32 or 64, but received ${bits} bits in blocks of ` +
          `${blockAlign} bytes for ${channels} channels. Check that the file is intact.`,
      );
    }
    this.#pcm = new PcmDecoder(encoding, sampleRate, channels);
  }

  #onData(size: number): void {
    if (!this.#pcm) {
      throw broken(
        'Expected a WAV fmt chunk before the data chunk but received none. Check that the file is intact.',
      );
    }
    const long = size === 0xffffffff ? this.#longDataSize : undefined;
    const empty = size === 0 && this.#riffEnd > this.#position && this.#riffEnd < UNKNOWN_LENGTH;
    const unknown = long === undefined && (size >= UNKNOWN_LENGTH || (size === 0 && !empty));
    this.#declared = long ?? size;
    this.#remaining = unknown ? Number.POSITIVE_INFINITY : this.#declared;
  }
}

function ascii(bytes: DataView, offset: number): string {
  return String.fromCharCode(...[0, 1, 2, 3].map((i) => bytes.getUint8(offset + i)));
}

function isEncoding(name: string): name is PcmEncoding {
  return (pcmEncodings as string[]).includes(name);
}
