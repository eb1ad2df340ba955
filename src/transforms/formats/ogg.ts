/**
 * Ogg/Opus (RFC 7845): pre-skip, trimming at the end, chained streams. Ogg of other codecs goes through ffmpeg (containers.ts decides).
 */
import type { AudioChunk } from '../../events.js';
import { broken, type FormatDecoder } from './format.js';
import { OggPages } from './ogg-pages.js';
import { isOpusHead, readOpusHead } from './opus-head.js';
import { OpusTrack } from './opus-track.js';

/** Incremental decoder of an Ogg/Opus file. */
export class OggOpusDecoder implements FormatDecoder {
  readonly #pages = new OggPages();
  /** The logical stream that is heard; others beside it are ignored. */
  #serial: number | undefined;
  #track: OpusTrack | undefined;
  #tagsSeen = false;
  /** Granule position of the stream's first sample: more than 0 for a piece of a broadcast. */
  #origin: number | undefined;

  async *push(bytes: Uint8Array): AsyncGenerator<AudioChunk> {
    for (const page of this.#pages.push(bytes)) {
      if (page.first && this.#serial === undefined) {
        const [head] = page.packets;
        if (!head || !isOpusHead(head)) continue;
        this.#track = new OpusTrack(readOpusHead(head));
        this.#serial = page.serial;
        this.#tagsSeen = false;
        this.#origin = undefined;
        continue;
      }
      const track = this.#track;
      if (!track || page.serial !== this.#serial) continue;
      const packets = this.#tagsSeen ? page.packets : page.packets.slice(1);
      if (page.packets.length > 0) this.#tagsSeen = true;
      if (packets.length === 0 && !page.last) continue;
      // The position is that of the page's end; a last page that promises less than it holds is to be trimmed.
      yield* track.decode(packets, (decoded) => {
        if (page.granule < 0) return 0;
        if (!page.last) this.#origin ??= Math.max(0, page.granule - decoded);
        return page.last ? decoded - (page.granule - (this.#origin ?? 0)) : 0;
      });
      if (page.last) this.#endStream();
    }
  }

  // biome-ignore lint/correctness/useYield: every page was decoded when it was whole
  async *end(): AsyncGenerator<AudioChunk> {
    if (this.#pages.incomplete) {
      throw broken(
        'Expected whole Ogg pages but the input ended within one. Check that the file is complete.',
      );
    }
  }

  close(): void {
    this.#endStream();
  }

  /** Another may follow: chained files are played one after the other. */
  #endStream(): void {
    this.#track?.close();
    this.#track = undefined;
    this.#serial = undefined;
  }
}
