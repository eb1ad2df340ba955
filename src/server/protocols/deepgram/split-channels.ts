/** Interleaved samples to one buffer a channel, whatever the pieces that they come in. */
import type { PcmEncoding } from '../../../index.js';

const SAMPLE_BYTES: Partial<Record<PcmEncoding, number>> = { s16le: 2, s32le: 4, mulaw: 1, alaw: 1 };

export class SplitChannels {
  readonly #channels: number;
  readonly #width: number;
  #rest: Buffer = Buffer.alloc(0);

  constructor(channels: number, encoding: PcmEncoding) {
    this.#channels = channels;
    this.#width = SAMPLE_BYTES[encoding] ?? 2;
  }

  /** The samples of each channel; what is no whole set of samples waits. */
  take(bytes: Buffer): Buffer[] {
    if (this.#channels === 1) return [bytes];
    const all = this.#rest.length === 0 ? bytes : Buffer.concat([this.#rest, bytes]);
    const size = this.#channels * this.#width;
    const sets = Math.floor(all.length / size);
    this.#rest = Buffer.from(all.subarray(sets * size));
    return Array.from({ length: this.#channels }, (_, channel) => {
      const out = Buffer.allocUnsafe(sets * this.#width);
      for (let set = 0; set < sets; set++) {
        const at = set * size + channel * this.#width;
        all.copy(out, set * this.#width, at, at + this.#width);
      }
      return out;
    });
  }
}
