/**
 * The voice in a stream, for those who divide it into turns: where it began, and whether sound was over without a word. `speechStart` and
 * `speechEnd` come before the words of the sound around them, so a voice may have begun while the turn before it is not final yet.
 */
import type { TranscriptEvent } from './events.js';

/** Seconds of final quiet after which sound without words counts as no turn. */
const NO_WORDS = 1;

export class Voice {
  #since: number | undefined;
  #quietSince = 0;

  /** When the voice that sounds now began; undefined in silence. */
  get since(): number | undefined {
    return this.#since;
  }

  /** When the last voice before ended. */
  get quietSince(): number {
    return this.#quietSince;
  }

  take(event: TranscriptEvent): void {
    if (event.type === 'speechStart') this.#since = event.time;
    if (event.type !== 'speechEnd') return;
    this.#since = undefined;
    this.#quietSince = event.time;
  }

  /** Whether the sound that began at `begun` is over, and everything up to `time` being final, no word of it will come. */
  over(begun: number, time: number): boolean {
    const settled = this.#quietSince + NO_WORDS;
    if (time < settled) return false;
    return this.#since === undefined || (this.#quietSince >= begun && this.#since >= settled);
  }
}
