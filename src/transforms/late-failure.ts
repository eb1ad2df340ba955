/**
 * Failing late: a stream whose input broke ends its output first, and raises the error when all of it was consumed.
 * Only the waiting lives here; what counts as a failure of the input is the caller's matter.
 *
 * `pipeline` discards every queue of the line as soon as one stream fails, so an error raised at once would take words
 * with it that were heard. Who reads through pipes sees a normal end, and the error comes when everything that the
 * pipes lead to has finished; who reads by iterator or by event gets the error in the place of the end.
 */
import type { Readable, Writable } from 'node:stream';
import { Pipes, settled } from './pipes.js';

/** The consumer's progress of one readable stream, as far as failing late needs it. */
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

  /** Call after each `read()` of the stream: the override of `read` is the only place that sees the queue run empty. */
  afterRead(): void {
    if (this.stream.readableLength === 0) this.#onEmpty?.();
  }

  /** Call on destroy: nobody will read the rest. */
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
