/**
 * A sink made of sinks: each event goes to all of them. A slow one is handled by its own policy (lane.ts).
 */
import { Writable } from 'node:stream';
import type { TranscriptEvent } from '../events.js';
import { expected, integer, known, oneOf } from '../options.js';
import { Lane, type SinkLag } from './lane.js';

export type { SinkLag } from './lane.js';

type Done = (error?: Error | null) => void;

/** A sink of {@link teeWriter} with a policy. */
export interface TeeSink {
  sink: Writable;
  /**
   * What happens when it is slow, see {@link SinkLag}.
   * @defaultValue `'wait'`
   */
  lag?: SinkLag | undefined;
  /**
   * Most events other than drafts that may wait for it, at least 1; for `'dropDrafts'` and `'drop'`.
   * @defaultValue 1000
   */
  maxQueue?: number | undefined;
}

class TeeWriter extends Writable {
  readonly #lanes: readonly Lane[];

  constructor(sinks: readonly (Writable | TeeSink)[]) {
    super({ objectMode: true, highWaterMark: 4 });
    if (sinks.length === 0) throw expected('at least one Writable of events', 'teeWriter', undefined);
    const checked = sinks.map(checkSink);
    this.#lanes = checked.map(
      ({ sink, lag, maxQueue }) =>
        new Lane(sink, lag, maxQueue, (error, fatal) => {
          // A sink that fails takes the others with it, as in a pipeline; what they have written stays written.
          if (fatal) this.destroy(error);
        }),
    );
  }

  override _write(event: TranscriptEvent, _encoding: BufferEncoding, callback: Done): void {
    Promise.all(this.#lanes.map((lane) => lane.write(event))).then(() => callback(), callback);
  }

  override _final(callback: Done): void {
    Promise.all(this.#lanes.map((lane) => lane.end())).then(
      () => callback(this.#lanes.find((lane) => lane.failure)?.failure),
      callback,
    );
  }

  override _destroy(error: Error | null, callback: Done): void {
    for (const lane of this.#lanes) lane.destroy(error);
    Promise.all(this.#lanes.map((lane) => lane.closed)).then(() => callback(error), callback);
  }
}

function checkSink(entry: Writable | TeeSink): { sink: Writable; lag: SinkLag; maxQueue: number } {
  if (entry instanceof Writable) return { sink: entry, lag: 'wait', maxQueue: 1 };
  if (typeof entry !== 'object' || entry === null || !(entry.sink instanceof Writable)) {
    throw expected('a Writable of events, or { sink, lag }', 'teeWriter', entry);
  }
  known('a sink of teeWriter', entry, ['sink', 'lag', 'maxQueue']);
  return {
    sink: entry.sink,
    lag: oneOf('lag', entry.lag ?? 'wait', ['wait', 'dropDrafts', 'drop']),
    maxQueue: integer('maxQueue', entry.maxQueue ?? 1000, 1),
  };
}

/**
 * Makes a Writable of transcript events that passes each event to several sinks, such as captions and a file.
 *
 * It ends and destroys the sinks with itself. Tokens and sentences are never left out silently: the pipeline waits for a sink, or the sink
 * is given up with an error. The first sink that fails fails the tee, and thereby the others, unless its policy is `'drop'`: then the
 * others continue, and the tee fails with that error at its end.
 *
 * @throws {@link ArgumentError} without a sink, for one that is not a Writable, or for an unknown policy.
 *
 * @example
 * ```js
 * import { createReadStream } from 'node:fs';
 * import { pipeline } from 'node:stream/promises';
 * import { captionWriter, parakeet, srtWriter, teeWriter } from 'parakeet-stream';
 *
 * const sink = teeWriter(srtWriter('talk.srt'), { sink: captionWriter(), lag: 'dropDrafts' });
 * await pipeline(createReadStream('talk.flac'), parakeet(), sink);
 * ```
 */
export function teeWriter(...sinks: (Writable | TeeSink)[]): Writable {
  return new TeeWriter(sinks);
}
