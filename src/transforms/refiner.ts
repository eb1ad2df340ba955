/**
 * Transcribes a sentence again when it is over, with context on both sides, and cuts the new words where the old sentence was. It knows
 * nothing of the engine: {@link HearAgain} provides the tokens.
 */
import type { Sentence, Token } from '../events.js';
import { type ConfidenceRule, MEASURED } from '../text/confidence.js';
import { endsLikeSentence } from '../text/sentence-ends.js';
import { sentenceOf } from '../text/sentence-splitter.js';

/** Returns the tokens of the seconds [from, until), transcribed with context on both sides, as far as the sound is kept; in order. */
export type HearAgain = (from: number, until: number) => Promise<Token[]>;

/** Seconds of context before and after a sentence. */
const BEFORE = 10;
const AFTER = 2;
/** The longest sentence that is transcribed again as a whole; of a longer one, only the end is. */
const LONGEST = 60;
/** Seconds of sound that must be kept. */
export const REFINE_HISTORY = LONGEST + BEFORE + AFTER + 10;
/** How far, in seconds, the new end of a sentence may be from the old one. */
const NEAR = 1;

/** Refines the sentences of one stream, in order. */
export class Refiner {
  /** The end of the words that earlier sentences have taken. */
  #cut = 0;

  constructor(
    private readonly hearAgain: HearAgain,
    private readonly rule: ConfidenceRule = MEASURED,
  ) {}

  /** The sentence as transcribed with context; the same object when nothing changed. */
  async refine(sentence: Sentence): Promise<Sentence> {
    const from = Math.max(this.#cut, sentence.end - LONGEST);
    const heard = await this.hearAgain(Math.max(0, from - BEFORE), sentence.end + AFTER);
    const words = groupWords(heard);
    const first = words.findIndex((word) => startOf(word) >= from);
    const last = first < 0 ? -1 : endOfSentence(words, first, sentence);
    if (first < 0 || last < first) {
      this.#cut = Math.max(this.#cut, sentence.end);
      return sentence;
    }
    const next = words[last + 1];
    const lastToken = (words[last] as Token[]).at(-1) as Token;
    this.#cut = next ? (lastToken.start + startOf(next)) / 2 : Math.max(lastToken.end, sentence.end);
    const refined = sentenceOf(words.slice(first, last + 1).flat(), this.rule);
    const same =
      refined.text === sentence.text &&
      refined.start === sentence.start &&
      refined.tokens.length === sentence.tokens.length;
    return same ? sentence : { ...refined, revised: true };
  }
}

function startOf(word: readonly Token[]): number {
  return (word[0] as Token).start;
}

function groupWords(tokens: readonly Token[]): Token[][] {
  const words: Token[][] = [];
  for (const token of tokens) {
    const open = words.at(-1);
    if (open === undefined || token.text.startsWith(' ')) words.push([token]);
    else open.push(token);
  }
  return words;
}

/** The last word of the sentence among the new ones: the nearest that ends a sentence, if the old one did, else the nearest. */
function endOfSentence(words: readonly Token[][], first: number, sentence: Sentence): number {
  const old = sentence.words.at(-1)?.start ?? sentence.end;
  const near = words
    .map((word, index) => ({ index, away: Math.abs(startOf(word) - old), ends: endsSentence(word) }))
    .filter(({ index, away }) => index >= first && away <= NEAR)
    .sort((a, b) => a.away - b.away);
  const end = endsLikeSentence(sentence.text) ? near.find(({ ends }) => ends) : undefined;
  return (end ?? near[0])?.index ?? words.findLastIndex((word) => startOf(word) <= old);
}

function endsSentence(word: readonly Token[]): boolean {
  return endsLikeSentence(word.map((token) => token.text).join(''));
}
