/**
 * The pipeline of `speakers: 'channels'`: one decoder, and behind it a {@link Line} for each channel, whose events become one transcript in
 * the order of time. How many channels there are is known when the first audio is decoded.
 */
import type { AudioChunk, TranscriptEvent } from '../events.js';
import { DEFAULT_MAX_HOLD, Ordering, type Voice } from '../merge/ordering.js';
import type { BoostPhrase } from '../model/boost.js';
import { FlushMark } from '../transforms/flush-mark.js';
import { ChannelSplit, type ChannelTarget } from './channel-split.js';
import { Line } from './line.js';
import type { TranscriptionOptions } from './options.js';
import { labelsOf } from './speakers.js';
import {
  closing,
  type Decoder,
  decoderOf,
  type LineInput,
  type LineListeners,
  type LineModels,
  sendMark,
  type TranscriptLine,
} from './transcript-line.js';

/** One channel. */
class Channel implements ChannelTarget {
  over = false;
  readonly #marks = new Set<() => void>();

  constructor(
    readonly line: Line,
    readonly voice: Voice,
  ) {}

  write(chunk: AudioChunk): Promise<void> {
    return new Promise((resolve) => this.line.write(chunk, () => resolve()));
  }

  flush(): Promise<void> {
    if (this.over) return Promise.resolve();
    return new Promise((resolve) => {
      const passed = () => {
        this.#marks.delete(passed);
        resolve();
      };
      this.#marks.add(passed);
      this.line.write(new FlushMark(passed), () => {});
    });
  }

  end(): void {
    this.line.end();
  }

  /** No more events will come: a mark that has not passed never will. */
  close(): void {
    this.over = true;
    for (const passed of this.#marks) passed();
  }
}

export class ChannelLines implements TranscriptLine {
  #decoder: Decoder | undefined;
  #split: ChannelSplit | undefined;
  #channels: Channel[] = [];
  #boost: readonly BoostPhrase[] | undefined;
  #listeners: LineListeners | undefined;
  readonly #order = new Ordering(DEFAULT_MAX_HOLD, (event) => this.#ready.push(event));
  /** Events in their order, which were not read yet. */
  readonly #ready: (TranscriptEvent | FlushMark)[] = [];
  /** No more audio will come. */
  #closing = false;
  #finished = false;

  constructor(
    private readonly options: TranscriptionOptions,
    private readonly takes: LineInput,
  ) {}

  get isOpen(): boolean {
    return this.#decoder !== undefined;
  }

  get decoder(): Decoder | undefined {
    return this.#decoder;
  }

  get ahead(): number {
    return this.#channels[0]?.line.ahead ?? Number.POSITIVE_INFINITY;
  }

  /** Options that the model does not support are found when the first audio is here. */
  open(models: LineModels, listeners: LineListeners): void {
    this.#listeners = listeners;
    const decoder = decoderOf(this.takes, models.model, this.options.input);
    const split = new ChannelSplit((count) => this.#part(count, models, listeners));
    this.#decoder = decoder;
    this.#split = split;
    for (const stage of [decoder, split]) {
      stage.on('error', listeners.onError);
      stage.onLateFailure = listeners.onLateFailure;
    }
    decoder.on('gap', listeners.onGap);
    split.on('data', (mark: FlushMark) => {
      this.#ready.push(mark);
      listeners.onReadable();
    });
    split.on('end', () => {
      this.#closing = true;
      this.#finish();
    });
    decoder.pipe(split);
  }

  write(bytes: Uint8Array, callback: (error?: Error | null) => void): void {
    this.#decoder?.write(bytes, callback);
  }

  end(): void {
    this.#decoder?.end();
  }

  read(): TranscriptEvent | FlushMark | null {
    while (this.#ready.length === 0 && this.#take());
    const next = this.#ready.shift() ?? null;
    if (next === null) this.#finish();
    return next;
  }

  async mark(passed: () => void): Promise<void> {
    await sendMark(this.#decoder, passed);
  }

  async setBoost(boost: readonly BoostPhrase[]): Promise<void> {
    this.#boost = boost;
    await Promise.all(this.#channels.map(({ line }) => line.setBoost(boost)));
  }

  set behind(behind: boolean) {
    for (const { line } of this.#channels) line.behind = behind;
  }

  async closed(): Promise<void> {
    await Promise.all([...this.#first.map(closing), ...this.#channels.map(({ line }) => line.closed())]);
  }

  async destroy(error: Error | undefined): Promise<void> {
    const closed = this.closed();
    for (const stage of this.#first) stage.destroy(error);
    await Promise.all(this.#channels.map(({ line }) => line.destroy(error)));
    await closed;
  }

  /** The stages before the channels part. */
  get #first() {
    return [this.#decoder, this.#split].filter((stage) => stage !== undefined);
  }

  #part(count: number, models: LineModels, listeners: LineListeners): Channel[] {
    for (const label of labelsOf(this.options.speakers, count)) {
      const line = new Line(this.options, 'audio');
      const channel = new Channel(line, this.#order.add(label, 0));
      // At once: when one cannot be opened, the stages of all are destroyed.
      this.#channels.push(channel);
      if (this.#boost) void line.setBoost(this.#boost);
      line.open(models, {
        ...listeners,
        onLateFailure: (error) => {
          listeners.onLateFailure(error);
          // A source that is live may never end: the others are to be final as far as they have heard.
          this.#closing = true;
          this.#split?.stop();
        },
        onEnd: () => {
          channel.close();
          this.#order.end(channel.voice);
          this.#finish();
        },
      });
    }
    return this.#channels;
  }

  /** Takes an event of each channel; false if none has any. The order needs no limit: the channels advance together. */
  #take(): boolean {
    let taken = false;
    for (const { line, voice } of this.#channels) {
      const event = line.read();
      if (event === null) continue;
      taken = true;
      if (event instanceof FlushMark) event.passed();
      else this.#order.take(voice, event);
    }
    return taken;
  }

  /** When all channels are over: the `end` event, and once that was read, the end. */
  #finish(): void {
    if (!this.#closing || !this.#order.empty) return;
    if (!this.#finished) {
      this.#finished = true;
      this.#ready.push({ type: 'end', stats: this.#order.stats });
      this.#listeners?.onReadable();
    } else if (this.#ready.length === 0) {
      const { onEnd } = this.#listeners ?? {};
      this.#listeners = undefined;
      onEnd?.();
    }
  }
}
