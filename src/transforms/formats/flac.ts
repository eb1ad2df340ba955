/**
 * FLAC through libFLAC compiled to WebAssembly. Only the metadata is read here, since the library's stream parser throws it
 * away: the rate, and the number of samples, which alone tells whether the file came complete.
 */
import { FLACDecoder } from '@wasm-audio-decoders/flac';
import type { AudioChunk } from '../../events.js';
import { broken, checkShape, cut, type FormatDecoder } from './format.js';

/** The parser copies its queue with each piece: single bytes would cost quadratic time, huge writes a copy of themselves. */
const PIECE = 8192;
const STREAMINFO_BYTES = 34;
/** The longest head of a frame. */
const FRAME_HEAD_BYTES = 16;

/** Incremental decoder of a FLAC file. */
export class FlacDecoder implements FormatDecoder {
  #decoder: FLACDecoder | undefined;
  /** The part of the metadata that is being collected: the mark, a block's head, or STREAMINFO. */
  #header: number[] = [];
  #reading: 'mark' | 'head' | 'streaminfo' | 'frames' = 'mark';
  #lastBlock = false;
  #skip = 0;
  #sampleRate = 0;
  #total = 0;
  #decoded = 0;
  readonly #piece = new Uint8Array(PIECE);
  #filled = 0;
  #fed = false;
  /** The first bytes of the first frame: see `end`. */
  #firstHead = new Uint8Array(0);

  async *push(bytes: Uint8Array): AsyncGenerator<AudioChunk> {
    let offset = 0;
    while (offset < bytes.length && (this.#reading !== 'frames' || this.#skip > 0)) {
      const skipped = Math.min(this.#skip, bytes.length - offset);
      this.#skip -= skipped;
      offset += skipped;
      if (skipped === 0) this.#onHeaderByte(bytes[offset++] as number);
    }
    while (offset < bytes.length) {
      const part = bytes.subarray(offset, offset + PIECE - this.#filled);
      this.#piece.set(part, this.#filled);
      this.#filled += part.length;
      offset += part.length;
      if (this.#filled === PIECE) yield* this.#feed();
    }
  }

  async *end(): AsyncGenerator<AudioChunk> {
    if (this.#reading !== 'frames' || this.#skip > 0) {
      throw broken(
        'Expected FLAC frames but the input ended within the metadata. Check that the file is complete.',
      );
    }
    // The parser recognises nothing in fewer than four bytes, and no frame is so short.
    if (this.#fed || this.#filled >= 4) {
      yield* this.#feed();
      const decoder = await this.#open();
      // The parser gives a frame out when it sees the head of the next one, and its flush misses a last frame of a few
      // bytes (silence compresses to 13). So it sees one more head; the frame behind it is none and is dropped.
      const more = new Uint8Array(4 * FRAME_HEAD_BYTES);
      more.set(this.#firstHead);
      yield* this.#chunks(await this.#decode(() => decoder.decode(more)));
      yield* this.#chunks(await this.#decode(() => decoder.flush()));
    }
    if (this.#total > 0 && this.#decoded < this.#total) {
      throw broken(
        `Expected ${this.#total} samples per channel, as the FLAC header says, but received ${this.#decoded} that are intact. ` +
          'Check that the file is complete.',
      );
    }
  }

  close(): void {
    const decoder = this.#decoder;
    this.#decoder = undefined;
    // Before `ready` there is nothing to free yet, and a failed start has nothing at all.
    decoder?.ready.then(() => decoder.free()).catch(() => {});
  }

  #onHeaderByte(byte: number): void {
    const header = this.#header;
    header.push(byte);
    if (this.#reading === 'mark' && header.length === 4) {
      this.#header = [];
      this.#reading = 'head';
    } else if (this.#reading === 'head' && header.length === 4) {
      const [kind, a, b, c] = header as [number, number, number, number];
      const size = (a << 16) | (b << 8) | c;
      this.#header = [];
      this.#lastBlock = kind >= 0x80;
      if ((kind & 0x7f) === 0 && size >= STREAMINFO_BYTES) {
        this.#reading = 'streaminfo';
        return;
      }
      this.#skip = size;
      this.#afterBlock();
    } else if (this.#reading === 'streaminfo' && header.length === STREAMINFO_BYTES) {
      const at = (i: number) => header[i] as number;
      this.#sampleRate = (at(10) << 12) | (at(11) << 4) | (at(12) >> 4);
      this.#total =
        ((at(13) & 0x0f) * 2 ** 32 + ((at(14) << 24) | (at(15) << 16) | (at(16) << 8) | at(17))) >>> 0;
      checkShape('FLAC', this.#sampleRate, ((at(12) >> 1) & 7) + 1);
      this.#header = [];
      this.#afterBlock();
    }
  }

  #afterBlock(): void {
    this.#reading = this.#lastBlock ? 'frames' : 'head';
    if (this.#lastBlock && this.#sampleRate === 0) {
      throw broken(
        'Expected a STREAMINFO block in the FLAC metadata but received none. Check that the file is intact.',
      );
    }
  }

  async #open(): Promise<FLACDecoder> {
    this.#decoder ??= new FLACDecoder();
    await this.#decoder.ready;
    return this.#decoder;
  }

  async *#feed(): AsyncGenerator<AudioChunk> {
    const decoder = await this.#open();
    const piece = this.#piece.slice(0, this.#filled);
    this.#filled = 0;
    if (!this.#fed) this.#firstHead = piece.slice(0, FRAME_HEAD_BYTES);
    this.#fed = true;
    yield* this.#chunks(await this.#decode(() => decoder.decode(piece)));
  }

  async #decode(run: () => ReturnType<FLACDecoder['decode']>): ReturnType<FLACDecoder['decode']> {
    try {
      return await run();
    } catch (error) {
      throw broken('Expected FLAC frames but the decoder failed. Check that the file is intact.', error);
    }
  }

  *#chunks(decoded: Awaited<ReturnType<FLACDecoder['decode']>>): Generator<AudioChunk> {
    this.#decoded += decoded.samplesDecoded;
    yield* cut(decoded.channelData, this.#sampleRate);
    const error = decoded.errors[0];
    if (error) {
      throw broken(
        `Expected intact FLAC frames but received a damaged one after ${(error.outputSamples / this.#sampleRate).toFixed(3)} s: ` +
          `${error.message}. Check that the file is intact.`,
      );
    }
  }
}
