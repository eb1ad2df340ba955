/**
 * The base of every sink: an object-mode Writable of transcript events that writes text to a target. Subclasses decide what text;
 * destination.ts writes it.
 */
import { Writable } from 'node:stream';
import { destroyOnAbort } from '../abort.js';
import type { TranscriptEvent } from '../events.js';
import { expected, finite, known, optionalBoolean, optionalSignal } from '../options.js';
import { shifted } from '../shift.js';
import {
  checkTarget,
  type Destination,
  openTarget,
  type SinkTarget,
  targetPath,
  writeError,
} from './destination.js';
import { NOTHING, type Previous } from './previous.js';

/** Options that every sink takes. */
export interface SinkOptions {
  /** Destroys the sink with an `AbortedError` when it is aborted. */
  signal?: AbortSignal | undefined;
  /**
   * Seconds that are added to all times, at least 0: where this stream begins in a longer recording.
   * @defaultValue 0
   */
  offset?: number | undefined;
}

/** Options of the sinks that write files. */
export interface FileSinkOptions extends SinkOptions {
  /**
   * Continue an existing file instead of replacing it: numbering goes on, and a header is not written again. {@link Sink.continuesAt} says
   * where its times end. Needs a path.
   * @defaultValue false
   */
  append?: boolean | undefined;
}

const sinkKeys = ['signal', 'offset'] as const;
const fileKeys = [...sinkKeys, 'append'] as const;

type Done = (error?: Error | null) => void;

/** A Writable of {@link TranscriptEvent}. It closes its target at the end, even without an `end` event. */
export abstract class Sink extends Writable {
  protected readonly target: SinkTarget;
  readonly #offset: number;
  readonly #append: boolean;
  #destination: Destination | undefined;
  /** What the target holds already. @internal */
  protected previous: Previous = NOTHING;
  #opened = false;
  #waiting: { resolve: () => void; reject: (error: Error) => void }[] = [];

  /**
   * @param options Checked by the subclass, which knows all of them.
   * @throws {@link ArgumentError} when `target` cannot be written to.
   */
  constructor(target: unknown, options: FileSinkOptions = {}) {
    // Before super(): Node opens the target of whatever was constructed, even if this constructor throws afterwards.
    const checked = checkTarget(target);
    if (options.append === true && targetPath(checked) === undefined)
      throw expected('a path beside append', 'the destination', target);
    super({ objectMode: true, highWaterMark: 4 });
    this.target = checked;
    this.#offset = options.offset ?? 0;
    this.#append = options.append ?? false;
    destroyOnAbort(this, options.signal);
  }

  /** Resolves when the target is open, rejects with the reason why it cannot be opened. Events can be written before. */
  async ready(): Promise<void> {
    if (this.#opened) return;
    if (this.errored) throw this.errored;
    await new Promise<void>((resolve, reject) => this.#waiting.push({ resolve, reject }));
  }

  /** With `append`: seconds at which the existing content ends, known once `ready`. Otherwise 0. */
  get continuesAt(): number {
    return this.previous.end;
  }

  /** Writes what an event adds. Unknown event types add nothing. */
  protected abstract handle(event: TranscriptEvent): Promise<void>;

  /** Writes what precedes the first event. */
  protected async begin(): Promise<void> {}

  /** Writes what follows the last event. */
  protected async conclude(): Promise<void> {}

  /** Frees what the subclass holds; on success, failure and destroy alike. */
  protected async release(): Promise<void> {}

  /** Reads the end of a file that is to be continued. @internal */
  protected async readPrevious(_path: string): Promise<Previous> {
    return NOTHING;
  }

  /** Opens the target. */
  protected open(): Promise<Destination> {
    return openTarget(this.target, (error) => this.destroy(error), this.#append);
  }

  /** One write, complete: after it the target is valid. */
  protected async text(text: string): Promise<void> {
    await this.#destination?.write(text);
  }

  /** Whether the target is a regular file: writing to it does not wait for a reader. */
  protected async isFile(): Promise<boolean> {
    return (await this.#destination?.isFile?.()) ?? false;
  }

  /** Node's. @internal */
  override _construct(callback: Done): void {
    const start = async (): Promise<void> => {
      if (this.#append) {
        const path = targetPath(this.target) as string;
        this.previous = await this.readPrevious(path).catch((error: unknown) => {
          throw writeError(path, error);
        });
      }
      this.#destination = await this.open();
      await this.begin();
    };
    start().then(
      () => {
        this.#opened = true;
        for (const { resolve } of this.#waiting) resolve();
        callback();
      },
      (error: Error) => callback(error),
    );
  }

  /** Node's. @internal */
  override _write(event: unknown, _encoding: BufferEncoding, callback: Done): void {
    if (!isEvent(event)) {
      callback(
        expected('a transcript event (an object with a type)', 'the sink', event, 'Pipe parakeet() into it'),
      );
      return;
    }
    this.handle(shifted(event, this.#offset)).then(() => callback(), callback);
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
      () => this.#closed(error, callback),
      (failure: Error) => this.#closed(error ?? failure, callback),
    );
  }

  #closed(error: Error | null, callback: Done): void {
    const reason = error ?? writeError('the target', new Error('the sink was destroyed'));
    if (!this.#opened) for (const { reject } of this.#waiting) reject(reason);
    callback(error);
  }
}

/** Checks the options that every sink takes, and that there are none besides these and `more`. @throws {@link ArgumentError} */
export function checkSinkOptions(what: string, options: SinkOptions, more: readonly string[] = []): void {
  check(what, options, [...sinkKeys, ...more]);
}

/** The same for the sinks that write files. @throws {@link ArgumentError} */
export function checkFileSinkOptions(
  what: string,
  options: FileSinkOptions,
  more: readonly string[] = [],
): void {
  check(what, options, [...fileKeys, ...more]);
  optionalBoolean('append', options.append);
}

function check(what: string, options: SinkOptions, keys: readonly string[]): void {
  known(what, options, keys);
  optionalSignal('signal', options.signal);
  if (options.offset !== undefined) finite('offset', options.offset, 0);
}

function isEvent(value: unknown): value is TranscriptEvent {
  return (
    typeof value === 'object' && value !== null && typeof (value as { type?: unknown }).type === 'string'
  );
}
