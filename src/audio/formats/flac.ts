/**
 * FLAC through libFLAC compiled to WebAssembly. The metadata is read here, and the frames are found and checked here
 * (flac-frames.ts), so that damage affects nothing else and its length is known; the library decodes frames one by one.
 */
import { FLACDecoder } from '@wasm-audio-decoders/flac';
import { warn } from '../../warn.js';
import { type FlacFrame, FlacFrames, type FlacInfo } from './flac-frames.js';
import {
  broken,
  checkShape,
  cut,
  Damage,
  type DecodedChunk,
  type FormatDecoder,
  lostAudio,
} from './format.js';

/** Single bytes are joined to pieces of this size first: what is searched for a frame is copied with each piece. */
const PIECE = 512;
const STREAMINFO_BYTES = 34;
/** The longest silence for missing frames where the total length is unknown; in seconds. */
const LONGEST_LOSS = 3600;

/** Incremental decoder of a FLAC file. */
export class FlacDecoder implements FormatDecoder {
  #decoder: FLACDecoder | undefined;
  /** The part of the metadata that is being collected: the mark, a block's head, or STREAMINFO. */
  #header: number[] = [];
  #reading: 'mark' | 'head' | 'streaminfo' | 'frames' = 'mark';
  #lastBlock = false;
  #skip = 0;
  #info: FlacInfo | undefined;
  #frames: FlacFrames | undefined;
  /** Samples per channel given out, silence for lost ones included; position of the first one in the stream. */
  #given = 0;
  #origin: number | undefined;
  /** Samples per channel that were intact. */
  #intact = 0;
  /** Seconds of the files before this one. */
  #before = 0;
  readonly #damage = new Damage('FLAC');
  readonly #piece = new Uint8Array(PIECE);
  #filled = 0;

  /** Seconds, where the header says so. */
  get duration(): number | undefined {
    return this.#info && this.#info.total > 0 ? this.#info.total / this.#info.sampleRate : undefined;
  }

  async *push(bytes: Uint8Array): AsyncGenerator<DecodedChunk> {
    let offset = 0;
    while (offset < bytes.length && (this.#reading !== 'frames' || this.#skip > 0)) {
      const skipped = Math.min(this.#skip, bytes.length - offset);
      this.#skip -= skipped;
      offset += skipped;
      if (skipped === 0) this.#onHeaderByte(bytes[offset++] as number);
    }
    const rest = bytes.subarray(offset);
    if (this.#filled + rest.length < PIECE) {
      this.#piece.set(rest, this.#filled);
      this.#filled += rest.length;
      return;
    }
    yield* this.#takePiece();
    // A second file may have begun in the piece.
    if (this.#reading === 'frames' && this.#skip === 0 && this.#filled === 0) yield* this.#feed(rest);
    else yield* this.push(rest);
  }

  async *flush(): AsyncGenerator<DecodedChunk> {
    if (!this.#frames) return;
    yield* this.#takePiece();
    yield* this.#decode(this.#frames.flush());
  }

  async *end(): AsyncGenerator<DecodedChunk> {
    yield* this.#takePiece();
    if (this.#reading !== 'frames' || this.#skip > 0) {
      throw broken(
        'Expected FLAC frames but the input ended within the metadata. Check that the file is complete.',
      );
    }
    yield* this.#endStream();
    const damage = this.#damage.error(this.#missing);
    if (damage) throw damage;
    if (this.#missing) throw broken(`${this.#missing} Check that the file is complete.`);
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
      this.#info = streamInfo(header);
      checkShape('FLAC', this.#info.sampleRate, this.#info.channels);
      this.#header = [];
      this.#afterBlock();
    }
  }

  #afterBlock(): void {
    this.#reading = this.#lastBlock ? 'frames' : 'head';
    if (!this.#lastBlock) return;
    if (!this.#info) {
      throw broken(
        'Expected a STREAMINFO block in the FLAC metadata but received none. Check that the file is intact.',
      );
    }
    this.#frames = new FlacFrames(this.#info);
  }

  async *#takePiece(): AsyncGenerator<DecodedChunk> {
    const piece = this.#piece.slice(0, this.#filled);
    this.#filled = 0;
    yield* this.#feed(piece);
  }

  async *#feed(bytes: Uint8Array): AsyncGenerator<DecodedChunk> {
    const frames = this.#frames;
    if (!frames || bytes.length === 0) return;
    yield* this.#decode(frames.push(bytes));
    const { next } = frames;
    if (!next) return;
    warn('WARN_PARAKEET_SECOND_FILE', 'A second FLAC file follows the first; it is transcribed too.');
    yield* this.#endStream();
    if (this.#missing) this.#damage.add(this.#time, 0, this.#missing);
    this.#before = this.#time;
    this.#reading = 'mark';
    this.#info = undefined;
    this.#frames = undefined;
    this.#given = 0;
    this.#intact = 0;
    this.#origin = undefined;
    yield* this.push(next);
  }

  /** The last frame, and the damage behind it. */
  async *#endStream(): AsyncGenerator<DecodedChunk> {
    const frames = this.#frames as FlacFrames;
    yield* this.#decode(frames.end());
    const { total } = this.#info as FlacInfo;
    // Where the length is known it shows what is missing; anything may follow the last sample.
    if (frames.rest > 0 && total === 0)
      this.#damage.add(this.#time, 0, `the last ${frames.rest} bytes do not form an intact frame`);
  }

  get #time(): number {
    return this.#before + this.#given / (this.#info?.sampleRate ?? 1);
  }

  get #missing(): string | undefined {
    const { total } = this.#info as FlacInfo;
    if (total === 0 || this.#given >= total - (this.#origin ?? 0)) return undefined;
    return `Expected ${total} samples per channel, as the FLAC header says, but received ${this.#intact} that are intact.`;
  }

  async *#decode(frames: Iterable<FlacFrame>): AsyncGenerator<DecodedChunk> {
    const { sampleRate, channels } = this.#info as FlacInfo;
    for (const frame of frames) {
      const lost = this.#lostBefore(frame);
      if (lost > 0 || frame.damaged > 0) {
        const what =
          frame.damaged > 0 ? `${frame.damaged} bytes do not form an intact frame` : 'frames are missing';
        this.#damage.add(this.#time, lost / sampleRate, what);
        yield* lostAudio(lost, channels, sampleRate);
        this.#given += lost;
        // The library reports frame numbers that jump and continues; a new decoder has nothing to compare them with.
        await this.#decoder?.reset();
      }
      const planes = await this.#decodeFrame(frame);
      const samples = planes[0]?.length ?? 0;
      this.#given += samples;
      this.#intact += samples;
      yield* cut(planes, sampleRate);
      if (samples >= frame.samples) continue;
      this.#damage.add(this.#time, (frame.samples - samples) / sampleRate, 'a frame cannot be decoded');
      yield* lostAudio(frame.samples - samples, channels, sampleRate);
      this.#given += frame.samples - samples;
    }
  }

  /** Samples between what was given out and this frame. */
  #lostBefore({ position, samples, damaged }: FlacFrame): number {
    const { total, sampleRate } = this.#info as FlacInfo;
    // A piece of a stream begins anywhere.
    this.#origin ??= damaged > 0 ? 0 : position;
    const lost = position - this.#origin - this.#given;
    const plausible = total > 0 ? position + samples <= total : lost <= LONGEST_LOSS * sampleRate;
    if (lost >= 0 && plausible) return lost;
    // The numbers restart: frames of another stream.
    this.#origin = position - this.#given;
    return 0;
  }

  async #decodeFrame(frame: FlacFrame): Promise<Float32Array[]> {
    this.#decoder ??= new FLACDecoder();
    await this.#decoder.ready;
    try {
      return (await this.#decoder.decodeFrames([frame.bytes])).channelData;
    } catch (error) {
      throw broken('Expected FLAC frames but the decoder failed. Check that the file is intact.', error);
    }
  }
}

function streamInfo(block: readonly number[]): FlacInfo {
  const at = (i: number) => block[i] as number;
  return {
    leastBlock: (at(0) << 8) | at(1),
    mostBlock: (at(2) << 8) | at(3),
    longestFrame: (at(7) << 16) | (at(8) << 8) | at(9),
    sampleRate: (at(10) << 12) | (at(11) << 4) | (at(12) >> 4),
    channels: ((at(12) >> 1) & 7) + 1,
    bitsPerSample: (((at(12) & 1) << 4) | (at(13) >> 4)) + 1,
    // 36 bits: more than the operators on bits take.
    total: (at(13) & 0x0f) * 2 ** 32 + at(14) * 2 ** 24 + ((at(15) << 16) | (at(16) << 8) | at(17)),
  };
}
