/**
 * Tokens in, the same tokens out with numbers in their written form. Words that no number can begin with pass at once; a run of words that may
 * be one is held until a word follows that does not belong to it. What was given out is never changed, so it does not matter how the tokens
 * are cut: a whole sentence gives the same.
 */
import type { Token } from '../../events.js';
import { type ConfidenceRule, MEASURED } from '../confidence.js';
import {
  CENTS,
  CURRENCIES,
  DECADES,
  DIGITS,
  MONTHS,
  OH,
  ORDINAL_DIGITS,
  ORDINAL_TEENS,
  ORDINAL_TENS,
  SCALES,
  TEENS,
  TENS,
  UNITS,
} from './number-words.js';
import { writeRun } from './write-run.js';

/** Words that a run may begin with. */
const BEGINS = new Set([
  ...[DIGITS, TEENS, TENS, ORDINAL_DIGITS, ORDINAL_TEENS, ORDINAL_TENS].flatMap(Object.keys),
  ...MONTHS,
  ...['a', 'double', 'triple'],
]);
/** Words that a run may go on with. */
const CONTINUES = new Set([
  ...BEGINS,
  ...Object.keys(SCALES),
  ...Object.keys(DECADES),
  ...OH,
  ...CENTS,
  ...CURRENCIES.flatMap(({ spoken }) => spoken),
  ...UNITS.flatMap(({ spoken }) => spoken),
  ...['hundred', 'and', 'point', 'of', 'the', 'a.m', 'p.m', 'pm', 'am', 'p', 'm', "o'clock"],
]);
const BEGINNINGS = beginningsOf(BEGINS);
const CONTINUATIONS = beginningsOf(CONTINUES);
/** "Twenty-five", "twenty-fifth". */
const HYPHENED = new RegExp(
  `^(?:${Object.keys(TENS).join('|')})-(?:${[...Object.keys(DIGITS), ...Object.keys(ORDINAL_DIGITS)].join('|')})$`,
);
const NUMERAL = /^\d{1,4}$/;
const PUNCTUATION = /[.,!?;:]+$/;
/** Words of a run at most: whoever counts for minutes is not held for as long. */
const LONGEST = 64;

interface SpokenWord {
  /** Lower case, without punctuation behind it. */
  key: string;
  said: string;
  punctuation: string;
  tokens: Token[];
}

export class WrittenText {
  constructor(private readonly rule: ConfidenceRule = MEASURED) {}

  /** The word that is not over, if it may belong to a run. */
  #word: Token[] = [];
  /** What of the word that is not over was given out. */
  #given = '';
  #run: SpokenWord[] = [];
  #before = '';

  /** Start of the first token that is held back; infinite if none is. */
  get heldFrom(): number {
    return (this.#run[0]?.tokens[0] ?? this.#word[0])?.start ?? Number.POSITIVE_INFINITY;
  }

  /** Takes the next token; returns those that are sure now. */
  push(token: Token): Token[] {
    // A token without text belongs to no word.
    if (token.text === '' && this.#word.length === 0 && this.#run.length === 0) return [token];
    const out = token.text.startsWith(' ') ? this.#endWord() : [];
    this.#word.push(token);
    const text = this.#given + textOf(this.#word);
    if (this.#run.length > 0 && !mayBe(CONTINUATIONS, text)) out.push(...this.#endRun());
    if (this.#run.length === 0 && (this.#given !== '' || !mayBe(BEGINNINGS, text))) {
      this.#given = text;
      out.push(...this.#word);
      this.#word = [];
    }
    return out;
  }

  /** Everything that is held back: a sentence is over, and the next token begins another. */
  finish(): Token[] {
    const out = [...this.#endWord(), ...this.#endRun()];
    this.#before = '';
    return out;
  }

  /** These tokens, which follow the held ones, as they would be written if they were final. Nothing of it is kept. */
  preview(tokens: readonly Token[]): Token[] {
    const copy = new WrittenText(this.rule);
    copy.#word = [...this.#word];
    copy.#given = this.#given;
    copy.#run = [...this.#run];
    copy.#before = this.#before;
    return [...tokens.flatMap((token) => copy.push(token)), ...copy.finish()];
  }

  #endWord(): Token[] {
    const given = this.#given;
    const word = wordOf(this.#word);
    this.#given = '';
    this.#word = [];
    if (given !== '') {
      this.#before = keyOf(given);
      return [];
    }
    if (word.tokens.length === 0) return [];
    const out: Token[] = [];
    if (this.#run.length > 0 && !goesOn(word.key)) out.push(...this.#endRun());
    if (this.#run.length > 0 || begins(word.key)) {
      this.#run.push(word);
      // Nothing is one number across punctuation.
      const parted = word.punctuation !== '' && word.key !== 'a.m' && word.key !== 'p.m';
      if (parted || this.#run.length === LONGEST) out.push(...this.#endRun());
      return out;
    }
    this.#before = word.key;
    out.push(...word.tokens);
    return out;
  }

  #endRun(): Token[] {
    const run = this.#run;
    const last = run.at(-1);
    if (!last) return [];
    this.#run = [];
    const spans = writeRun({
      words: run.map(({ key }) => key),
      said: run.map(({ said }) => said),
      before: this.#before,
    });
    this.#before = last.key;
    return spans.flatMap(({ from, end, text }) => {
      const words = run.slice(from, end);
      const tokens = words.flatMap((word) => word.tokens);
      if (text === undefined) return tokens;
      const { punctuation } = words.at(-1) as SpokenWord;
      const whole = text.endsWith('.') ? text + punctuation.slice(1) : text + punctuation;
      return writtenTokens(tokens, whole, this.rule.ofWord(tokens));
    });
  }
}

/** The tokens of a sentence in written form. */
export function written(tokens: readonly Token[], rule: ConfidenceRule = MEASURED): Token[] {
  const text = new WrittenText(rule);
  return [...tokens.flatMap((token) => text.push(token)), ...text.finish()];
}

/** One token for each word of `text`, which share the time of `tokens` in proportion to their characters. */
function writtenTokens(tokens: readonly Token[], text: string, confidence: number): Token[] {
  const [first, last] = [tokens[0] as Token, tokens.at(-1) as Token];
  const words = text.split(' ');
  const characters = words.reduce((sum, word) => sum + word.length, 0);
  const space = first.text.startsWith(' ') ? ' ' : '';
  let said = 0;
  const timeOf = (count: number) => first.start + ((last.end - first.start) * count) / characters;
  return words.map((word, i) => {
    const start = timeOf(said);
    said += word.length;
    const end = said === characters ? last.end : timeOf(said);
    return {
      id: first.id,
      text: (i === 0 ? space : ' ') + word,
      start,
      end,
      duration: end - start,
      confidence,
    };
  });
}

function textOf(tokens: readonly Token[]): string {
  return tokens.map(({ text }) => text).join('');
}

function wordOf(tokens: Token[]): SpokenWord {
  const text = textOf(tokens).trim();
  const key = keyOf(text);
  const said = text.replace(PUNCTUATION, '');
  return { key, said, punctuation: text.slice(said.length), tokens };
}

function keyOf(text: string): string {
  return text.trim().replace(PUNCTUATION, '').replace('’', "'").toLowerCase();
}

/** All beginnings of these words, the words among them. */
function beginningsOf(words: Iterable<string>): ReadonlySet<string> {
  const beginnings = new Set<string>();
  for (const word of words) for (let end = 1; end <= word.length; end++) beginnings.add(word.slice(0, end));
  return beginnings;
}

function begins(key: string): boolean {
  return BEGINS.has(key) || HYPHENED.test(key) || NUMERAL.test(key);
}

function goesOn(key: string): boolean {
  return CONTINUES.has(key) || HYPHENED.test(key) || NUMERAL.test(key);
}

/** Whether a word that begins so may be one of those with these beginnings, or a number in another form. */
function mayBe(beginnings: ReadonlySet<string>, text: string): boolean {
  const start = keyOf(text);
  if (start === '' || NUMERAL.test(start)) return true;
  const [tens] = start.split('-');
  if (start.includes('-')) return TENS[tens as string] !== undefined;
  return beginnings.has(start);
}
