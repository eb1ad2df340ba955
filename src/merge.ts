/**
 * Several labelled streams of events into one transcript in the order of time. Who says what is known beforehand (a stream a speaker);
 * nothing here listens to sound.
 */

import { Readable, type Writable } from 'node:stream';
import { destroyOnAbort } from './abort.js';
import { isAbort } from './errors.js';
import type { Sentence, StreamStats, Token, TranscriptEvent } from './events.js';
import { expected, finite, known, oneOf, optionalSignal } from './options.js';
import { shifted } from './shift.js';
import { LateFailure } from './transforms/late-failure.js';

/** Options of {@link merge}. */
export interface MergeOptions {
  /**
   * Seconds that a sentence may hold back those of others that began after it but are complete already, at least 0. When they have
   * passed, the others go first and the order of the starts is given up for that sentence. Default 10.
   */
  maxHold?: number | undefined;
  /**
   * What an input that fails does, beside its `left` event with the `error`; the others go on in any case. `'fail'`: when all inputs
   * are over and everything is read, the merged stream fails with the first such error. `'report'`: nothing. Default `'fail'`.
   */
  inputErrors?: 'fail' | 'report' | undefined;
  /** Destroys the stream and its inputs with an `AbortError` when it is aborted. */
  signal?: AbortSignal | undefined;
}

/** Options of one input. */
export interface MergeInputOptions {
  /** Where the input's own zero lies on the merged clock, in seconds, at least 0. Default 0. */
  offset?: number | undefined;
}

/** An input of {@link merge}: what `parakeet()` gives, or anything to iterate over that gives the same events. */
export type Events = AsyncIterable<TranscriptEvent>;

/** Finals that may wait of an input that is ahead of the others. */
const MAX_WAITING = 64;

interface Input {
  speaker: string;
  events: Events;
  offset: number;
  /** Everything before it is final. Infinite once the input is over. */
  progress: number;
  /** It sends `progress` events. */
  reports: boolean;
  /** Final tokens that wait for the others. */
  tokens: Token[];
  /** Complete sentences that wait for the others. */
  sentences: Sentence[];
  /** Tokens that are in no sentence yet: the next sentence begins with the first of them. */
  open: Token[];
  drafting: boolean;
  revision: number;
  over: boolean;
  stats?: StreamStats;
  error?: Error;
}

/** The stream that {@link merge} makes: a Readable of {@link TranscriptEvent}s. */
export class MergedTranscript extends Readable {
  readonly #maxHold: number;
  readonly #failing: boolean;
  readonly #inputs = new Set<Input>();
  readonly #stats: StreamStats[] = [];
  readonly #late = new LateFailure(this);
  #failure: Error | undefined;
  /** Set at the end when there is a failure: resolves when all is consumed. */
  #raised: Promise<void> | undefined;
  #progress = 0;
  #closing = false;
  #ended = false;
  /** The reader has room; until then no input is read. */
  #room = false;
  #waiting: (() => void)[] = [];

  /** @internal */
  constructor(options: MergeOptions) {
    known('merge', options, ['maxHold', 'inputErrors', 'signal']);
    const maxHold = finite('maxHold', options.maxHold ?? 10, 0);
    const failing = oneOf('inputErrors', options.inputErrors ?? 'fail', ['fail', 'report']) === 'fail';
    const signal = optionalSignal('signal', options.signal);
    super({ objectMode: true, highWaterMark: 8 });
    this.#maxHold = maxHold;
    this.#failing = failing;
    destroyOnAbort(this, signal);
  }

  /** The labels of the inputs that are not over. */
  get speakers(): string[] {
    return [...this.#inputs].filter((input) => !input.over).map((input) => input.speaker);
  }

  /**
   * Adds an input. It may come at any time before {@link end}; from then on the transcript waits for its `progress`, too.
   *
   * @param speaker stands as `speaker` in its events.
   * @throws {@link ArgumentError} for a label that another input has which is not over, for something that is no stream of events, or
   * after {@link end}.
   */
  add(speaker: string, events: Events, options: MergeInputOptions = {}): this {
    known('an input of merge', options, ['offset']);
    const offset = finite('offset', options.offset ?? 0, 0);
    if (typeof speaker !== 'string' || speaker === '')
      throw expected('a text that is not empty', 'speaker', speaker);
    if (typeof events !== 'object' || events === null || !(Symbol.asyncIterator in events)) {
      throw expected('a Readable or an async iterable of events', `the input of ${speaker}`, events);
    }
    if (this.speakers.includes(speaker)) {
      throw expected('one input for each speaker', 'speaker', speaker, 'It has one that is not over yet.');
    }
    if (this.#closing || this.destroyed)
      throw expected('no input after end()', 'merge', speaker, 'Add it before.');
    const input: Input = {
      speaker,
      events,
      offset,
      progress: offset,
      reports: false,
      tokens: [],
      sentences: [],
      open: [],
      drafting: false,
      revision: 0,
      over: false,
    };
    this.#inputs.add(input);
    this.#read(input);
    return this;
  }

  /** No further input will come: the stream ends when all are over. */
  end(): this {
    this.#closing = true;
    this.#release();
    return this;
  }

  /** Node's. @internal */
  override _read(): void {
    this.#room = true;
    this.#wake();
  }

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
      // Read to its end: the failure comes when what it was piped to has finished, too.
      this.#raised.then(() => callback(failure));
      return;
    }
    this.#late.cancel();
    for (const { events, over } of this.#inputs) if (!over) stop(events, error);
    this.#wake();
    callback(error);
  }

  /** The events, one by one. */
  override [Symbol.asyncIterator](): NodeJS.AsyncIterator<TranscriptEvent> {
    return super[Symbol.asyncIterator]() as NodeJS.AsyncIterator<TranscriptEvent>;
  }

  /** Reads one input to its end. Never rejects. */
  async #read(input: Input): Promise<void> {
    try {
      for await (const event of input.events) {
        this.#take(input, event);
        this.#release();
        while (this.#mustWait(input)) await new Promise<void>((resolve) => this.#waiting.push(resolve));
        if (this.destroyed) return;
      }
    } catch (error) {
      input.error = error instanceof Error ? error : new Error(String(error));
    }
    if (this.destroyed) return;
    input.over = true;
    input.progress = Number.POSITIVE_INFINITY;
    input.open = [];
    this.#release();
  }

  /** An input is not read while the reader is slow, or while it is far ahead of another. The last one is always read. */
  #mustWait(input: Input): boolean {
    if (this.destroyed) return false;
    if (!this.#room) return true;
    const ahead = input.progress > this.#slowest();
    return ahead && input.tokens.length + input.sentences.length >= MAX_WAITING;
  }

  #take(input: Input, event: TranscriptEvent): void {
    switch (event.type) {
      case 'token': {
        const { token } = shifted(event, input.offset);
        input.tokens.push(token);
        input.open.push(token);
        // An input without progress events is as far as its last token begins.
        if (!input.reports) input.progress = Math.max(input.progress, token.start);
        return;
      }
      case 'sentence': {
        const { sentence } = shifted(event, input.offset);
        input.sentences.push(sentence);
        input.open = afterSentence(input.open, sentence);
        if (!input.reports) input.progress = Math.max(input.progress, sentence.start);
        return;
      }
      case 'progress':
        input.reports = true;
        input.progress = Math.max(input.progress, event.time + input.offset);
        return;
      case 'draft': {
        // What waits for others is not settled either, for who sees only this stream.
        const tokens = [...input.tokens, ...shifted(event, input.offset).tokens];
        this.#draft(input, tokens);
        return;
      }
      case 'end':
        input.stats = event.stats;
        return;
      default:
        this.#push(foreign(event, input));
    }
  }

  #draft(input: Input, tokens: Token[]): void {
    if (tokens.length === 0 && !input.drafting) return;
    input.drafting = tokens.length > 0;
    const text = tokens
      .map((token) => token.text)
      .join('')
      .trim();
    this.#push({ type: 'draft', tokens, text, revision: ++input.revision, speaker: input.speaker });
  }

  /** Hands on all that no input can come before any more. */
  #release(): void {
    if (this.destroyed || this.#ended) return;
    const final = this.#slowest();
    this.#releaseTokens(final);
    this.#releaseSentences(final);
    if (Number.isFinite(final)) this.#advance(final);
    for (const input of this.#inputs) {
      if (input.over && input.tokens.length === 0 && input.sentences.length === 0) this.#leave(input);
    }
    if (this.#closing && this.#inputs.size === 0) this.#finish();
    this.#wake();
  }

  #slowest(): number {
    let time = Number.POSITIVE_INFINITY;
    for (const { progress } of this.#inputs) time = Math.min(time, progress);
    return time;
  }

  #releaseTokens(final: number): void {
    for (;;) {
      const input = first(this.#inputs, ({ tokens }) => tokens[0]?.start);
      const token = input?.tokens[0];
      if (!input || !token || token.start >= final) return;
      input.tokens.shift();
      this.#push({ type: 'token', token, speaker: input.speaker });
    }
  }

  /** By their starts. A sentence that is still open may begin before one that is complete. */
  #releaseSentences(final: number): void {
    let open = Number.POSITIVE_INFINITY;
    for (const input of this.#inputs) open = Math.min(open, input.open[0]?.start ?? input.progress);
    const bound = Math.max(open, final - this.#maxHold);
    for (;;) {
      const input = first(this.#inputs, ({ sentences }) => sentences[0]?.start);
      const sentence = input?.sentences[0];
      if (!input || !sentence || sentence.start >= bound) return;
      // After its own tokens.
      if ((sentence.tokens.at(-1)?.start ?? sentence.start) >= final) return;
      input.sentences.shift();
      this.#push({ type: 'sentence', sentence, speaker: input.speaker });
    }
  }

  #advance(time: number): void {
    if (time <= this.#progress) return;
    this.#progress = time;
    this.#push({ type: 'progress', time });
  }

  #leave(input: Input): void {
    const { speaker, stats, error } = input;
    this.#draft(input, []);
    this.#inputs.delete(input);
    if (stats) this.#stats.push(stats);
    if (error && this.#failing && !isAbort(error)) this.#failure ??= error;
    this.#push({ type: 'left', speaker, ...(stats ? { stats } : {}), ...(error ? { error } : {}) });
  }

  #finish(): void {
    this.#ended = true;
    this.#push({ type: 'end', stats: combined(this.#stats) });
    const failure = this.#failure;
    if (!failure) {
      this.push(null);
      return;
    }
    this.#raised = this.#late.consumed();
    this.#raised.then(() => this.destroy(failure));
  }

  #push(event: TranscriptEvent): void {
    this.#room = this.push(event);
  }

  #wake(): void {
    const waiting = this.#waiting;
    this.#waiting = [];
    for (const resume of waiting) resume();
  }
}

/** The input whose key is smallest; one without a key does not count. */
function first(inputs: Iterable<Input>, key: (input: Input) => number | undefined): Input | undefined {
  let found: Input | undefined;
  let least = Number.POSITIVE_INFINITY;
  for (const input of inputs) {
    const value = key(input);
    if (value === undefined || value >= least) continue;
    [found, least] = [input, value];
  }
  return found;
}

/**
 * The tokens that no sentence has yet, once `sentence` has come. It comes right behind its own tokens; a revised one has other tokens
 * than those that came, and maybe fewer, so it closes all of them.
 */
function afterSentence(open: Token[], sentence: Sentence): Token[] {
  const last = sentence.tokens.at(-1);
  if (sentence.revised || !last) return [];
  return open.slice(open.findLastIndex((token) => token.start <= last.start) + 1);
}

/** An event of a stage of the user's own, or of a later version: labelled, and put in its place if it has one. */
function foreign(event: object, { speaker, offset }: Input): TranscriptEvent {
  const copy: Record<string, unknown> = { ...event, speaker };
  for (const key of ['time', 'start', 'end']) {
    if (typeof copy[key] === 'number') copy[key] = (copy[key] as number) + offset;
  }
  return copy as unknown as TranscriptEvent;
}

function stop(events: Events, error: Error | null): void {
  (events as Partial<Readable>).destroy?.(error ?? undefined);
}

function combined(stats: readonly StreamStats[]): StreamStats {
  const sum = (value: (one: StreamStats) => number): number =>
    stats.reduce((total, one) => total + value(one), 0);
  const worst = (value: (one: StreamStats) => number): number =>
    stats.reduce((most, one) => Math.max(most, value(one)), 0);
  const audioSeconds = sum((one) => one.audioSeconds);
  const computeSeconds = sum((one) => one.computeSeconds);
  return {
    audioSeconds,
    computeSeconds,
    realTimeFactor: audioSeconds > 0 ? computeSeconds / audioSeconds : 0,
    steps: sum((one) => one.steps),
    draftsDropped: sum((one) => one.draftsDropped),
    stepsGrown: sum((one) => one.stepsGrown),
    maxLag: worst((one) => one.maxLag),
    latency: {
      p50: worst((one) => one.latency.p50),
      p95: worst((one) => one.latency.p95),
      max: worst((one) => one.latency.max),
    },
  };
}

/**
 * Merges streams of events, one a speaker, into one transcript in the order of time. Each event gets its input's label as `speaker`.
 *
 * ```ts
 * const merged = merge({ Anna: anna.pipe(parakeet({ model })), Ben: ben.pipe(parakeet({ model })) });
 * await pipeline(merged, captionWriter());
 * ```
 *
 * Tokens come by their starts, sentences by theirs, as soon as no input can give an earlier one: when all have passed that time
 * (`progress`). What overlaps stays, side by side. `draft`s come at once and include the tokens that still wait. `progress` is
 * that of the slowest input. When an input is over, `left` comes after its last event; inputs that fail never end the others
 * (see `inputErrors`). The last event is `end`, with sums, and with the worst of the latencies.
 *
 * A slow reader stops all inputs; an input that is ahead of another by more than 64 finals waits for it.
 *
 * @param inputs by label; the stream ends with the last of them. Without it, inputs are added by `add(speaker, events, { offset })`
 * at any time, and the stream ends after `end()` when all are over.
 * @throws {@link ArgumentError} for an input that is no stream of events, or an option out of its range.
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
