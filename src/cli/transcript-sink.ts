/**
 * The sink of one recording: opens its outputs when the first words come, so that a recording that cannot be read leaves the old transcript
 * untouched; and writes what is final even when the work is stopped.
 */
import { Writable } from 'node:stream';
import { finished } from 'node:stream/promises';
import type { Sentence, Token, TranscriptEvent } from '../events.js';
import { afterSentence } from '../merge/ordering.js';
import { type ConfidenceRule, MEASURED } from '../text/confidence.js';
import { sentenceOf } from '../text/sentence-splitter.js';

export interface TranscriptListeners {
  onSentence(sentence: Sentence): void;
}

export class TranscriptSink extends Writable {
  readonly #open: () => Writable;
  readonly #listeners: TranscriptListeners;
  #outputs: Writable | undefined;
  #ended: Promise<void> | undefined;
  /** Final tokens that are in no sentence yet, by speaker; `undefined` is the key of events without one. */
  readonly #tokens = new Map<string | undefined, Token[]>();
  /** Seconds of audio in all, once it has ended. */
  audioSeconds: number | undefined;
  /** Resolves when everything is written and closed, whether it succeeded or not. */
  readonly settled: Promise<void>;

  /** @param rule Of the confidence of a sentence that is broken off. */
  constructor(
    open: () => Writable,
    listeners: TranscriptListeners,
    private readonly rule: ConfidenceRule = MEASURED,
  ) {
    super({ objectMode: true, highWaterMark: 4 });
    this.#open = open;
    this.#listeners = listeners;
    this.settled = new Promise((resolve) => this.once('close', resolve));
  }

  /** Something was written. */
  get begun(): boolean {
    return this.#outputs !== undefined;
  }

  /** Leaves a transcript even for a recording without words. Rejects with the error that kept the outputs from being written. */
  async complete(): Promise<void> {
    this.#begin();
    await this.#end();
  }

  override _write(
    event: TranscriptEvent,
    _encoding: BufferEncoding,
    callback: (error?: Error) => void,
  ): void {
    if (event.type === 'end') this.audioSeconds = event.stats.audioSeconds;
    if (event.type === 'sentence') {
      this.#tokens.set(event.speaker, afterSentence(this.#openOf(event.speaker), event.sentence));
      this.#listeners.onSentence(event.sentence);
    }
    if (event.type === 'token') {
      this.#openOf(event.speaker).push(event.token);
      this.#begin();
    }
    if (this.#outputs) this.#outputs.write(event, (error) => callback(error ?? undefined));
    else callback();
  }

  override _final(callback: (error?: Error) => void): void {
    this.#end().then(() => callback(), callback);
  }

  /** Stopped in the middle: the words of the open sentence are final too. */
  override _destroy(error: Error | null, callback: (error?: Error | null) => void): void {
    const outputs = this.#outputs;
    if (!outputs || outputs.destroyed || outputs.writableFinished) {
      callback(error);
      return;
    }
    for (const [speaker, tokens] of this.#tokens) {
      if (!tokens.some(({ text }) => text.trim() !== '')) continue;
      const sentence = sentenceOf(tokens, this.rule);
      const label = speaker === undefined ? {} : { speaker };
      outputs.write({ type: 'sentence', sentence, ...label } satisfies TranscriptEvent);
    }
    this.#end().then(
      () => callback(error),
      (failure: Error) => callback(error ?? failure),
    );
  }

  #openOf(speaker: string | undefined): Token[] {
    const open = this.#tokens.get(speaker) ?? [];
    this.#tokens.set(speaker, open);
    return open;
  }

  #begin(): void {
    if (this.#outputs) return;
    this.#outputs = this.#open();
    this.#outputs.on('error', (error) => this.destroy(error));
  }

  async #end(): Promise<void> {
    const outputs = this.#outputs;
    if (!outputs) return;
    if (!this.#ended) {
      this.#ended = finished(outputs);
      outputs.end();
    }
    await this.#ended;
  }
}
