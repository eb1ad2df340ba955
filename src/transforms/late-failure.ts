/**
 * Late failure: a stream whose input broke ends its output first, and raises the error when everything was consumed. Only the waiting is
 * here; the caller decides what counts as a failure of the input.
 *
 * `pipeline` discards every queue as soon as one stream fails, so an error raised at once would lose words that were already transcribed. A
 * consumer that reads through pipes sees a normal end, and the error comes when everything downstream of the pipes has finished; one that
 * iterates or listens to events gets the error in place of the end.
 */
import type { Readable, Writable } from 'node:stream';
import { Pipes, settled } from './pipes.js';

/** How far one readable stream was consumed, as far as a late failure needs it. */
export class LateFailure {
  readonly #cancelled = new AbortController();
  readonly #pipes: Pipes;
  #onEmpty: (() => void) | undefined;

  constructor(private readonly stream: Readable) {
    this.#pipes = new Pipes(stream);
  }

  /** Call from the stream's `pipe`, before Node's. */
  piped(destination: Writable): void {
    this.#pipes.add(destination);
  }

  /** Call after each `read()` of the stream: only the override of `read` sees the queue run empty. */
  afterRead(): void {
    if (this.stream.readableLength === 0) this.#onEmpty?.();
  }

  /** Call on destroy: the rest will not be read. */
  cancel(): void {
    this.#cancelled.abort();
    this.#onEmpty?.();
  }

  /** Resolves when everything pushed so far is consumed, or on `cancel`; ends the output if it is piped. */
  async consumed(): Promise<void> {
    const leaves = this.#pipes.leaves();
    if (leaves.length > 0) {
      this.stream.push(null);
      await Promise.all(leaves.map((leaf) => settled(leaf, this.#cancelled.signal)));
    } else if (this.stream.readableLength > 0 && !this.stream.destroyed) {
      await new Promise<void>((resolve) => {
        this.#onEmpty = resolve;
      });
    }
  }
}
