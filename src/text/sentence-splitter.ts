/**
 * Where sentences end: the rules, fed token by token. They are the same for a stream and for a whole file, since a sentence never depends
 * on when a token arrived. The stage that feeds this is sentences.ts.
 */
import type { Sentence, Token } from '../events.js';
import { goesOnAfter } from './abbreviations.js';
import { type ConfidenceRule, MEASURED } from './confidence.js';
import { hasEndMark } from './sentence-ends.js';
import { type SentenceOptions, settleSentences } from './sentence-options.js';
import { isUnspaced, wordsOf } from './words.js';

/** What a splitter needs to go on: plain JSON. */
export interface SplitterState {
  tokens: Token[];
  silent: Token[];
  words: number;
  start: number;
  cased: boolean;
}

/**
 * Collects tokens and returns each sentence when it is complete. A sentence ends
 * - with a token that contains `!`, `?` or the equivalents of other scripts (sentence-ends.ts);
 * - with a token that contains `.`, when the next text begins with a space, or at the end; but not before a lower-case letter if the model
 *   writes capital ones, and not after abbreviations (`Dr. Smith`, `U.S. Army`), initials and ordinals (`24. Dezember`);
 * - before the word that would exceed `maxWords`;
 * - when nothing is said for `maxGap` seconds;
 * - with the token that reaches `maxDuration`, or when that time is over.
 */
export class SentenceSplitter {
  readonly #maxWords: number;
  readonly #maxGap: number;
  readonly #maxDuration: number;
  #tokens: Token[] = [];
  /** Tokens without text since the last one with text: they decide nothing and go with the next token that has text. */
  #silent: Token[] = [];
  #words = 0;
  #start = 0;
  #last: Token | undefined;
  /** The text has capital letters: the model writes them. */
  #cased = false;

  /** @throws {@link ArgumentError} for an option out of its range. */
  constructor(
    options: SentenceOptions = {},
    private readonly rule: ConfidenceRule = MEASURED,
  ) {
    const { maxWords, maxGap, maxDuration } = settleSentences(options);
    this.#maxWords = maxWords;
    this.#maxGap = maxGap;
    this.#maxDuration = maxDuration;
  }

  /** The open sentence. */
  get state(): SplitterState {
    return {
      tokens: [...this.#tokens],
      silent: [...this.#silent],
      words: this.#words,
      start: this.#start,
      cased: this.#cased,
    };
  }

  set state({ tokens, silent, words, start, cased }: SplitterState) {
    this.#tokens = [...tokens];
    this.#silent = [...silent];
    this.#words = words;
    this.#start = start;
    this.#cased = cased;
    this.#last = tokens.findLast(({ text }) => text !== '');
  }

  /** Takes the next token; returns the sentences that it completes (at most two: the previous one and the one that it ends). */
  push(token: Token): Sentence[] {
    if (token.text === '') {
      this.#silent.push(token);
      return [];
    }
    this.#cased ||= /\p{Lu}/u.test(token.text);
    const done: Sentence[] = [];
    const startsWord = token.text.startsWith(' ');
    const words = this.#wordsWith(token);
    const endsBefore = (startsWord && this.#endsAtStop(token.text)) || words > this.#maxWords;
    if (endsBefore || this.#isOver(token.start)) done.push(...this.finish());

    if (this.#last === undefined) this.#start = token.start;
    this.#words = this.#last === undefined ? 1 : words;
    this.#tokens.push(...this.#silent, token);
    this.#silent = [];
    this.#last = token;
    if (
      hasEndMark(token.text, this.#textBefore(token)) ||
      atLeast(token.end - this.#start, this.#maxDuration)
    ) {
      done.push(...this.finish());
    }
    return done;
  }

  /** Words of the open sentence and this token: by spaces, and in languages without spaces as words.ts finds them. */
  #wordsWith(token: Token): number {
    if (this.#last === undefined) return 1;
    if (this.#maxWords < Number.POSITIVE_INFINITY && isUnspaced(token.text))
      return wordsOf([...this.#tokens, token]).length;
    return this.#words + (token.text.startsWith(' ') ? 1 : 0);
  }

  /** The open sentence ends with a full stop, and `next` does not show that it goes on. */
  #endsAtStop(next: string): boolean {
    if (!this.#last?.text.includes('.')) return false;
    const from = Math.max(
      0,
      this.#tokens.findLastIndex(({ text }) => text.startsWith(' ')),
    );
    const word = joined(this.#tokens.slice(from));
    const before = joined(this.#tokens.slice(Math.max(0, from - CONTEXT), from));
    return !goesOnAfter(word, next, before, this.#cased);
  }

  /** The last tokens of the open sentence before one that is already part of it. */
  #textBefore(token: Token): string {
    const at = this.#tokens.lastIndexOf(token);
    return joined(this.#tokens.slice(Math.max(0, at - CONTEXT), at));
  }

  /** Nothing will begin before `time` any more: returns the open sentence if that ends it. */
  progress(time: number): Sentence[] {
    return this.#isOver(time) ? this.finish() : [];
  }

  /** Returns the open sentence, if there is one. */
  finish(): Sentence[] {
    if (this.#last === undefined) return [];
    const sentence = sentenceOf(this.#tokens, this.rule);
    this.#tokens = [];
    this.#words = 0;
    this.#last = undefined;
    return sentence.text === '' ? [] : [sentence];
  }

  /** Whether a token that starts at `time` can no longer belong to the open sentence. */
  #isOver(time: number): boolean {
    if (this.#last === undefined) return false;
    return atLeast(time - this.#last.end, this.#maxGap) || atLeast(time - this.#start, this.#maxDuration);
  }
}

/** Tokens before a word that are examined to interpret its full stop: more than two words. */
const CONTEXT = 12;

const joined = (tokens: readonly Token[]): string => tokens.map(({ text }) => text).join('');

/** Times are multiples of a frame in floating point: a comparison must not fail by the last bit. */
const atLeast = (seconds: number, limit: number): boolean => seconds >= limit - 1e-6;

/** The sentence of these tokens; at least one has text. */
export function sentenceOf(tokens: Token[], rule: ConfidenceRule = MEASURED): Sentence {
  const spoken = tokens.filter((token) => token.text !== '');
  const start = (spoken[0] as Token).start;
  const end = Math.max(...spoken.map((token) => token.end));
  const words = wordsOf(tokens, rule);
  return {
    text: textOf(tokens),
    start,
    end,
    duration: end - start,
    confidence: rule.ofSentence(tokens, words),
    tokens,
    words,
  };
}

/** The text of tokens, trimmed. */
export function textOf(tokens: readonly Token[]): string {
  return tokens
    .map((token) => token.text)
    .join('')
    .trim();
}

/** All sentences of a whole transcript. */
export function splitSentences(
  tokens: readonly Token[],
  options: SentenceOptions = {},
  rule: ConfidenceRule = MEASURED,
): Sentence[] {
  const splitter = new SentenceSplitter(options, rule);
  return [...tokens.flatMap((token) => splitter.push(token)), ...splitter.finish()];
}
