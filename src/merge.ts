/**
 * Several labelled streams of events merged into one transcript in the order of time. The speakers are known beforehand (one per stream);
 * nothing here analyses sound. This file has the streams: how inputs are read, back-pressure, failures. The order is in merge/ordering.ts.
 */

import { Readable, type Writable } from 'node:stream';
import { destroyOnAbort } from './abort.js';
import { isAbort } from './errors.js';
import type { TranscriptEvent } from './events.js';
import { DEFAULT_MAX_HOLD, Ordering, type Voice } from './merge/ordering.js';
import { expected, finite, known, oneOf, optionalSignal } from './options.js';
import { LateFailure } from './transforms/late-failure.js';

/** Options of {@link merge}. */
export interface MergeOptions {
  /**
   * Seconds that an open sentence may hold back those of others that began after it but are already complete, at least 0. After that the
   * others go first, out of the order of their starts.
   * @defaultValue 10
   */
  maxHold?: number | undefined;
  /**
   * What happens when an input fails, besides its `left` event with the `error`; the others always continue. `'fail'`: when all inputs are
   * over and everything is read, the merged stream fails with the first such error. `'report'`: nothing else.
   * @defaultValue `'fail'`
   */
  inputErrors?: 'fail' | 'report' | undefined;
  /** Destroys the stream and its inputs with an `AbortError` when it is aborted. */
  signal?: AbortSignal | undefined;
}

/** Options of one input. */
export interface MergeInputOptions {
  /**
   * Where the input's time 0 is on the merged clock, in seconds, at least 0.
   * @defaultValue 0
   */
  offset?: number | undefined;
}

/** An input of {@link merge}: a `parakeet()` stream, or any async iterable of the same events. */
export type Events = AsyncIterable<TranscriptEvent>;

/** The stream that {@link merge} makes: a Readable of {@link TranscriptEvent}s. */
export class MergedTranscript extends Readable {
  readonly #order: Ordering;
  readonly #failing: boolean;
  /** The inputs that are being read. */
  readonly #inputs = new Set<Events>();
  readonly #late = new LateFailure(this);
  #failure: Error | undefined;
  /** Set at the end when there is a failure: resolves when everything is consumed. */
  #raised: Promise<void> | undefined;
  #closing = false;
  #ended = false;
  /** The reader has room; until then no input is read. */
  #room = false;
  #waiting: (() => void)[] = [];

  /** @internal */
  constructor(options: MergeOptions) {
    known('merge', options, ['maxHold', 'inputErrors', 'signal']);
    const maxHold = finite('maxHold', options.maxHold ?? DEFAULT_MAX_HOLD, 0);
    const failing = oneOf('inputErrors', options.inputErrors ?? 'fail', ['fail', 'report']) === 'fail';
    const signal = optionalSignal('signal', options.signal);
    super({ objectMode: true, highWaterMark: 8 });
    this.#order = new Ordering(maxHold, (event) => this.#push(event));
    this.#failing = failing;
    destroyOnAbort(this, signal);
  }

  /** The labels of the inputs that are not over. */
  get speakers(): string[] {
    return this.#order.speakers;
  }

  /**
   * Adds an input. This is possible at any time before {@link end}; from then on the transcript waits for its `progress`, too.
   *
   * @param speaker The `speaker` of its events.
   * @throws {@link ArgumentError} for the label of another input that is not over, for anything but a stream of events, or after
   * {@link end}.
   */
  add(speaker: string, events: Events, options: MergeInputOptions = {}): this {
    known('an input of merge', options, ['offset']);
    const offset = finite('offset', options.offset ?? 0, 0);
    if (typeof speaker !== 'string' || speaker === '')
      throw expected('a string that is not empty', 'speaker', speaker);
    if (typeof events !== 'object' || events === null || !(Symbol.asyncIterator in events)) {
      throw expected('a Readable or an async iterable of events', `the input of ${speaker}`, events);
    }
    if (this.speakers.includes(speaker)) {
      throw expected('one input for each speaker', 'speaker', speaker, 'Its input is not over yet.');
    }
    if (this.#closing || this.destroyed)
      throw expected('no input after end()', 'merge', speaker, 'Add it before.');
    this.#inputs.add(events);
    this.#read(events, this.#order.add(speaker, offset));
    return this;
  }

  /** Declares that no further input will come: the stream ends when all are over. */
  end(): this {
    this.#closing = true;
    this.#goOn();
    return this;
  }

  /** Node's. @internal */
  override _read(): void {
    this.#room = true;
    this.#wake();
  }

  /** Node's. @internal */
  override pipe<T extends NodeJS.WritableStream>(destination: T, options?: { end?: boolean }): T {
    this.#late.piped(destination as unknown as Writable);
    return super.pipe(destination, options);
  }

  override read(size?: number): TranscriptEvent | null {
    const event = super.read(size) as TranscriptEvent | null;
    this.#late.afterRead();
    return event;
  }

  /** Node's. @internal */
  override _destroy(error: Error | null, callback: (error?: Error | null) => void): void {
    const failure = this.#failure;
    if (!error && failure && this.#raised) {
      // Read to its end: the failure comes when the stream it was piped to has finished, too.
      this.#raised.then(() => callback(failure));
      return;
    }
    this.#late.cancel();
    for (const events of this.#inputs) stop(events, error);
    this.#wake();
    callback(error);
  }

  /** The events, one by one. */
  override [Symbol.asyncIterator](): NodeJS.AsyncIterator<TranscriptEvent> {
    return super[Symbol.asyncIterator]() as NodeJS.AsyncIterator<TranscriptEvent>;
  }

  /** Reads one input to its end. Never rejects. */
  async #read(events: Events, voice: Voice): Promise<void> {
    let failure: Error | undefined;
    try {
      for await (const event of events) {
        if (!this.#ended) this.#order.take(voice, event);
        this.#goOn();
        while (this.#mustWait(voice)) await new Promise<void>((resolve) => this.#waiting.push(resolve));
        if (this.destroyed) return;
      }
    } catch (error) {
      failure = error instanceof Error ? error : new Error(String(error));
    }
    this.#inputs.delete(events);
    if (this.destroyed) return;
    this.#order.end(voice, failure);
    this.#goOn();
  }

  /** An input is not read while the reader is slow, or while the input is far ahead of another. */
  #mustWait(voice: Voice): boolean {
    if (this.destroyed) return false;
    return !this.#room || this.#order.mustWait(voice);
  }

  /** After a change: ends the stream if everything is over, and lets the waiting inputs check again. */
  #goOn(): void {
    if (this.#closing && this.#order.empty && !this.destroyed && !this.#ended) this.#finish();
    this.#wake();
  }

  #finish(): void {
    this.#ended = true;
    this.#push({ type: 'end', stats: this.#order.stats });
    const failure = this.#failure;
    if (!failure) {
      this.push(null);
      return;
    }
    this.#raised = this.#late.consumed();
    this.#raised.then(() => this.destroy(failure));
  }

  #push(event: TranscriptEvent): void {
    if (this.destroyed) return;
    if (event.type === 'left' && event.error && this.#failing && !isAbort(event.error)) {
      this.#failure ??= event.error;
    }
    this.#room = this.push(event);
  }

  #wake(): void {
    const waiting = this.#waiting;
    this.#waiting = [];
    for (const resume of waiting) resume();
  }
}

function stop(events: Events, error: Error | null): void {
  (events as Partial<Readable>).destroy?.(error ?? undefined);
}

/**
 * Merges streams of events, one per speaker, into one transcript in the order of time. Each event gets its input's label as `speaker`.
 *
 * Tokens are ordered by their starts, sentences by theirs; each is emitted as soon as no input can emit an earlier one, that is, when all
 * have passed that time (`progress`). Overlapping speech is kept. Each `draft` is emitted at once and includes the tokens that still wait.
 * `progress` is that of the slowest input. When an input is over, `left` follows its last event; an input that fails never ends the others
 * (see `inputErrors`). The last event is `end`, with the sums of the statistics and the worst of the latencies.
 *
 * A slow reader stops all inputs; an input that is ahead of another by more than 64 finals waits for it.
 *
 * @param inputs by label; the stream ends with the last of them. Without it, inputs are added by `add(speaker, events, { offset })` at any
 * time, and the stream ends after `end()` when all are over.
 * @throws {@link ArgumentError} for an input that is not a stream of events, or an option out of its range.
 *
 * @example
 * ```js
 * import { createReadStream } from 'node:fs';
 * import { pipeline } from 'node:stream/promises';
 * import { loadModel, merge, parakeet, txtWriter } from 'parakeet-stream';
 *
 * const model = await loadModel();
 * const speaker = () => createReadStream('talk.flac').pipe(parakeet({ model }));
 * await pipeline(merge({ Anna: speaker(), Ben: speaker() }), txtWriter('talk.txt'));
 * await model.close();
 * ```
 */
export function merge(inputs?: Record<string, Events> | null, options: MergeOptions = {}): MergedTranscript {
  const merged = new MergedTranscript(options);
  if (inputs === undefined || inputs === null) return merged;
  try {
    for (const [speaker, events] of Object.entries(inputs)) merged.add(speaker, events);
  } catch (error) {
    merged.destroy();
    throw error;
  }
  return merged.end();
}
