/** Cuts an excerpt out of audio as it passes, to the sample. */
import type { AudioChunk } from '../../events.js';

/** Of one stream. Seconds count samples, whatever their rate. */
export class ExcerptCutter {
  /** Seconds that have passed. */
  #time = 0;

  /** @param start Seconds to drop. @param duration Seconds to keep after that. */
  constructor(
    private readonly start: number,
    private readonly duration: number,
  ) {}

  /** Everything that was wanted has passed. */
  get over(): boolean {
    return this.#time >= this.start + this.duration;
  }

  /** What is wanted of a chunk; undefined for nothing. */
  take(chunk: AudioChunk): AudioChunk | undefined {
    const { channels, sampleRate } = chunk;
    const length = channels[0]?.length ?? 0;
    const at = (seconds: number) =>
      Math.min(length, Math.max(0, Math.round((seconds - this.#time) * sampleRate)));
    const [begin, end] = [at(this.start), at(this.start + this.duration)];
    this.#time += length / sampleRate;
    if (begin >= end) return undefined;
    if (begin === 0 && end === length) return chunk;
    return { channels: channels.map((plane) => plane.subarray(begin, end)), sampleRate };
  }
}
