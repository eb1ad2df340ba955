/**
 * A sink made of sinks: each event goes to every one of them, as fast as the slowest takes it.
 */
import { Writable } from 'node:stream';
import { finished } from 'node:stream/promises';
import type { TranscriptEvent } from '../events.js';
import { expected } from '../options.js';

type Done = (error?: Error | null) => void;

class TeeWriter extends Writable {
  readonly #sinks: readonly Writable[];
  readonly #closed: Promise<unknown>[];

  constructor(sinks: readonly Writable[]) {
    super({ objectMode: true, highWaterMark: 4 });
    const stray = sinks.find((sink) => !(sink instanceof Writable));
    if (sinks.length === 0 || stray !== undefined) {
      throw expected('at least one Writable of events', 'teeWriter', sinks.length === 0 ? undefined : stray);
    }
    this.#sinks = sinks;
    // A sink that fails takes the others with it, as in a pipeline; what they have written stays written.
    this.#closed = sinks.map((sink) =>
      finished(sink).catch((error: Error) => {
        this.destroy(error);
      }),
    );
  }

  override _write(event: TranscriptEvent, _encoding: BufferEncoding, callback: Done): void {
    const writes = this.#sinks.map(
      (sink) =>
        new Promise<void>((resolve, reject) =>
          sink.write(event, (error) => (error ? reject(error) : resolve())),
        ),
    );
    Promise.all(writes).then(() => callback(), callback);
  }

  override _final(callback: Done): void {
    for (const sink of this.#sinks) sink.end();
    Promise.all(this.#closed).then(() => callback(), callback);
  }

  override _destroy(error: Error | null, callback: Done): void {
    for (const sink of this.#sinks) if (!sink.writableFinished) sink.destroy(error ?? undefined);
    Promise.all(this.#closed).then(() => callback(error), callback);
  }
}

/**
 * Makes a Writable of transcript events that passes each event to several sinks, such as captions and a file.
 *
 * It ends and destroys them with itself. The first sink that fails fails it, and thereby the others.
 *
 * @throws {ArgumentError} without a sink, or for one that is no Writable.
 */
export function teeWriter(...sinks: Writable[]): Writable {
  return new TeeWriter(sinks);
}
