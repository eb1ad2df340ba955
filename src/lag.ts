/**
 * How far a live transcript is behind its audio: from the write that brought a piece of sound to the event that makes it final, minus what
 * the lookahead takes on any machine. Only for sources that are no faster than the clock: a file has no lag.
 */
import type { LagEvent } from './events.js';

/** Seconds of lag that are worth an event, and below which the transcript has caught up. */
const WORTH_TELLING = 1;
const MADE_UP = 0.5;
/** Seconds that audio may be ahead of the clock and still count as live: the buffer of a device. */
const LEEWAY = 2;
/** Resolution of arrivals, in seconds of audio. */
const GRAIN = 0.05;

interface Arrival {
  /** Seconds of audio that were there with it. */
  audio: number;
  at: number;
}

/** Follows one stream; times are milliseconds of one clock, audio is in seconds. */
export class LagMeter {
  readonly #arrivals: Arrival[] = [];
  #first: Arrival | undefined;
  #live = true;
  #told = 0;
  #max = 0;

  /** The largest lag so far, in seconds; 0 for a source that is not live. */
  get max(): number {
    return this.#max;
  }

  /** A lag was reported and has not been made up for yet. */
  get behind(): boolean {
    return this.#told > 0;
  }

  /** Audio up to `audio` came with a write at `at`. */
  arrived(audio: number, at: number): void {
    this.#first ??= { audio: 0, at };
    if (audio - (at - this.#first.at) / 1000 > LEEWAY) this.#live = false;
    const last = this.#arrivals.at(-1);
    if (last && (audio <= last.audio || audio - last.audio < GRAIN)) last.audio = Math.max(last.audio, audio);
    else this.#arrivals.push({ audio, at });
    if (!this.#live) this.#arrivals.length = 0;
  }

  /** Audio up to `needed` has become text at `at`: returns the event to send, if any. */
  heard(needed: number, at: number): LagEvent | undefined {
    if (!this.#live) return undefined;
    const index = this.#arrivals.findIndex((arrival) => arrival.audio >= needed - 1e-9);
    const arrival = this.#arrivals[index];
    if (!arrival) return undefined;
    this.#arrivals.splice(0, index);
    const seconds = Math.max(0, (at - arrival.at) / 1000);
    this.#max = Math.max(this.#max, seconds);
    const tell = seconds >= Math.max(WORTH_TELLING, 2 * this.#told);
    const over = this.#told > 0 && seconds < MADE_UP;
    if (!tell && !over) return undefined;
    this.#told = tell ? seconds : 0;
    return { type: 'lag', seconds: this.#told };
  }
}
