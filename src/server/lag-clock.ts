/**
 * How late the finals of a live transcript are: from the arrival of the sound that they need to the event that makes them final. For raw sound,
 * whose bytes tell its time. Sound that is sent faster than it would be spoken counts from when it would have been: a client that sends a whole
 * recording at once does not make the server late.
 */
import type { InputOptions } from '../index.js';

/** Bytes of one sample in the encodings that clients send. */
const WIDTHS: Partial<Record<NonNullable<InputOptions['format']>, number>> = {
  s16le: 2,
  s32le: 4,
  mulaw: 1,
  alaw: 1,
};
/** Seconds of sound that are remembered as one arrival. */
const GRAIN = 0.05;

/** Sound up to `audio` seconds had come at `at` milliseconds. */
interface Arrival {
  audio: number;
  at: number;
}

export class LagClock {
  readonly #perSecond: number | undefined;
  readonly #lookahead: number;
  readonly #arrivals: Arrival[] = [];
  #first: Arrival | undefined;
  #bytes = 0;

  /** @param lookahead Seconds that a step sees beyond what it makes final. */
  constructor({ format, sampleRate = 0, channels = 1 }: InputOptions, lookahead: number) {
    const width = format && WIDTHS[format];
    this.#perSecond = width && width * sampleRate * channels;
    this.#lookahead = lookahead;
  }

  /** So many bytes came at `at`, in milliseconds. */
  arrived(bytes: number, at: number): void {
    if (this.#perSecond === undefined) return;
    this.#bytes += bytes;
    const audio = this.#bytes / this.#perSecond;
    this.#first ??= { audio, at };
    const spoken = Math.max(at, this.#first.at + (audio - this.#first.audio) * 1000);
    const last = this.#arrivals.at(-1);
    const before = this.#arrivals.at(-2)?.audio ?? 0;
    // The time of an arrival is that of its last byte: nothing is made final before that.
    if (last && audio - before < GRAIN) Object.assign(last, { audio, at: spoken });
    else this.#arrivals.push({ audio, at: spoken });
  }

  /** Everything before `time` became final at `now`: how many seconds later than its sound allowed. Undefined if that is unknown. */
  final(time: number, now: number): number | undefined {
    const needed = time + this.#lookahead - GRAIN / 2;
    const index = this.#arrivals.findIndex(({ audio }) => audio >= needed);
    // At the end, finals need no sound that is still to come.
    if (index < 0) return undefined;
    const [found] = this.#arrivals.splice(0, index + 1).slice(-1);
    return found && Math.max(0, (now - found.at) / 1000);
  }
}
