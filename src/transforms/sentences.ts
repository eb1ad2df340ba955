/**
 * The last stage: token events in, the same out, and sentence events between them. Where a sentence ends is
 * sentence-splitter.ts's matter.
 */
import type { Sentence, Token, TranscriptEvent } from '../events.js';
import { optionalBoolean } from '../options.js';
import { type SentenceOptions, SentenceSplitter, textOf } from './sentence-splitter.js';
import { Stage, type StageOptions } from './stage.js';

/** Options of {@link sentences}. */
export interface SentencesOptions extends SentenceOptions, StageOptions {
  /** Put the whole result into the `end` event. Default false: memory stays flat however long the stream is. */
  collect?: boolean | undefined;
}

class Sentences extends Stage<TranscriptEvent, TranscriptEvent> {
  readonly #splitter: SentenceSplitter;
  readonly #collected: { tokens: Token[]; sentences: Sentence[] } | undefined;

  constructor(options: SentencesOptions) {
    super({ signal: options.signal, writableHighWaterMark: 4, readableHighWaterMark: 4 });
    this.#splitter = new SentenceSplitter(options);
    if (optionalBoolean('collect', options.collect)) this.#collected = { tokens: [], sentences: [] };
  }

  protected override async process(event: TranscriptEvent): Promise<void> {
    switch (event.type) {
      case 'token':
        // The sentence that this token shows to be over comes first; the one that it ends itself comes after it.
        return await this.#token(event);
      case 'progress':
        await this.#emitSentences(this.#splitter.progress(event.time));
        return await this.emitOne(event);
      case 'end': {
        await this.#emitSentences(this.#splitter.finish());
        if (!this.#collected) return await this.emitOne(event);
        const result = { text: textOf(this.#collected.tokens), ...this.#collected };
        return await this.emitOne({ ...event, result });
      }
      default:
        return await this.emitOne(event);
    }
  }

  /** An input that ends without an `end` event still leaves its last sentence. */
  protected override async finish(): Promise<void> {
    await this.#emitSentences(this.#splitter.finish());
  }

  async #token(event: Extract<TranscriptEvent, { type: 'token' }>): Promise<void> {
    const done = this.#splitter.push(event.token);
    this.#collected?.tokens.push(event.token);
    const before = done.filter((sentence) => !sentence.tokens.includes(event.token));
    await this.#emitSentences(before);
    await this.emitOne(event);
    await this.#emitSentences(done.slice(before.length));
  }

  async #emitSentences(sentences: readonly Sentence[]): Promise<void> {
    for (const sentence of sentences) {
      this.#collected?.sentences.push(sentence);
      await this.emitOne({ type: 'sentence', sentence });
    }
  }
}

/**
 * Makes the stage that groups tokens into sentences. In and out: {@link TranscriptEvent}; every event passes, a token
 * without delay, and a `sentence` event follows when a sentence is complete. The open one is closed before `end`.
 *
 * @throws {ArgumentError} for an option out of its range.
 */
export function sentences(options: SentencesOptions = {}): Stage<TranscriptEvent, TranscriptEvent> {
  return new Sentences(options);
}
