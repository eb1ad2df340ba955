/**
 * Ogg/Opus (RFC 7845): pre-skip, trimming at the end, chained streams. Ogg of other codecs goes through ffmpeg (containers.ts decides).
 */
import { broken, Damage, type DecodedChunk, type FormatDecoder } from './format.js';
import { type OggPage, OggPages } from './ogg-pages.js';
import { isOpusHead, readOpusHead } from './opus-head.js';
import { OPUS_RATE } from './opus-packet.js';
import { OpusTrack, samplesOf } from './opus-track.js';

/** Shorter gaps in the positions, in samples, are ignored: encoders round. */
const SHORTEST_HOLE = OPUS_RATE / 10;

/** Incremental decoder of an Ogg/Opus file. */
export class OggOpusDecoder implements FormatDecoder {
  readonly #pages = new OggPages();
  readonly #damage = new Damage('Ogg');
  /** The logical stream that is decoded; any others are ignored. */
  #serial: number | undefined;
  #track: OpusTrack | undefined;
  #tagsSeen = false;
  #heard = false;
  /** Granule position of the stream's first sample: more than 0 for a piece of a broadcast. */
  #origin: number | undefined;
  /** Seconds of the streams before this one. */
  #before = 0;

  async *push(bytes: Uint8Array): AsyncGenerator<DecodedChunk> {
    for (const page of this.#pages.push(bytes)) {
      if (page.first && this.#serial === undefined) {
        const [head] = page.packets;
        if (!head || !isOpusHead(head)) continue;
        this.#track = new OpusTrack(readOpusHead(head), this.#damage, this.#before);
        this.#heard = true;
        this.#serial = page.serial;
        this.#tagsSeen = false;
        this.#origin = undefined;
        continue;
      }
      if (this.#track && page.serial === this.#serial) yield* this.#page(page, this.#track);
    }
  }

  async *flush(): AsyncGenerator<DecodedChunk> {}

  // biome-ignore lint/correctness/useYield: every page was decoded when it was whole
  async *end(): AsyncGenerator<DecodedChunk> {
    const time = this.#track?.time ?? this.#before;
    const { damaged } = this.#pages;
    if (damaged > 0) this.#damage.add(time, 0, `the last ${damaged} bytes do not form an intact page`);
    const missing = this.#pages.incomplete
      ? 'Expected whole Ogg pages but the input ended within one.'
      : this.#track
        ? 'Expected an Ogg page that is marked as the last but the input ended before.'
        : this.#heard
          ? undefined
          : 'Expected an Ogg stream of Opus but received none.';
    const damage = this.#damage.error(missing);
    if (damage) throw damage;
    if (missing) throw broken(`${missing} Check that the file is complete.`);
  }

  close(): void {
    this.#endStream();
  }

  *#page(page: OggPage, track: OpusTrack): Generator<DecodedChunk> {
    const packets = this.#tagsSeen ? page.packets : page.packets.slice(1);
    if (page.packets.length > 0) this.#tagsSeen = true;
    if (packets.length > 0 || page.last) {
      yield* this.#hole(page, packets, track);
      // The position is that of the page's end; a last page whose position is lower than its content is to be trimmed.
      yield* track.decode(packets, (position) => {
        if (page.granule < 0) return 0;
        if (!page.last) this.#origin ??= Math.max(0, page.granule - position);
        return page.last ? position - (page.granule - (this.#origin ?? 0)) : 0;
      });
    }
    if (page.last) this.#endStream();
  }

  /** What is missing before a page, by its position. */
  *#hole(page: OggPage, packets: readonly Uint8Array[], track: OpusTrack): Generator<DecodedChunk> {
    const samples = packets.reduce((sum, packet) => sum + (samplesOf(packet) ?? 0), 0);
    const known = page.granule >= 0 && (this.#origin !== undefined || page.damaged > 0);
    const hole = known ? page.granule - (this.#origin ?? 0) - samples - track.position : 0;
    if (page.damaged > 0) {
      const what = `${page.damaged} bytes do not form an intact page`;
      if (hole > 0) yield* track.hole(hole, what);
      else this.#damage.add(track.time, 0, what);
    } else if (page.missing && hole > 0) yield* track.hole(hole, 'pages are missing');
    else if (hole >= SHORTEST_HOLE && !page.last) yield* track.hole(hole);
  }

  /** Another may follow: chained files are played one after the other. */
  #endStream(): void {
    if (this.#track) this.#before = this.#track.time;
    this.#track?.close();
    this.#track = undefined;
    this.#serial = undefined;
  }
}
