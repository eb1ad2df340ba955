/**
 * Lets windows into the engine: short ones together, so that it makes one batch of them, as long as their sound fits; a longer one by itself.
 */
import { abortedBy, onAbort } from '../abort.js';

interface Waiting {
  seconds: number;
  enter: () => void;
}

export class Gate {
  #inside = 0;
  #seconds = 0;
  readonly #waiting: Waiting[] = [];

  /** @param capacity Seconds of sound that run together; 0: one window at a time. */
  constructor(private readonly capacity: number) {}

  /** Runs `work` when there is room. Rejects when `signal` is aborted before, or as `work`. */
  async run<T>(seconds: number, signal: AbortSignal | undefined, work: () => Promise<T>): Promise<T> {
    await this.#enter(seconds, signal);
    try {
      return await work();
    } finally {
      this.#inside--;
      this.#seconds -= seconds;
      this.#admit();
    }
  }

  async #enter(seconds: number, signal: AbortSignal | undefined): Promise<void> {
    if (signal?.aborted) throw abortedBy(signal);
    await new Promise<void>((resolve, reject) => {
      const forget =
        signal &&
        onAbort(signal, () => {
          this.#waiting.splice(this.#waiting.indexOf(waiting), 1);
          reject(abortedBy(signal));
        });
      const waiting: Waiting = {
        seconds,
        enter: () => {
          forget?.();
          resolve();
        },
      };
      this.#waiting.push(waiting);
      this.#admit();
    });
  }

  /** In order: a long one must not wait for ever behind short ones that come later. */
  #admit(): void {
    for (let next = this.#waiting[0]; next; next = this.#waiting[0]) {
      if (this.#inside > 0 && this.#seconds + next.seconds > this.capacity) return;
      this.#waiting.shift();
      this.#inside++;
      this.#seconds += next.seconds;
      next.enter();
    }
  }
}
