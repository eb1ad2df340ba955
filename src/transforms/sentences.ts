/**
 * The sixth stage: token events in, the same out with sentence events between them. Where a sentence ends is in sentence-splitter.ts.
 */
import type { EndOfUtteranceEvent, Sentence, TranscriptEvent } from '../events.js';
import { known, optionalBoolean, optionalSignal } from '../options.js';
import { Endpointer, settleUtterances, type UtteranceOptions } from '../text/endpointer.js';
import { type SentenceOptions, sentenceOptionKeys } from '../text/sentence-options.js';
import { SentenceSplitter } from '../text/sentence-splitter.js';
import { TranscriptCollector } from '../text/transcript-collector.js';
import { Stage, type StageOptions } from './stage.js';

/** Options of {@link sentences}. */
export interface SentencesOptions extends SentenceOptions, StageOptions {
  /**
   * Put the whole result into the `end` event. Without it, memory stays constant however long the stream is.
   * @defaultValue false
   */
  collect?: boolean | undefined;
  /**
   * When an utterance is over: sends `endOfUtterance` events, and ends the open sentence with each. `true` for the defaults.
   * @defaultValue false
   */
  utterances?: UtteranceOptions | boolean | undefined;
}

const keys = [...sentenceOptionKeys, 'collect', 'utterances', 'signal'];

class Sentences extends Stage<TranscriptEvent, TranscriptEvent> {
  readonly #splitter: SentenceSplitter;
  readonly #endpointer: Endpointer | undefined;
  readonly #collected: TranscriptCollector | undefined;

  constructor(options: SentencesOptions) {
    known('sentences', options, keys);
    const utterances = settleUtterances(options.utterances);
    super({
      signal: optionalSignal('signal', options.signal),
      writableHighWaterMark: 4,
      readableHighWaterMark: 4,
    });
    this.#splitter = new SentenceSplitter(options);
    if (utterances) this.#endpointer = new Endpointer(utterances);
    if (optionalBoolean('collect', options.collect)) this.#collected = new TranscriptCollector();
  }

  protected override async process(event: TranscriptEvent): Promise<void> {
    switch (event.type) {
      case 'token':
        // A sentence that this token proves to be over comes before it; one that it ends itself comes after it.
        return await this.#token(event);
      case 'endOfUtterance':
        // The model's own: the rules begin anew after it.
        this.#endpointer?.end('model');
        return await this.#endUtterance(event);
      case 'progress':
        await this.#emitSentences(this.#splitter.progress(event.time));
        await this.#endUtterance(this.#endpointer?.progress(event.time));
        return await this.emitOne(event);
      case 'end': {
        await this.#emitSentences(this.#splitter.finish());
        await this.#endUtterance(this.#endpointer?.end('end'));
        if (!this.#collected) return await this.emitOne(event);
        return await this.emitOne({ ...event, result: this.#collected.result });
      }
      default:
        return await this.emitOne(event);
    }
  }

  /** An input that ends without an `end` event still emits its last sentence. */
  protected override async finish(): Promise<void> {
    await this.#emitSentences(this.#splitter.finish());
    await this.#endUtterance(this.#endpointer?.end('end'));
  }

  protected override async flushHeld(): Promise<void> {
    await this.#emitSentences(this.#splitter.finish());
    await this.#endUtterance(this.#endpointer?.end('flush'));
  }

  async #endUtterance(event: EndOfUtteranceEvent | undefined): Promise<void> {
    if (!event) return;
    await this.#emitSentences(this.#splitter.finish());
    await this.emitOne(event);
  }

  async #token(event: Extract<TranscriptEvent, { type: 'token' }>): Promise<void> {
    await this.#endUtterance(this.#endpointer?.before(event.token));
    const done = this.#splitter.push(event.token);
    this.#collected?.push(event);
    const before = done.filter((sentence) => !sentence.tokens.includes(event.token));
    await this.#emitSentences(before);
    await this.emitOne(event);
    await this.#emitSentences(done.slice(before.length));
    await this.#endUtterance(this.#endpointer?.after(event.token));
  }

  async #emitSentences(sentences: readonly Sentence[]): Promise<void> {
    for (const sentence of sentences) {
      const event = { type: 'sentence', sentence } as const;
      this.#collected?.push(event);
      await this.emitOne(event);
    }
  }
}

/**
 * Groups tokens into sentences. {@link TranscriptEvent}s in and out: every event passes, a token without delay, and a `sentence` event
 * follows when a sentence is complete. The open sentence is closed before `end`.
 *
 * @throws {@link ArgumentError} for an option out of its range.
 *
 * @example
 * ```js
 * import { createReadStream } from 'node:fs';
 * import { pipeline } from 'node:stream/promises';
 * import { loadModel } from 'parakeet-stream';
 * import { decode, encode, logMel, resample, sentences, tokenDecode } from 'parakeet-stream/stages';
 *
 * const model = await loadModel();
 * const audio = createReadStream('talk.flac').pipe(decode()).pipe(resample(model.sampleRate));
 * const tokens = audio.pipe(logMel(model)).pipe(encode(model)).pipe(tokenDecode(model));
 * await pipeline(tokens, sentences({ maxWords: 20 }), async (events) => {
 *   for await (const event of events) if (event.type === 'sentence') console.log(event.sentence.text);
 * });
 * await model.close();
 * ```
 */
export function sentences(options: SentencesOptions = {}): Stage<TranscriptEvent, TranscriptEvent> {
  return new Sentences(options);
}
