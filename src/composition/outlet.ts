/**
 * What happens to events on their way out of the pipeline: gaps are inserted in their place, lag is reported, times are shifted by the
 * offset, and the finals are collected if requested. Events in, events out; no streams.
 */
import { type LagMessage, publish } from '../diagnostics.js';
import type { EndEvent, GapEvent, LagEvent, TranscriptEvent, TranscriptResult } from '../events.js';
import { LagMeter } from '../lag.js';
import { shifted } from '../shift.js';
import { TranscriptCollector } from '../text/transcript-collector.js';
import type { TranscriptionOptions } from './options.js';

export class Outlet {
  readonly #offset: number;
  /** Gaps ahead of what is final, by their starts. */
  readonly #gaps: GapEvent[] = [];
  readonly #lag = new LagMeter();
  readonly #collected: TranscriptCollector | undefined;
  #end: EndEvent | undefined;

  constructor({ offset = 0, collect = false, refine = false, speakers }: TranscriptionOptions) {
    this.#offset = offset;
    if (collect) this.#collected = new TranscriptCollector(refine || speakers !== undefined);
  }

  /** The `end` event, as soon as it has passed. */
  get end(): EndEvent | undefined {
    return this.#end;
  }

  /** What has passed so far; undefined unless it is collected, or without a word. */
  get heard(): TranscriptResult | undefined {
    const result = this.#collected?.result;
    return result && result.tokens.length > 0 ? result : undefined;
  }

  /** A lag was reported and has not been made up for yet. */
  get behind(): boolean {
    return this.#lag.behind;
  }

  /** Sound that is lost, in seconds of the transcript. */
  addGap({ start, end }: { start: number; end: number }): void {
    this.#gaps.push({ type: 'gap', start, end });
  }

  /** Audio up to `audio` seconds came with a write at `at` (milliseconds). */
  arrived(audio: number, at: number): void {
    this.#lag.arrived(audio, at);
  }

  /**
   * The events that replace one of the pipeline's.
   *
   * @param ahead Seconds of audio that were needed beyond a `progress`.
   */
  *pass(event: TranscriptEvent, ahead: number): Generator<TranscriptEvent> {
    if (event.type === 'progress') yield* this.gapsUntil(event.time);
    if (event.type === 'end') yield* this.gapsUntil(Number.MAX_VALUE);
    yield this.#moved(event);
    if (event.type !== 'progress') return;
    const lag = this.#lag.heard(event.time + ahead, performance.now());
    if (lag) yield told(lag);
  }

  /** The gaps that begin up to `time` and were not reported yet. */
  *gapsUntil(time: number): Generator<TranscriptEvent> {
    while ((this.#gaps[0]?.start ?? Number.POSITIVE_INFINITY) <= time) {
      yield shifted(this.#gaps.shift() as GapEvent, this.#offset);
    }
  }

  #moved(event: TranscriptEvent): TranscriptEvent {
    if (event.type !== 'end') {
      const moved = shifted(event, this.#offset);
      this.#collected?.push(moved);
      return moved;
    }
    const result = this.#collected?.result;
    this.#end = { ...event, stats: { ...event.stats, maxLag: this.#lag.max }, ...(result && { result }) };
    return this.#end;
  }
}

/** The result of a transcript: empty where it was not collected. */
export function resultOf(end: EndEvent | undefined): TranscriptResult {
  return end?.result ?? { text: '', sentences: [], tokens: [] };
}

function told(lag: LagEvent): LagEvent {
  publish('lag', (): LagMessage => ({ seconds: lag.seconds }));
  return lag;
}
