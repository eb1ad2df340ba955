/**
 * A transcription as one stream: its pipeline of stages between Node's reading and writing, its end and its errors. The stages are in
 * line.ts, what happens to the events in outlet.ts.
 */
import { Duplex, finished, type Readable, type Writable } from 'node:stream';
import { destroyOnAbort } from '../abort.js';
import { publish, type StreamMessage } from '../diagnostics.js';
import type { EndEvent, TranscriptEvent, TranscriptResult } from '../events.js';
import { type BoostPhrase, checkBoost } from '../model/boost.js';
import type { PipelineStage } from '../pipeline-types.js';
import { FlushMark } from '../transforms/flush-mark.js';
import { LateFailure } from '../transforms/late-failure.js';
import { ChannelLines } from './channel-lines.js';
import { Line } from './line.js';
import type { ModelClaim, ModelClaims } from './model-claim.js';
import type { TranscriptionOptions } from './options.js';
import { Outlet } from './outlet.js';
import type { TranscriptLine } from './transcript-line.js';

/** The stream that `parakeet` makes: bytes in, {@link TranscriptEvent}s out. */
// biome-ignore lint/suspicious/noUnsafeDeclarationMerging: the merged type exists for the types of pipeline() only.
export class ParakeetStream extends Duplex {
  readonly #claimModels: ModelClaims;
  readonly #line: TranscriptLine;
  readonly #outlet: Outlet;
  readonly #isLive: boolean;
  readonly #late = new LateFailure(this);
  #claims: ModelClaim[] = [];
  #released: Promise<void> | undefined;
  #lateError: Error | undefined;
  #lineEnded = false;
  /** The reader has room: true from `_read` until `push` returns false. */
  #wanted = false;
  #finished: ((error?: Error | null) => void) | undefined;
  #sourceDuration: number | undefined;
  /** Settles when the pipeline is built, or never will be. */
  readonly #built = withResolvers<void>();

  /** @internal */
  constructor(claimModels: ModelClaims, options: TranscriptionOptions, samples = false) {
    super({ readableObjectMode: true, writableObjectMode: false, readableHighWaterMark: 4 });
    this.#claimModels = claimModels;
    const takes = samples ? 'samples' : 'bytes';
    this.#line = options.speakers ? new ChannelLines(options, takes) : new Line(options, takes);
    this.#outlet = new Outlet(options);
    this.#isLive = options.mode !== 'file';
    destroyOnAbort(this, options.signal);
    // A live source reports sound that it lost, in its own seconds, which are the transcript's. `ffmpeg()` reports the duration of its
    // sound.
    this.on('pipe', (source: Readable & { duration?: number }) => {
      this.#sourceDuration = source.duration;
      source.on('gap', this.#onGap).on('duration', this.#onSourceDuration);
    });
    this.on('unpipe', (source: Readable) => {
      source.off('gap', this.#onGap).off('duration', this.#onSourceDuration);
    });
  }

  /** Seconds of audio that were decoded so far. */
  get seconds(): number {
    return this.#line.decoder?.seconds ?? 0;
  }

  /**
   * Seconds of audio in all: from the container, or from ffmpeg for a source that is piped into this. Undefined as long as it is unknown.
   */
  get duration(): number | undefined {
    return this.#line.decoder?.duration ?? this.#sourceDuration;
  }

  /** The `end` event, as soon as it is on its way to the reader. */
  get endEvent(): EndEvent | undefined {
    return this.#outlet.end;
  }

  /** The transcript so far; undefined without `collect`, or without a word. @internal */
  get heard(): TranscriptResult | undefined {
    return this.#outlet.heard;
  }

  /**
   * Makes everything final that was written so far, without ending the stream: resolves when its last event is on its way to the reader.
   * The model treats this as the end of an utterance, and later audio as a new one; sentences end with it.
   *
   * Resolves at once when the stream is over. Rejects when it fails or is destroyed meanwhile.
   */
  async flush(): Promise<void> {
    if (this.destroyed || this.readableEnded) return;
    const { promise, resolve, reject } = withResolvers<void>();
    const stop = finished(this, { readable: true, writable: false }, (error) => {
      if (error) reject(error);
      else resolve();
    });
    try {
      await Promise.all([promise, Promise.race([promise, this.#sendMark(resolve)])]);
    } finally {
      stop();
    }
  }

  /**
   * Replaces the boosted phrases from the next step on; an empty list boosts none.
   *
   * @throws {@link ArgumentError} for invalid phrases, as a rejection.
   */
  async setBoost(boost: readonly BoostPhrase[]): Promise<void> {
    checkBoost(boost);
    await this.#line.setBoost(boost);
  }

  /** Node's. @internal */
  override _construct(callback: (error?: Error | null) => void): void {
    if (this.destroyed) callback();
    // A failure after destroy() belongs to a load that was cancelled.
    else
      this.#open().then(
        () => callback(),
        (error: Error) => callback(this.destroyed ? null : error),
      );
  }

  /** Node's. @internal */
  override _write(
    chunk: Uint8Array,
    _encoding: BufferEncoding,
    callback: (error?: Error | null) => void,
  ): void {
    if (this.#lateError) {
      callback();
      return;
    }
    const at = performance.now();
    this.#line.write(chunk, (error) => {
      if (this.#isLive) this.#outlet.arrived(this.seconds, at);
      callback(error);
    });
  }

  /** Node's. @internal */
  override _final(callback: (error?: Error | null) => void): void {
    // The writing side ends with the pipeline, not before: a late failure must find the stream open.
    this.#finished = callback;
    if (!this.#lineEnded) this.#line.end();
  }

  /** Node's. @internal */
  override _read(): void {
    this.#wanted = true;
    this.#forward();
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

  override destroy(error?: Error, callback?: (error: Error | null) => void): this {
    // Before the model is there Node delays `_destroy`; returning the claim stops the load. `_destroy` reports a failure of that.
    if (!this.#line.isOpen) this.#release().catch(() => {});
    return (super.destroy as (error?: Error, callback?: (error: Error | null) => void) => this)(
      error,
      callback,
    );
  }

  /** Node's. @internal */
  override _destroy(error: Error | null, callback: (error?: Error | null) => void): void {
    this.#late.cancel();
    this.#built.resolve();
    if (this.#line.isOpen)
      publish('stream', (): StreamMessage => ({ state: 'closed', ...(error && { error }) }));
    this.#line
      .destroy(error ?? undefined)
      .then(() => this.#release())
      .then(
        () => callback(error),
        (failure: Error) => callback(error ?? failure),
      );
  }

  /** The events, one by one. */
  override [Symbol.asyncIterator](): NodeJS.AsyncIterator<TranscriptEvent> {
    return super[Symbol.asyncIterator]() as NodeJS.AsyncIterator<TranscriptEvent>;
  }

  async #open(): Promise<void> {
    const claims = [this.#claimModels.model(), this.#claimModels.draftModel?.()];
    this.#claims = claims.filter((claim) => claim !== undefined);
    const [model, draftModel] = await Promise.all(claims.map((claim) => claim?.model));
    if (this.destroyed || !model) return;
    const models = { model, draftModel };
    this.#line.open(models, {
      onError: (error) => this.destroy(error),
      onLateFailure: (error) => {
        this.#lateError ??= error;
      },
      onGap: this.#onGap,
      onReadable: () => this.#forward(),
      onEnd: () => this.#onLineEnd(),
    });
    this.#built.resolve();
    publish('stream', (): StreamMessage => ({ state: 'open' }));
  }

  async #sendMark(passed: () => void): Promise<void> {
    await this.#built.promise;
    if (this.writableEnded || this.destroyed) return passed();
    // Behind what was written: the callback of an empty write comes when all earlier writes were taken.
    await new Promise<void>((resolve) => super.write(new Uint8Array(0), () => resolve()));
    if (this.destroyed || this.#lineEnded || this.#lateError) return passed();
    await this.#line.mark(passed);
  }

  readonly #onSourceDuration = (seconds: number) => {
    this.#sourceDuration = seconds;
  };

  readonly #onGap = (gap: { start: number; end: number }) => this.#outlet.addGap(gap);

  /** Passes on what the pipeline has, as long as the reader wants more. */
  #forward(): void {
    while (this.#wanted && !this.destroyed) {
      const event = this.#line.read();
      if (event === null) return;
      if (event instanceof FlushMark) event.passed();
      else this.#send(this.#outlet.pass(event, this.#line.ahead));
      // Drafts are what can be left out first when the machine is slower than speech.
      this.#line.behind = this.#outlet.behind;
    }
  }

  #send(events: Iterable<TranscriptEvent>): void {
    for (const event of events) {
      if (this.destroyed) return;
      this.#wanted = this.push(event);
      // For code that sees the stream but not its events, which go to the sink.
      if (event.type === 'progress') this.emit('progress', event.time);
    }
  }

  #onLineEnd(): void {
    this.#lineEnded = true;
    this.#send(this.#outlet.gapsUntil(Number.MAX_VALUE));
    const error = this.#lateError;
    if (error) {
      this.#late.consumed().then(() => this.destroy(error));
      return;
    }
    // The end means that the engine's work has ended.
    this.#line.closed().then(() => {
      if (this.destroyed) return;
      this.push(null);
      this.#finished?.();
    });
  }

  #release(): Promise<void> {
    this.#released ??= Promise.all(this.#claims.map((claim) => claim.release())).then(() => undefined);
    return this.#released;
  }
}

/** For the types of `pipeline()`. */
export interface ParakeetStream extends PipelineStage<TranscriptEvent> {}

/** `Promise.withResolvers`, which Node 20 lacks. */
function withResolvers<T>() {
  let resolve: (value: T) => void = () => {};
  let reject: (error: Error) => void = () => {};
  const promise = new Promise<T>((yes, no) => {
    resolve = yes;
    reject = no;
  });
  return { promise, resolve, reject };
}
