/**
 * The sixth stage: token events in, the same out with sentence events between them. Where a sentence ends is in sentence-splitter.ts.
 */
import type { TranscriptEvent } from '../events.js';
import { known, optionalBoolean, optionalSignal } from '../options.js';
import { CALIBRATED, MEASURED } from '../text/confidence.js';
import type { UtteranceOptions } from '../text/endpointer.js';
import { SentenceEvents } from '../text/sentence-events.js';
import { type SentenceOptions, sentenceOptionKeys } from '../text/sentence-options.js';
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
  /**
   * Whether the tokens' confidences are probabilities, as those of a calibrated model are: a word then has the product of its tokens', a
   * sentence the mean of its words'. Otherwise both have the geometric mean of their tokens'.
   * @defaultValue false
   */
  calibrated?: boolean | undefined;
}

const keys = [...sentenceOptionKeys, 'collect', 'utterances', 'calibrated', 'signal'];

class Sentences extends Stage<TranscriptEvent, TranscriptEvent> {
  readonly #events: SentenceEvents;
  readonly #collected: TranscriptCollector | undefined;

  constructor(options: SentencesOptions) {
    const { utterances, collect, calibrated, signal, ...sentences } = known('sentences', options, keys);
    const rule = optionalBoolean('calibrated', calibrated) ? CALIBRATED : MEASURED;
    const events = new SentenceEvents(sentences, utterances, rule);
    super({
      signal: optionalSignal('signal', signal),
      writableHighWaterMark: 4,
      readableHighWaterMark: 4,
    });
    this.#events = events;
    if (optionalBoolean('collect', collect)) this.#collected = new TranscriptCollector();
  }

  protected override async process(event: TranscriptEvent): Promise<void> {
    await this.#emit(this.#events.take(event));
  }

  /** An input that ends without an `end` event still emits its last sentence. */
  protected override async finish(): Promise<void> {
    await this.#emit(this.#events.end('end'));
  }

  protected override async flushHeld(): Promise<void> {
    await this.#emit(this.#events.end('flush'));
  }

  async #emit(events: Iterable<TranscriptEvent>): Promise<void> {
    for (const event of events) {
      this.#collected?.push(event);
      const whole = event.type === 'end' && this.#collected;
      await this.emitOne(whole ? { ...event, result: whole.result } : event);
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
