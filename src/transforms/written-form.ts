/**
 * A stage behind `sentences`: events in, the same events out with numbers, dates, times, amounts and units in their written form. What is
 * written how is in text/written/.
 */
import type { Sentence, TranscriptEvent, TranscriptResult } from '../events.js';
import { known, oneOf, optionalBoolean, optionalSignal } from '../options.js';
import { CALIBRATED, type ConfidenceRule, MEASURED } from '../text/confidence.js';
import { textOf } from '../text/sentence-splitter.js';
import { wordsOf } from '../text/words.js';
import { WrittenText, written } from '../text/written/written-text.js';
import { Stage, type StageOptions } from './stage.js';

/** Options of {@link writtenForm}. */
export interface WrittenFormOptions extends StageOptions {
  /**
   * The language that is spoken.
   * @defaultValue `'en'`, the only one so far
   */
  language?: 'en' | undefined;
  /**
   * Whether the tokens' confidences are probabilities, as for `sentences`: what is written for several tokens then has the product of theirs.
   * @defaultValue false
   */
  calibrated?: boolean | undefined;
}

class WrittenForm extends Stage<TranscriptEvent, TranscriptEvent> {
  readonly #rule: ConfidenceRule;
  readonly #text: WrittenText;
  /** The latest time before which everything is final, as it was and as it was sent. */
  #final = 0;
  #sent = 0;

  constructor(options: WrittenFormOptions) {
    known('writtenForm', options, ['language', 'calibrated', 'signal']);
    oneOf('language', options.language ?? 'en', ['en']);
    super({
      signal: optionalSignal('signal', options.signal),
      writableHighWaterMark: 4,
      readableHighWaterMark: 4,
    });
    this.#rule = optionalBoolean('calibrated', options.calibrated) ? CALIBRATED : MEASURED;
    this.#text = new WrittenText(this.#rule);
  }

  protected override async process(event: TranscriptEvent): Promise<void> {
    switch (event.type) {
      case 'token':
        for (const token of this.#text.push(event.token)) await this.emitOne({ ...event, token });
        return;
      case 'draft': {
        const tokens = this.#text.preview(event.tokens);
        return await this.emitOne({ ...event, tokens, text: textOf(tokens) });
      }
      case 'sentence':
        await this.#finish();
        return await this.emitOne({ ...event, sentence: writtenSentence(event.sentence, this.#rule) });
      case 'progress':
        this.#final = event.time;
        return await this.#progress();
      case 'end':
        await this.#finish();
        return await this.emitOne(
          event.result ? { ...event, result: writtenResult(event.result, this.#rule) } : event,
        );
      default:
        return await this.emitOne(event);
    }
  }

  protected override async finish(): Promise<void> {
    await this.#finish();
  }

  protected override async flushHeld(): Promise<void> {
    await this.#finish();
  }

  async #finish(): Promise<void> {
    for (const token of this.#text.finish()) await this.emitOne({ type: 'token', token });
    await this.#progress();
  }

  /** Not beyond what is held back. */
  async #progress(): Promise<void> {
    const time = Math.min(this.#final, this.#text.heldFrom);
    if (time <= this.#sent) return;
    this.#sent = time;
    await this.emitOne({ type: 'progress', time });
  }
}

function writtenSentence(sentence: Sentence, rule: ConfidenceRule): Sentence {
  const tokens = written(sentence.tokens, rule);
  return { ...sentence, text: textOf(tokens), tokens, words: wordsOf(tokens, rule) };
}

function writtenResult({ sentences, tokens }: TranscriptResult, rule: ConfidenceRule): TranscriptResult {
  const own = sentences.map((sentence) => writtenSentence(sentence, rule));
  // Revised sentences have other words than the tokens.
  if (sentences.some(({ revised }) => revised)) {
    return { text: own.map((one) => one.text).join(' '), sentences: own, tokens: written(tokens, rule) };
  }
  const said = own.flatMap((one) => one.tokens);
  return { text: textOf(said), sentences: own, tokens: said };
}

/**
 * Writes numbers as digits: "twenty five" as `25`, "three thirty p.m." as `3:30 p.m.`, "five dollars" as `$5`. {@link TranscriptEvent}s in
 * and out; behind `sentences`. Conservative: what could mean two things stays as it was said, and so do numbers below ten, but for times,
 * dates, amounts and units. A token that is written otherwise stands for all that it replaces: its time is theirs, its confidence their
 * geometric mean (or product, see `calibrated`), its id the first one's. Final tokens are never retracted: what may still become a number is held until the next word, and
 * `progress` with it; drafts show it.
 *
 * @throws {@link ArgumentError} for an option out of its range.
 *
 * @example
 * ```js
 * import { createReadStream } from 'node:fs';
 * import { pipeline } from 'node:stream/promises';
 * import { loadModel } from 'parakeet-stream';
 * import { decode, encode, logMel, resample, sentences, tokenDecode, writtenForm } from 'parakeet-stream/stages';
 *
 * const model = await loadModel();
 * const audio = createReadStream('talk.flac').pipe(decode()).pipe(resample(model.sampleRate));
 * const tokens = audio.pipe(logMel(model)).pipe(encode(model)).pipe(tokenDecode(model));
 * await pipeline(tokens, sentences(), writtenForm({ language: 'en' }), async (events) => {
 *   for await (const event of events) if (event.type === 'sentence') console.log(event.sentence.text);
 * });
 * await model.close();
 * ```
 */
export function writtenForm(options: WrittenFormOptions = {}): Stage<TranscriptEvent, TranscriptEvent> {
  return new WrittenForm(options);
}
