/**
 * MP3 and the other layers of MPEG audio, through libmpg123 compiled to WebAssembly. Frames are found here, since the library cannot
 * tell what was lost between them, nor whether the file came complete; it decodes them one by one.
 */
import { MPEGDecoder } from 'mpg123-decoder';
import { broken, cut, Damage, type DecodedChunk, type FormatDecoder, lostAudio } from './format.js';
import { findMpegFrames, MPEG_HEADER_BYTES, type MpegHeader, mpegHeader, sameStream } from './mpeg-header.js';
import { DECODER_DELAY, type MpegInfo, readMpegInfo } from './mpeg-info.js';
import { id3Size } from './recognise.js';

/** Bytes that are kept while searching for the next frame; earlier ones are discarded. */
const MOST_HELD = 1 << 16;
/** Bytes after the last frame that are not reported: unknown tags, padding. */
const MOST_BEHIND = 4096;
const ID3V1_BYTES = 128;
const APE_BYTES = 32;

/** Incremental decoder. */
export class MpegDecoder implements FormatDecoder {
  #decoder: MPEGDecoder | undefined;
  #held: Uint8Array = new Uint8Array(0);
  /** Bytes of a tag that are still to be passed over. */
  #skip = 0;
  /** The last frame's head; undefined before the first one. */
  #header: MpegHeader | undefined;
  /** Bytes since the last frame that belong to no frame, and where in `#held` the search continues. */
  #stray = 0;
  #searched = 0;
  #info: MpegInfo | undefined;
  /** Frames since the information frame, and their bytes. */
  #frames = 0;
  #bytes = 0;
  /** Samples yet to be dropped, and those that may still come. */
  #trim = 0;
  #left = Number.POSITIVE_INFINITY;
  /** Seconds emitted. */
  #time = 0;
  readonly #damage = new Damage('MPEG audio');

  /** Seconds, where the encoder says so. */
  get duration(): number | undefined {
    const frames = this.#info?.frames;
    if (frames === undefined || !this.#header) return undefined;
    const { delay = 0, padding = 0 } = this.#info ?? {};
    return (frames * this.#header.samples - delay - padding) / this.#header.sampleRate;
  }

  async *push(bytes: Uint8Array): AsyncGenerator<DecodedChunk> {
    this.#held = this.#held.length === 0 ? bytes.slice() : Buffer.concat([this.#held, bytes]);
    yield* this.#walk(false);
  }

  async *flush(): AsyncGenerator<DecodedChunk> {}

  async *end(): AsyncGenerator<DecodedChunk> {
    yield* this.#walk(true);
    const part = this.#held.length > 0 && mpegHeader(this.#held) !== undefined && this.#stray === 0;
    if (
      !part &&
      !this.#info &&
      this.#stray + this.#held.length > MOST_BEHIND &&
      this.#held.some((byte) => byte !== 0)
    ) {
      this.#damage.add(this.#time, 0, `the last ${this.#stray + this.#held.length} bytes do not form frames`);
    }
    if (!this.#header)
      throw broken('Expected frames of MPEG audio but received none. Check that the file is intact.');
    const missing = this.#missing(part);
    const damage = this.#damage.error(missing);
    if (damage) throw damage;
    if (missing) throw broken(`${missing} Check that the file is complete.`);
  }

  close(): void {
    const decoder = this.#decoder;
    this.#decoder = undefined;
    decoder?.ready.then(() => decoder.free()).catch(() => {});
  }

  /** @param part The last frame has begun but is not whole. */
  #missing(part: boolean): string | undefined {
    const frames = this.#info?.frames;
    if (frames !== undefined && this.#frames < frames)
      return `Expected ${frames} frames, as the file says, but received ${this.#frames}.`;
    return part ? 'Expected whole frames but the input ended within one.' : undefined;
  }

  /** Takes frames from the front of what is held as long as there are whole ones. */
  async *#walk(ended: boolean): AsyncGenerator<DecodedChunk> {
    let at = 0;
    for (;;) {
      const skipped = Math.min(this.#skip, this.#held.length - at);
      this.#skip -= skipped;
      at += skipped;
      const rest = this.#held.subarray(at);
      if (rest.length < MPEG_HEADER_BYTES) break;
      const header = this.#stray === 0 && this.#header ? mpegHeader(rest) : undefined;
      if (header && sameStream(header, this.#header as MpegHeader)) {
        if (rest.length < header.length) break;
        at += header.length;
        yield* this.#frame(rest.slice(0, header.length), header);
        continue;
      }
      const tag = this.#stray === 0 ? tagBytes(rest, ended) : 0;
      if (tag === undefined) break;
      if (tag > 0) {
        this.#skip = tag;
        continue;
      }
      const search = findMpegFrames(rest, this.#searched, ended);
      if (search.found) {
        this.#searched = 0;
        yield* this.#resynchronise(this.#stray + search.at, mpegHeader(rest, search.at) as MpegHeader);
        at += search.at;
        continue;
      }
      // Not lost yet: it may be what follows the last frame.
      this.#searched = search.at;
      const drop = Math.max(0, Math.min(search.at, rest.length - MOST_HELD));
      this.#stray += drop;
      this.#searched -= drop;
      at += drop;
      break;
    }
    this.#held = this.#held.subarray(at);
  }

  /** Frames continue after `bytes` that are not frames. */
  async *#resynchronise(bytes: number, header: MpegHeader): AsyncGenerator<DecodedChunk> {
    this.#stray = 0;
    const before = this.#header;
    this.#header = header;
    if (!before || bytes === 0) return;
    // A constant bit rate tells exactly how many frames were lost; otherwise they are assumed to be as long as the previous ones.
    const frames = Math.round(bytes / (this.#frames > 0 ? this.#bytes / this.#frames : before.length));
    const samples = frames * before.samples;
    this.#frames += frames;
    this.#damage.add(this.#time, samples / before.sampleRate, `${bytes} bytes do not form frames`);
    yield* this.#give(
      [new Float32Array(samples)].concat(before.mono ? [] : [new Float32Array(samples)]),
      before,
      true,
    );
  }

  async *#frame(frame: Uint8Array, header: MpegHeader): AsyncGenerator<DecodedChunk> {
    this.#header = header;
    const info = readMpegInfo(frame, header);
    if (info) return this.#onInfo(info, header);
    this.#frames++;
    this.#bytes += frame.length;
    const decoder = await this.#open();
    const { channelData, samplesDecoded, errors } = decoder.decodeFrame(frame);
    const planes = channelData.slice(0, header.mono ? 1 : 2);
    if (samplesDecoded > 0) yield* this.#give(planes, header, false);
    const [error] = errors;
    if (!error) return;
    const samples = Math.max(0, header.samples - samplesDecoded);
    this.#damage.add(this.#time, samples / header.sampleRate, error.message);
    for (const chunk of lostAudio(samples, planes.length || 1, header.sampleRate))
      yield* this.#give(chunk.channels, header, true);
  }

  /** A file begins: the first, or one behind it. */
  #onInfo(info: MpegInfo, header: MpegHeader): void {
    const missing = this.#info ? this.#missing(false) : undefined;
    if (missing) this.#damage.add(this.#time, 0, missing);
    this.#info = info;
    this.#frames = 0;
    this.#bytes = 0;
    this.#trim = info.delay === undefined ? 0 : info.delay + DECODER_DELAY;
    const { frames, delay, padding } = info;
    const known = frames !== undefined && delay !== undefined && padding !== undefined;
    this.#left = known ? Math.max(0, frames * header.samples - delay - padding) : Number.POSITIVE_INFINITY;
  }

  /** Emits samples, without those that the encoder added. */
  *#give(planes: Float32Array[], header: MpegHeader, lost: boolean): Generator<DecodedChunk> {
    const length = planes[0]?.length ?? 0;
    const begin = Math.min(this.#trim, length);
    const end = Math.min(length, begin + this.#left);
    this.#trim -= begin;
    this.#left -= end - begin;
    this.#time += (end - begin) / header.sampleRate;
    const kept = planes.map((plane) => plane.subarray(begin, end));
    for (const chunk of cut(kept, header.sampleRate)) yield lost ? { ...chunk, lost: true } : chunk;
  }

  async #open(): Promise<MPEGDecoder> {
    // The encoder's additions are trimmed here, where it is known what was lost.
    this.#decoder ??= new MPEGDecoder({ enableGapless: false });
    await this.#decoder.ready;
    return this.#decoder;
  }
}

/** Bytes of a tag between or behind the frames: 0 for none, undefined when more bytes are needed to know. */
function tagBytes(rest: Uint8Array, ended: boolean): number | undefined {
  const text = Buffer.from(rest.subarray(0, APE_BYTES)).toString('latin1');
  if (text.startsWith('TAG')) return ID3V1_BYTES;
  const kind = ['ID3', 'APETAGEX', 'LYRICSBEGIN'].find((name) => name.startsWith(text.slice(0, name.length)));
  if (kind === undefined) return 0;
  if (rest.length < APE_BYTES) return ended ? 0 : undefined;
  if (kind === 'ID3') return id3Size(rest, text) ?? 0;
  if (kind === 'APETAGEX') {
    const size = new DataView(rest.buffer, rest.byteOffset).getUint32(12, true);
    // A head of the tag comes before that size.
    return size + APE_BYTES;
  }
  return 0;
}
