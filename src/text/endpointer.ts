/**
 * Where an utterance ends: the rules, fed with tokens and progress. A sentence is a matter of text; an utterance is what somebody says
 * before they stop. The stage that feeds it is sentences.ts.
 */
import type { EndOfUtteranceEvent, Token } from '../events.js';
import { expected, finite, known } from '../options.js';
import { endsLikeSentence } from './sentence-ends.js';

/** When an utterance ends. Seconds are seconds of audio that is final, so `lookahead` comes on top. */
export interface EndpointRules {
  /** Seconds without a word, more than 0. Default 1. */
  silence?: number | undefined;
  /** Seconds without a word after `.`, `?` or `!`, more than 0. Default 0.5. */
  afterPunctuation?: number | undefined;
  /** Most seconds of an utterance: it ends with the token that reaches them. More than 0. Default 30. */
  longest?: number | undefined;
}

/** Times are multiples of a frame in floating point: a difference of one frame must not fail by its last bit. */
const EPSILON = 1e-6;

/** Follows one stream; gives each utterance when it is over. */
export class Endpointer {
  readonly #silence: number;
  readonly #afterPunctuation: number;
  readonly #longest: number;
  #first: Token | undefined;
  #last: Token | undefined;

  /** @throws {@link ArgumentError} for a rule out of its range. */
  constructor(rules: EndpointRules) {
    if (typeof rules !== 'object' || rules === null) {
      throw expected('an object of rules', 'endpoint', rules, 'For the defaults say endpoint: {}.');
    }
    known('endpoint', rules, ['silence', 'afterPunctuation', 'longest']);
    const positive = (name: keyof EndpointRules, value: number) =>
      finite(`endpoint.${name}`, rules[name] ?? value, 0.01);
    this.#silence = positive('silence', 1);
    this.#afterPunctuation = positive('afterPunctuation', 0.5);
    this.#longest = positive('longest', 30);
  }

  /** Before a token: the utterance that it shows to be over, if it does. */
  before(token: Token): EndOfUtteranceEvent | undefined {
    return token.text === '' ? undefined : this.progress(token.start);
  }

  /** After a token: the utterance that has reached its longest. */
  after(token: Token): EndOfUtteranceEvent | undefined {
    if (token.text === '') return undefined;
    this.#first ??= token;
    this.#last = token;
    return token.end - this.#first.start >= this.#longest - EPSILON ? this.end('longest') : undefined;
  }

  /** Nothing will begin before `time`. */
  progress(time: number): EndOfUtteranceEvent | undefined {
    if (!this.#last) return undefined;
    const quiet = time - this.#last.end + EPSILON;
    if (endsLikeSentence(this.#last.text) && quiet >= this.#afterPunctuation) return this.end('punctuation');
    return quiet >= this.#silence ? this.end('silence') : undefined;
  }

  /** Ends the open utterance, if there is one. */
  end(reason: EndOfUtteranceEvent['reason']): EndOfUtteranceEvent | undefined {
    const [first, last] = [this.#first, this.#last];
    this.#first = undefined;
    this.#last = undefined;
    return first && last && { type: 'endOfUtterance', start: first.start, end: last.end, reason };
  }
}
