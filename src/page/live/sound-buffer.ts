/**
 * The last minute of sound, by the number of its first sample: what may have to be sent again when a connection breaks. What was lost before
 * that is silence, so that later times stay right.
 */

/** Seconds that are kept. */
export const KEPT_SECONDS = 60;
/** Most samples of one message: a second of 48 kHz. */
const MOST_SAMPLES = 48_000;

export class SoundBuffer {
  readonly #kept: number;
  readonly #chunks: Int16Array[] = [];
  /** Numbers of the first sample that is kept, and of the next one to come. */
  #first = 0;
  #end = 0;

  /** @param rate Samples per second. */
  constructor(rate: number) {
    this.#kept = KEPT_SECONDS * rate;
  }

  /** The number of the next sample to come. */
  get end(): number {
    return this.#end;
  }

  /** The number of the first sample that is kept. */
  get first(): number {
    return this.#first;
  }

  add(samples: Int16Array): void {
    this.#chunks.push(samples);
    this.#end += samples.length;
    while (this.#end - this.#first > this.#kept) this.#first += this.#chunks.shift()?.length ?? 0;
  }

  /** Samples from this number on, one message at most; silence for those that are lost. Empty at the end. */
  from(position: number): Int16Array {
    if (position >= this.#end) return new Int16Array(0);
    if (position < this.#first) return new Int16Array(Math.min(MOST_SAMPLES, this.#first - position));
    let at = this.#first;
    for (const chunk of this.#chunks) {
      if (position < at + chunk.length) return chunk.subarray(position - at, position - at + MOST_SAMPLES);
      at += chunk.length;
    }
    return new Int16Array(0);
  }
}
