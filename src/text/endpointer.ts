/**
 * Endpointing: where an utterance ends. The rules, fed with tokens and progress. A sentence is defined by its text; an utterance is what a
 * person says before they stop. The stage that feeds this is sentences.ts.
 */
import type { EndOfUtteranceEvent, Token } from '../events.js';
import { expected, finite, known } from '../options.js';
import { endsLikeSentence } from './sentence-ends.js';

/** When an utterance ends. Seconds count audio that is final, so the lookahead comes on top. */
export interface UtteranceOptions {
  /**
   * Seconds without a word, at least 0.01.
   * @defaultValue 1
   */
  maxGap?: number | undefined;
  /**
   * Seconds without a word after `.`, `?` or `!`, at least 0.01.
   * @defaultValue 0.5
   */
  maxGapAfterPunctuation?: number | undefined;
  /**
   * Most seconds of an utterance, at least 0.01: it ends with the token that reaches them.
   * @defaultValue 30
   */
  maxDuration?: number | undefined;
}

/**
 * Checks the rules and fills in their defaults; `true` means the defaults. Returns undefined when utterances are off.
 *
 * @throws {@link ArgumentError}
 */
export function settleUtterances(
  rules: UtteranceOptions | boolean | undefined,
): Required<{ [K in keyof UtteranceOptions]: number }> | undefined {
  if (rules === undefined || rules === false) return undefined;
  if (rules !== true && (typeof rules !== 'object' || rules === null)) {
    throw expected('true, or an object of rules', 'utterances', rules);
  }
  const given = rules === true ? {} : known('utterances', rules, KEYS);
  const positive = (name: keyof UtteranceOptions, value: number) =>
    finite(`utterances.${name}`, given[name] ?? value, 0.01);
  return {
    maxGap: positive('maxGap', 1),
    maxGapAfterPunctuation: positive('maxGapAfterPunctuation', 0.5),
    maxDuration: positive('maxDuration', 30),
  };
}

const KEYS = ['maxGap', 'maxGapAfterPunctuation', 'maxDuration'] as const;

/** Times are multiples of a frame in floating point: a comparison must not fail by the last bit. */
const EPSILON = 1e-6;

/** Follows one stream; returns each utterance when it is over. */
export class Endpointer {
  readonly #maxGap: number;
  readonly #maxGapAfterPunctuation: number;
  readonly #maxDuration: number;
  #first: Token | undefined;
  #last: Token | undefined;

  constructor({
    maxGap,
    maxGapAfterPunctuation,
    maxDuration,
  }: NonNullable<ReturnType<typeof settleUtterances>>) {
    this.#maxGap = maxGap;
    this.#maxGapAfterPunctuation = maxGapAfterPunctuation;
    this.#maxDuration = maxDuration;
  }

  /** The first and the last token of the open utterance. */
  get state(): { first?: Token; last?: Token } {
    return { ...(this.#first && { first: this.#first }), ...(this.#last && { last: this.#last }) };
  }

  set state({ first, last }: { first?: Token; last?: Token }) {
    this.#first = first;
    this.#last = last;
  }

  /** Before a token: the utterance that the token proves to be over, if any. */
  before(token: Token): EndOfUtteranceEvent | undefined {
    return token.text === '' ? undefined : this.progress(token.start);
  }

  /** After a token: the utterance that has reached its longest duration. */
  after(token: Token): EndOfUtteranceEvent | undefined {
    if (token.text === '') return undefined;
    this.#first ??= token;
    this.#last = token;
    return token.end - this.#first.start >= this.#maxDuration - EPSILON ? this.end('maxDuration') : undefined;
  }

  /** Nothing will begin before `time`. */
  progress(time: number): EndOfUtteranceEvent | undefined {
    if (!this.#last) return undefined;
    const quiet = time - this.#last.end + EPSILON;
    if (endsLikeSentence(this.#last.text) && quiet >= this.#maxGapAfterPunctuation)
      return this.end('punctuation');
    return quiet >= this.#maxGap ? this.end('silence') : undefined;
  }

  /** Ends the open utterance, if there is one. */
  end(reason: EndOfUtteranceEvent['reason']): EndOfUtteranceEvent | undefined {
    const [first, last] = [this.#first, this.#last];
    this.#first = undefined;
    this.#last = undefined;
    return first && last && { type: 'endOfUtterance', start: first.start, end: last.end, reason };
  }
}
