/**
 * One sink of a tee, with a queue and a policy of its own for when it is slow. It knows which events may be left out, and nothing of the
 * other sinks.
 */
import type { Writable } from 'node:stream';
import { finished } from 'node:stream/promises';
import { LagError } from '../errors.js';
import type { TranscriptEvent } from '../events.js';

/**
 * What happens when a sink is slower than the events.
 * - `'wait'`: everything waits for it.
 * - `'dropDrafts'`: drafts that it is too slow for are left out; everything waits only when `maxQueue` other events wait for it.
 * - `'drop'`: nothing ever waits for it: drafts are left out, and when `maxQueue` other events wait it is given up with a `LagError`.
 *   Whatever it fails with, the others continue, and the tee fails with that error at its own end.
 */
export type SinkLag = 'wait' | 'dropDrafts' | 'drop';

export class Lane {
  readonly #queue: TranscriptEvent[] = [];
  #writing = false;
  #over = false;
  #failure: Error | undefined;
  #changed: (() => void)[] = [];
  /** Resolves when the sink has closed, whether it succeeded or not. */
  readonly closed: Promise<void>;

  constructor(
    readonly sink: Writable,
    private readonly policy: SinkLag,
    private readonly maxQueue: number,
    failed: (error: Error, fatal: boolean) => void,
  ) {
    this.closed = finished(sink).catch((error: Error) => {
      this.#give(error);
      failed(error, policy !== 'drop');
    });
  }

  /** Why this sink was given up. */
  get failure(): Error | undefined {
    return this.#failure;
  }

  /** Takes an event; resolves when the next one may come. */
  async write(event: TranscriptEvent): Promise<void> {
    if (this.#over) return;
    if (event.type === 'draft' || event.type === 'progress') this.#replace(event);
    this.#queue.push(event);
    this.#pump();
    if (this.policy === 'drop') {
      if (this.#waiting > this.maxQueue) this.#giveUp();
      return;
    }
    const most = this.policy === 'wait' ? 0 : this.maxQueue;
    while (!this.#over && (this.#waiting > most || (most === 0 && this.#writing))) await this.#change();
  }

  /** Ends the sink when everything is written; resolves when it has closed. */
  async end(): Promise<void> {
    while (!this.#over && (this.#writing || this.#queue.length > 0)) await this.#change();
    if (!this.sink.destroyed) this.sink.end();
    await this.closed;
  }

  destroy(error: Error | null): void {
    this.#over = true;
    this.#queue.length = 0;
    if (!this.sink.writableFinished) this.sink.destroy(error ?? undefined);
    this.#notify();
  }

  /** Events that must not be left out. */
  get #waiting(): number {
    return this.#queue.reduce((count, { type }) => count + (type === 'draft' ? 0 : 1), 0);
  }

  /** A newer draft or progress replaces one of the same speaker that still waits. */
  #replace(event: TranscriptEvent): void {
    const speaker = (one: TranscriptEvent): unknown => ('speaker' in one ? one.speaker : undefined);
    const index = this.#queue.findIndex((one) => one.type === event.type && speaker(one) === speaker(event));
    if (index >= 0) this.#queue.splice(index, 1);
  }

  #pump(): void {
    const event = this.#writing || this.#over ? undefined : this.#queue.shift();
    if (!event) return;
    this.#writing = true;
    this.sink.write(event, () => {
      // A failure is reported once, when the sink closes.
      this.#writing = false;
      this.#pump();
      this.#notify();
    });
  }

  #giveUp(): void {
    const finals = this.#queue.filter(({ type }) => type === 'token' || type === 'sentence').length;
    const error = new LagError(
      `Expected a sink that keeps up but ${this.#waiting} events wait for it (maxQueue ${this.maxQueue}), ` +
        `${finals} of them final words or sentences, which it loses. Raise maxQueue, or let everything wait for it (lag: 'wait').`,
    );
    this.destroy(error);
  }

  #give(error: Error): void {
    this.#failure = error;
    this.#over = true;
    this.#queue.length = 0;
    this.#notify();
  }

  #change(): Promise<void> {
    return new Promise((resolve) => this.#changed.push(resolve));
  }

  #notify(): void {
    const changed = this.#changed;
    this.#changed = [];
    for (const resume of changed) resume();
  }
}
