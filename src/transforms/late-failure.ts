/**
 * Failing late: a stream whose input broke ends its output first, and raises the error when all of it was consumed.
 * Only the waiting lives here; what counts as a failure of the input is the caller's matter.
 *
 * `pipeline` discards every queue of the line as soon as one stream fails, so an error raised at once would take words
 * with it that were heard. Who reads through pipes sees a normal end, and the error comes when everything that the
 * pipes lead to has finished; who reads by iterator or by event gets the error in the place of the end.
 */
import { finished, type Readable, type Writable } from 'node:stream';

type Piped = { _readableState?: { pipes?: Writable[] } };

/** How often to look whether a destination that nobody ends (the terminal) has written its queue. */
const POLL_MS = 5;

/** The streams at the far ends of all pipes out of `stream`; empty when it is not piped. */
function leavesOf(stream: object): Writable[] {
  const direct = (stream as Piped)._readableState?.pipes ?? [];
  return direct.flatMap((next) => {
    const further = leavesOf(next);
    return further.length > 0 ? further : [next];
  });
}

/** Resolves when `leaf` has finished, failed or closed, or is idle although its source ended, or on `signal`. Never rejects. */
function settled(leaf: Writable, sourceEnded: () => boolean, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const done = () => {
      clearInterval(timer);
      signal.removeEventListener('abort', done);
      stop();
      resolve();
    };
    const stop = finished(leaf, done);
    signal.addEventListener('abort', done);
    // process.stdout and `{ end: false }` destinations are never ended; an empty queue is all that can be waited for.
    const timer = setInterval(() => {
      if (sourceEnded() && !leaf.writableEnded && leaf.writableLength === 0) done();
    }, POLL_MS);
  });
}

/** The consumer's progress of one readable stream, as far as failing late needs it. */
export class LateFailure {
  readonly #cancelled = new AbortController();
  #onEmpty: (() => void) | undefined;

  constructor(private readonly stream: Readable) {}

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
    const leaves = leavesOf(this.stream);
    if (leaves.length > 0) {
      this.stream.push(null);
      const ended = () => this.stream.readableEnded;
      await Promise.all(leaves.map((leaf) => settled(leaf, ended, this.#cancelled.signal)));
    } else if (this.stream.readableLength > 0 && !this.stream.destroyed) {
      await new Promise<void>((resolve) => {
        this.#onEmpty = resolve;
      });
    }
  }
}
