/**
 * The base of every stage: an object-mode Transform that respects back-pressure, frees its state when it is destroyed, and can fail late.
 * It knows nothing of audio or of models.
 */
import { Transform, type TransformCallback, type Writable } from 'node:stream';
import { destroyOnAbort } from '../abort.js';
import { AbortedError } from '../errors.js';
import type { PipelineStage } from '../pipeline-types.js';
import { FlushMark } from './flush-mark.js';
import { LateFailure } from './late-failure.js';
import { nextTurn, turnIsOver } from './pace.js';

/** Options that every stage takes. */
export interface StageOptions {
  /** Destroys the stage with an `AbortError` when it is aborted. */
  signal?: AbortSignal | undefined;
}

/** How a stage differs from "objects in, objects out". */
export interface StageSetup extends StageOptions {
  /**
   * False for a stage that takes bytes.
   * @defaultValue true
   */
  writableObjectMode?: boolean;
  /**
   * Objects that wait to be processed. Ignored for bytes (Node's default of 16 KiB).
   * @defaultValue 2
   */
  writableHighWaterMark?: number;
  /**
   * Objects that wait to be read.
   * @defaultValue 2
   */
  readableHighWaterMark?: number;
}

/**
 * A Transform from `In` to `Out`. Subclasses implement `process` and `finish` and pass on results with `await this.emitOne(x)`.
 *
 * A plain Transform keeps pushing even if its reader is slow; this one waits inside `emitOne` until the reader asks again, so `process`
 * never runs ahead by more than `readableHighWaterMark` objects.
 */
// biome-ignore lint/suspicious/noUnsafeDeclarationMerging: the merged type exists for the types of pipeline() only.
export abstract class Stage<In, Out> extends Transform {
  readonly #late = new LateFailure(this);
  #resume: (() => void) | undefined;
  #halt: ((error: Error) => void) | undefined;
  #lateError: Error | undefined;
  #raised: Promise<void> | undefined;

  /**
   * Takes over an error of the input: set by a composition that raises it at its own end. Without it the stage raises the error itself, see
   * {@link failLate}.
   * @internal
   */
  onLateFailure: ((error: Error) => void) | undefined;

  constructor(setup: StageSetup = {}) {
    const bytes = setup.writableObjectMode === false;
    super({
      readableObjectMode: true,
      writableObjectMode: !bytes,
      readableHighWaterMark: setup.readableHighWaterMark ?? 2,
      ...(bytes ? {} : { writableHighWaterMark: setup.writableHighWaterMark ?? 2 }),
    });
    destroyOnAbort(this, setup.signal);
  }

  /** Handles one object; resolves when the next one may come. */
  protected abstract process(chunk: In): Promise<void>;

  /** Called once, when the input has ended. */
  protected async finish(): Promise<void> {}

  /** Emits what is held back for audio yet to come: `flush()` was called after it. More will come. */
  protected async flushHeld(): Promise<void> {}

  /** Frees the state; called once, on success, failure and destroy alike. `error` is the cause, if there is one. */
  protected async release(_error: Error | null): Promise<void> {}

  /** Emits one object; resolves when there is room for more. Rejects when the stage is destroyed meanwhile. */
  protected async emitOne(object: Out): Promise<void> {
    if (this.destroyed) throw new AbortedError();
    if (this.push(object)) {
      // A reader that always has room would keep the event loop for as long as there is input.
      if (turnIsOver()) await nextTurn();
      return;
    }
    await new Promise<void>((resolve, reject) => {
      this.#resume = resolve;
      this.#halt = reject;
    });
  }

  /**
   * Call it when the input is broken: what was emitted stays valid and reaches its reader, further input is discarded, and the stage fails
   * with `error` once everything downstream has finished. Return from `process` or `finish` after it.
   */
  protected failLate(error: Error): void {
    if (this.#lateError || this.destroyed) return;
    this.#lateError = error;
    if (this.onLateFailure) {
      this.onLateFailure(error);
      this.push(null);
      // A failure that comes from elsewhere than `process`: nobody asks a stream for more after its end.
      this.#resume?.();
      return;
    }
    this.#raised = this.#late.consumed().then(() => {
      this.destroy(error);
    });
  }

  /** Sends a mark after everything that was emitted so far. @internal */
  mark(mark: FlushMark): void {
    if (!this.destroyed && !this.readableEnded) this.push(mark);
  }

  /** Node's. @internal */
  override _transform(chunk: In | FlushMark, _encoding: BufferEncoding, callback: TransformCallback): void {
    if (this.#lateError) {
      callback();
      return;
    }
    const work =
      chunk instanceof FlushMark ? this.flushHeld().then(() => this.mark(chunk)) : this.process(chunk);
    work.then(() => callback(), callback);
  }

  /** Node's. @internal */
  override _flush(callback: TransformCallback): void {
    const finish = this.#lateError ? Promise.resolve() : this.finish();
    // A late failure also holds back the end of the writing side: an end on both sides would close the stage as a success.
    finish.then(() => this.#raised).then(() => callback(), callback);
  }

  /** Node's. @internal */
  override _read(size: number): void {
    const resume = this.#resume;
    this.#resume = undefined;
    this.#halt = undefined;
    resume?.();
    super._read(size);
  }

  /** Node's. @internal */
  override pipe<T extends NodeJS.WritableStream>(destination: T, options?: { end?: boolean }): T {
    // Within a composition, the composition is what is read.
    if (!this.onLateFailure) this.#late.piped(destination as unknown as Writable);
    return super.pipe(destination, options);
  }

  override read(size?: number): Out | null {
    const object = super.read(size) as Out | null;
    this.#late.afterRead();
    return object;
  }

  /** Node's. @internal */
  override _destroy(error: Error | null, callback: (error?: Error | null) => void): void {
    this.#halt?.(new AbortedError('The stage was destroyed', error ? { cause: error } : undefined));
    this.#halt = undefined;
    this.#resume = undefined;
    this.#late.cancel();
    this.release(error).then(
      () => callback(error),
      (failure: Error) => callback(error ?? failure),
    );
  }

  /** The emitted objects, one by one. */
  override [Symbol.asyncIterator](): NodeJS.AsyncIterator<Out> {
    return super[Symbol.asyncIterator]() as NodeJS.AsyncIterator<Out>;
  }
}

/** For the types of `pipeline()`. */
// biome-ignore lint/correctness/noUnusedVariables: merged declarations need the same parameters.
export interface Stage<In, Out> extends PipelineStage<Out> {}
