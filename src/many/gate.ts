/**
 * Lets work in as long as there is room for its size, in the order in which it comes; what is larger than all the room runs by itself. Such
 * as windows into the engine, which makes one batch of short ones.
 */
import { abortedBy, onAbort, throwIfAborted } from '../abort.js';

interface Waiting {
  size: number;
  enter: () => void;
}

export class Gate {
  #inside = 0;
  #taken = 0;
  readonly #waiting: Waiting[] = [];

  /** @param capacity The sizes that run together; 0: one at a time. */
  constructor(private readonly capacity: number) {}

  /** Runs `work` when there is room. Rejects when `signal` is aborted before, or as `work`. */
  async run<T>(size: number, signal: AbortSignal | undefined, work: () => Promise<T>): Promise<T> {
    await this.#enter(size, signal);
    try {
      return await work();
    } finally {
      this.#inside--;
      this.#taken -= size;
      this.#admit();
    }
  }

  async #enter(size: number, signal: AbortSignal | undefined): Promise<void> {
    throwIfAborted(signal);
    await new Promise<void>((resolve, reject) => {
      const forget =
        signal &&
        onAbort(signal, () => {
          this.#waiting.splice(this.#waiting.indexOf(waiting), 1);
          reject(abortedBy(signal));
        });
      const waiting: Waiting = {
        size,
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
      if (this.#inside > 0 && this.#taken + next.size > this.capacity) return;
      this.#waiting.shift();
      this.#inside++;
      this.#taken += next.size;
      next.enter();
    }
  }
}
