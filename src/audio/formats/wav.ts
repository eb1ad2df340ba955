/**
 * WAV: walks the chunks of a RIFF, RIFX, RF64 or BW64 file to its samples. The samples themselves are decoded by `pcm.ts`.
 *
 * Not the Reader of the `wav` package, which the tests use as a second opinion: it refuses a chunk before `fmt ` (LIST,
 * JUNK, bext), does not skip the padding byte of odd chunks, throws on an empty one, collects unknown chunks of any
 * claimed size in memory, ignores WAVE_FORMAT_EXTENSIBLE, and cannot tell that the data came short.
 */
import { AudioError } from '../../errors.js';
import { warn } from '../../warn.js';
import { broken, type DecodedChunk, type FormatDecoder } from './format.js';
import { PcmDecoder, sampleBytes } from './pcm.js';
import { FORMAT_BYTES, LEAST_FORMAT_BYTES, readWavFormat, type WavFormat } from './wav-format.js';

/** Writers into a pipe cannot know the length: ffmpeg leaves 0xFFFFFFFF, sox about 0x7FFFF000, others 0. */
const UNKNOWN_LENGTH = 0x7ffff000;
/** What may follow the samples: another file, known chunks, tags of other formats. */
const FILE = /^(RIFF|RIFX|RF64|BW64).{4}WAVE/s;
const CHUNKS_BEHIND =
  /^(LIST|INFO|JUNK|junk|FLLR|PAD |bext|cue |fact|smpl|inst|iXML|axml|aXML|chna|_PMX|afsp|DISP|PEAK|acid|strc|umid|cart|levl|link|slnt|plst|labl|note|adtl|id3 |ID3 |minf|elm1|regn|ovwf|SAUR|qlty|mext|Xtra|MXrt|resu|tlst)/;
const TAGS_BEHIND = /^(TAG|ID3[^ ]|APETAGEX)/;
/** Data after the samples is examined once there is this much of it: less is too short to transcribe. */
const BEHIND_BYTES = 4096;
const HEAD_BYTES = 12;

/** Incremental decoder of a WAV file. */
export class WavDecoder implements FormatDecoder {
  /** Bytes that the next step of the walk needs, and those that are there. */
  #need = HEAD_BYTES;
  #have = new Uint8Array(64);
  #haveLength = 0;
  #next: (bytes: DataView) => void = (bytes) => this.#onRiff(bytes);
  /** Bytes to skip before that. */
  #skip = 0;
  #position = 0;
  #littleEndian = true;
  #riffEnd = 0;
  #longDataSize: number | undefined;
  #format: WavFormat | undefined;
  #pcm: PcmDecoder | undefined;
  /** Bytes of samples still to come: undefined before the data chunk, Infinity when unknown. */
  #remaining: number | undefined;
  #declared = 0;
  /** Data after the samples that was not examined yet, and bytes of it to skip first. */
  #behind: Uint8Array = new Uint8Array(0);
  #pass = 0;

  /** Seconds in all, if the header says so. */
  get duration(): number | undefined {
    const format = this.#format;
    if (
      !format ||
      this.#remaining === undefined ||
      this.#declared === 0 ||
      this.#remaining === Number.POSITIVE_INFINITY
    )
      return undefined;
    return this.#declared / (sampleBytes(format.encoding) * format.channels * format.sampleRate);
  }

  async *push(bytes: Uint8Array): AsyncGenerator<DecodedChunk> {
    for (let rest = bytes; rest.length > 0; ) {
      if (this.#remaining === undefined) {
        rest = rest.subarray(this.#walk(rest));
        continue;
      }
      if (this.#remaining > 0) {
        const samples = rest.subarray(0, Math.min(this.#remaining, rest.length));
        rest = rest.subarray(samples.length);
        this.#remaining -= samples.length;
        this.#position += samples.length;
        if (this.#pcm) yield* this.#pcm.push(samples);
        continue;
      }
      const passed = Math.min(this.#pass, rest.length);
      this.#pass -= passed;
      rest = rest.subarray(passed);
      // Joined up to a fixed length, so that the result does not depend on the pieces.
      const taken = rest.subarray(0, BEHIND_BYTES - this.#behind.length);
      rest = rest.subarray(taken.length);
      this.#behind = Buffer.concat([this.#behind, taken]);
      if (this.#behind.length === BEHIND_BYTES) yield* this.#lookBehind();
    }
  }

  async *flush(): AsyncGenerator<DecodedChunk> {
    if (this.#pcm) yield* this.#pcm.flush();
  }

  async *end(): AsyncGenerator<DecodedChunk> {
    // Data that is too short to be samples matters only if it is chunks or another file.
    while (this.#behind.length >= HEAD_BYTES && this.#kindBehind() !== 'samples') yield* this.#lookBehind();
    if (this.#remaining === undefined) {
      throw broken(
        `Expected a WAV file with a data chunk but the input ended after ${this.#position} bytes of header. Check that the file is complete.`,
      );
    }
    yield* this.#endSamples();
  }

  close(): void {}

  /** The samples of one file are over. */
  async *#endSamples(): AsyncGenerator<DecodedChunk> {
    if (!this.#pcm) return;
    const remaining = this.#remaining ?? 0;
    const unknown = remaining === Number.POSITIVE_INFINITY;
    const short = !unknown && remaining > 0;
    const leftover = this.#pcm.leftover;
    // A short or padded end leaves part of a sample, which the error below covers.
    const ignorable = short || (unknown && leftover.length === 1 && leftover[0] === 0);
    try {
      yield* this.#pcm.end();
    } catch (error) {
      if (!ignorable || this.#pcm.damage) throw error;
    }
    if (short) {
      throw broken(
        `Expected ${this.#declared} bytes of audio, as the WAV header says, but received ${this.#declared - remaining}. ` +
          'Check that the file is complete.',
      );
    }
  }

  /** What follows the samples: chunks, which are skipped; another file; or more samples than the header states. */
  async *#lookBehind(): AsyncGenerator<DecodedChunk> {
    const kind = this.#kindBehind();
    const behind = this.#behind;
    this.#behind = new Uint8Array(0);
    if (kind === 'file') {
      warn('WARN_PARAKEET_SECOND_FILE', 'A second WAV file follows the first; it is transcribed too.');
      yield* this.#endSamples();
      this.#beginFile();
    } else if (kind === 'samples') {
      warn(
        'WARN_PARAKEET_WAV_LENGTH',
        `The WAV header says ${this.#declared} bytes of audio, but more follow; they are transcribed too. ` +
          'The file is larger than 4 GB, or its writer did not bring the header up to date.',
      );
      this.#remaining = Number.POSITIVE_INFINITY;
    } else {
      const size = new DataView(behind.buffer, behind.byteOffset).getUint32(4, this.#littleEndian);
      this.#pass =
        kind === 'chunk' ? 8 + size + (size % 2) : kind === 'padding' ? 1 : Number.POSITIVE_INFINITY;
      this.#position += this.#pass;
    }
    yield* this.push(behind);
  }

  #kindBehind(): 'file' | 'chunk' | 'tag' | 'padding' | 'samples' {
    const bytes = this.#behind;
    const head = (at: number) => Buffer.from(bytes.subarray(at, at + HEAD_BYTES)).toString('latin1');
    const isKnown = (text: string) => FILE.test(text) || CHUNKS_BEHIND.test(text) || TAGS_BEHIND.test(text);
    if (this.#declared % 2 === 1 && isKnown(head(1))) return 'padding';
    const text = head(0);
    if (FILE.test(text)) return 'file';
    if (TAGS_BEHIND.test(text)) return 'tag';
    if (CHUNKS_BEHIND.test(text)) return 'chunk';
    // A chunk with an unknown name, if its size fits into the file; otherwise letters are a tag.
    const size = new DataView(bytes.buffer, bytes.byteOffset).getUint32(4, this.#littleEndian);
    if (/^[\x20-\x7e]{4}/.test(text) && this.#position + 8 + size <= this.#riffEnd + 1) return 'chunk';
    return /^[\x20-\x7e]{12}/.test(text) ? 'tag' : 'samples';
  }

  #beginFile(): void {
    this.#need = HEAD_BYTES;
    this.#next = (bytes) => this.#onRiff(bytes);
    this.#position = 0;
    this.#longDataSize = undefined;
    this.#format = undefined;
    this.#pcm = undefined;
    this.#remaining = undefined;
    this.#declared = 0;
    this.#pass = 0;
  }

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
    const read = id === 'fmt ' || id === 'ds64' ? Math.min(size, FORMAT_BYTES) : 0;
    const skip = size - read + (size % 2);
    if (id === 'fmt ' && size < LEAST_FORMAT_BYTES) {
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
    this.#format = readWavFormat(bytes, this.#littleEndian);
    this.#pcm = new PcmDecoder(this.#format.encoding, this.#format.sampleRate, this.#format.channels);
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
