/**
 * Where sentences end: the rules, fed token by token. The same for a stream and for a whole file, since a sentence never
 * hangs on when a token came. The stage that feeds it is sentences.ts.
 */
import type { Sentence, Token, Word } from '../events.js';
import { optionalInteger, optionalPositive } from '../options.js';

/** When sentences end, besides punctuation. */
export interface SentenceOptions {
  /** Most words in a sentence, at least 1. Default: no limit. */
  maxWords?: number | undefined;
  /** Seconds without a token after which a sentence ends, more than 0. Default: no limit. */
  silenceGap?: number | undefined;
  /** Seconds after which a sentence ends with the token that it has reached, more than 0. Default: no limit. */
  maxDuration?: number | undefined;
}

const ENDS_ALWAYS = /[!?。？！]/u;

/**
 * Collects tokens and gives back each sentence when it is complete. A sentence ends
 * - with a token that contains `!`, `?`, `。`, `？` or `！`;
 * - with a token that contains `.`, when the next text begins with a space, or at the end;
 * - before the word that would exceed `maxWords`;
 * - when nothing is said for `silenceGap` seconds;
 * - with the token that reaches `maxDuration`, or when that time is over.
 */
export class SentenceSplitter {
  readonly #maxWords: number;
  readonly #silenceGap: number;
  readonly #maxDuration: number;
  #tokens: Token[] = [];
  #words = 0;
  /** Index after the last token that has text. Tokens without text decide nothing. */
  #spoken = 0;

  /** @throws {ArgumentError} for an option out of its range. */
  constructor(options: SentenceOptions = {}) {
    this.#maxWords = optionalInteger('maxWords', options.maxWords, 1) ?? Number.POSITIVE_INFINITY;
    this.#silenceGap = optionalPositive('silenceGap', options.silenceGap) ?? Number.POSITIVE_INFINITY;
    this.#maxDuration = optionalPositive('maxDuration', options.maxDuration) ?? Number.POSITIVE_INFINITY;
  }

  /** Takes the next token; gives the sentences that it completes (at most two: the one before it and the one it ends). */
  push(token: Token): Sentence[] {
    if (token.text === '') {
      this.#tokens.push(token);
      return [];
    }
    const done: Sentence[] = [];
    const startsWord = token.text.startsWith(' ');
    const last = this.#tokens[this.#spoken - 1];
    if (
      last !== undefined &&
      ((startsWord && (last.text.includes('.') || this.#words >= this.#maxWords)) ||
        this.#isOver(token.start))
    ) {
      done.push(...this.finish());
    }

    if (startsWord || this.#spoken === 0) this.#words += 1;
    this.#tokens.push(token);
    this.#spoken = this.#tokens.length;
    if (ENDS_ALWAYS.test(token.text) || this.#reachesMaxDuration(token.end)) done.push(...this.finish());
    return done;
  }

  /** Nothing will begin before `time` any more: gives the open sentence if that ends it. */
  progress(time: number): Sentence[] {
    return this.#spoken > 0 && this.#isOver(time) ? this.finish() : [];
  }

  /** Gives the open sentence, if it has text. */
  finish(): Sentence[] {
    if (this.#spoken === 0) return [];
    const tokens = this.#tokens;
    this.#tokens = [];
    this.#words = 0;
    this.#spoken = 0;
    const sentence = sentenceOf(tokens);
    return sentence.text === '' ? [] : [sentence];
  }

  /** Whether a token that starts at `time` can no longer belong to the open sentence. */
  #isOver(time: number): boolean {
    const last = this.#tokens[this.#spoken - 1] as Token;
    return atLeast(time - last.end, this.#silenceGap) || this.#reachesMaxDuration(time);
  }

  #reachesMaxDuration(time: number): boolean {
    return atLeast(time - (this.#tokens[0] as Token).start, this.#maxDuration);
  }
}

/** Times are multiples of a frame in floating point: a difference of one frame must not fail by its last bit. */
const atLeast = (seconds: number, limit: number): boolean => seconds >= limit - 1e-6;

function sentenceOf(tokens: Token[]): Sentence {
  const { start } = tokens[0] as Token;
  const end = Math.max(...tokens.map((token) => token.end));
  return {
    text: textOf(tokens),
    start,
    end,
    duration: end - start,
    confidence: geometricMean(tokens),
    tokens,
    words: wordsOf(tokens),
  };
}

/** The text of tokens, trimmed. */
export function textOf(tokens: readonly Token[]): string {
  return tokens
    .map((token) => token.text)
    .join('')
    .trim();
}

/** The words of tokens: a word begins with each token whose text begins with a space. */
export function wordsOf(tokens: readonly Token[]): Word[] {
  const groups: Token[][] = [];
  for (const token of tokens) {
    if (token.text === '') continue;
    const open = groups.at(-1);
    if (open === undefined || token.text.startsWith(' ')) groups.push([token]);
    else open.push(token);
  }
  return groups.map((group) => ({
    text: textOf(group),
    start: (group[0] as Token).start,
    end: (group.at(-1) as Token).end,
    confidence: geometricMean(group),
  }));
}

/** Of the confidences; 1e-10 keeps a single zero from being the whole truth. */
function geometricMean(tokens: readonly Token[]): number {
  const sum = tokens.reduce((total, token) => total + Math.log(token.confidence + 1e-10), 0);
  return Math.min(1, Math.exp(sum / tokens.length));
}

/** All sentences of a whole transcript. */
export function splitSentences(tokens: readonly Token[], options: SentenceOptions = {}): Sentence[] {
  const splitter = new SentenceSplitter(options);
  return [...tokens.flatMap((token) => splitter.push(token)), ...splitter.finish()];
}
