/**
 * The base of every sink: an object-mode Writable of transcript events that writes text to a target. What text, the
 * subclasses know; how it gets there, destination.ts.
 */
import { Writable } from 'node:stream';
import type { TranscriptEvent } from '../events.js';
import { expected } from '../options.js';
import { checkTarget, type Destination, openTarget, type SinkTarget } from './destination.js';

/** Options that every sink takes. */
export interface SinkOptions {
  /** Destroys the sink with an `AbortError` when it is aborted. */
  signal?: AbortSignal | undefined;
}

type Done = (error?: Error | null) => void;

/** A Writable of {@link TranscriptEvent}. It closes its target at the end, whether an `end` event came or not. */
export abstract class Sink extends Writable {
  protected readonly target: SinkTarget;
  #destination: Destination | undefined;

  /** @throws {@link ArgumentError} when `target` is nothing that can be written to. */
  constructor(target: unknown, options: SinkOptions = {}) {
    // Before super(): Node opens the target of whatever was constructed, also when this constructor throws afterwards.
    const checked = checkTarget(target);
    super({ objectMode: true, highWaterMark: 4, ...(options.signal ? { signal: options.signal } : {}) });
    this.target = checked;
  }

  /** Writes what an event adds. Event types that it does not know add nothing. */
  protected abstract handle(event: TranscriptEvent): Promise<void>;

  /** Writes what stands before the first event. */
  protected async begin(): Promise<void> {}

  /** Writes what stands after the last event. */
  protected async conclude(): Promise<void> {}

  /** Frees what the subclass holds; on success, failure and destroy alike. */
  protected async release(): Promise<void> {}

  /** Opens the target. */
  protected open(): Promise<Destination> {
    return openTarget(this.target, (error) => this.destroy(error));
  }

  /** One write, whole: after it the target is valid. */
  protected async text(text: string): Promise<void> {
    await this.#destination?.write(text);
  }

  /** Node's. @internal */
  override _construct(callback: Done): void {
    const start = async (): Promise<void> => {
      this.#destination = await this.open();
      await this.begin();
    };
    start().then(() => callback(), callback);
  }

  /** Node's. @internal */
  override _write(event: unknown, _encoding: BufferEncoding, callback: Done): void {
    if (!isEvent(event)) {
      callback(
        expected('a transcript event (an object with a type)', 'the sink', event, 'Pipe parakeet() into it'),
      );
      return;
    }
    this.handle(event).then(() => callback(), callback);
  }

  /** Node's. @internal */
  override _final(callback: Done): void {
    const end = async (): Promise<void> => {
      await this.conclude();
      await this.#destination?.close();
      this.#destination = undefined;
    };
    end().then(() => callback(), callback);
  }

  /** Node's. @internal */
  override _destroy(error: Error | null, callback: Done): void {
    const free = async (): Promise<void> => {
      await this.release();
      await this.#destination?.abort(error);
      this.#destination = undefined;
    };
    free().then(
      () => callback(error),
      (failure: Error) => callback(error ?? failure),
    );
  }
}

function isEvent(value: unknown): value is TranscriptEvent {
  return (
    typeof value === 'object' && value !== null && typeof (value as { type?: unknown }).type === 'string'
  );
}
