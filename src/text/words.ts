/**
 * From the tokens of a finished sentence to its words. A space begins a word; in languages without spaces (Chinese, Japanese, Thai …),
 * `Intl.Segmenter` finds the words, and the tokens give their times. Words are made once the sentence is final: later text may change where
 * a word ends, so a draft has none.
 */
import type { Token, Word } from '../events.js';
import { type ConfidenceRule, MEASURED } from './confidence.js';

/** Characters of the scripts that are written without spaces between words. */
const UNSPACED = /[\p{sc=Han}\p{sc=Hira}\p{sc=Kana}\p{sc=Thai}\p{sc=Lao}\p{sc=Khmr}\p{sc=Mymr}]/u;
/** Korean is written with spaces, even if it contains Chinese characters. */
const SPACED = /\p{sc=Hang}/u;
/** Full-width marks and signs, which separate words without a space: an apostrophe or a hyphen does not. */
const WIDE = /[\u3000-\u303f\uff00-\uffef]/u;
/** An opening bracket or quotation mark belongs to what follows it. */
const OPENS = /[\p{Ps}\p{Pi}\s]+$/u;

/** True where words are not separated by spaces. */
export function isUnspaced(text: string): boolean {
  return UNSPACED.test(text) && !SPACED.test(text);
}

/** The words of a sentence's tokens. Their joined texts are the sentence's text, apart from spaces. */
export function wordsOf(tokens: readonly Token[], rule: ConfidenceRule = MEASURED): Word[] {
  return runsOf(tokens).flatMap((run) => {
    const text = run.map((token) => token.text).join('');
    if (isUnspaced(text)) return segmentsOf(text, run, rule);
    return text.trim() === '' ? [] : [wholeOf(text, run, rule)];
  });
}

/** Tokens with text, split before each whose text begins with a space. */
export function runsOf(tokens: readonly Token[]): Token[][] {
  const runs: Token[][] = [];
  for (const token of tokens) {
    if (token.text === '') continue;
    const open = runs.at(-1);
    if (open === undefined || token.text.startsWith(' ')) runs.push([token]);
    else open.push(token);
  }
  return runs;
}

function wholeOf(text: string, run: readonly Token[], rule: ConfidenceRule): Word {
  const [first, last] = [run[0] as Token, run.at(-1) as Token];
  return { text: text.trim(), start: first.start, end: last.end, confidence: rule.ofWord(run) };
}

/** The words of a run without spaces. */
function segmentsOf(text: string, run: readonly Token[], rule: ConfidenceRule): Word[] {
  const from = placesOf(run);
  return spansOf(text).flatMap(([begin, end]) => {
    const word = text.slice(begin, end);
    // The space before a word is not part of the word's time.
    const first = begin + word.length - word.trimStart().length;
    const last = begin + word.trimEnd().length;
    if (first >= last) return [];
    const spoken = from.filter((place) => place.begin < last && place.end > first);
    return [
      {
        text: word.trim(),
        start: timeAt(spoken[0] as Place, first),
        end: timeAt(spoken.at(-1) as Place, last),
        confidence: rule.ofWord(spoken.map(({ token }) => token)),
      },
    ];
  });
}

/** A token, and the position of its text in that of its run. */
interface Place {
  token: Token;
  begin: number;
  end: number;
}

function placesOf(run: readonly Token[]): Place[] {
  let at = 0;
  return run.map((token) => {
    const begin = at;
    at += token.text.length;
    return { token, begin, end: at };
  });
}

/** The time of a position in the text: a token gives each of its characters the same time, its spaces none. */
function timeAt({ token, begin, end }: Place, position: number): number {
  const spaces = token.text.length - token.text.trimStart().length;
  const visible = token.text.trim().length;
  if (position >= end || visible === 0) return token.end;
  const part = Math.min(1, Math.max(0, (position - begin - spaces) / visible));
  return part === 0 ? token.start : Math.min(token.end, token.start + part * (token.end - token.start));
}

/**
 * One segmenter for words of all these scripts; its locale makes no difference for them. Created on first use, because it reads a
 * dictionary.
 */
let segmenter: Intl.Segmenter | undefined;

/** Where the words of `text` begin and end; every character belongs to one. */
function spansOf(text: string): [begin: number, end: number][] {
  segmenter ??= new Intl.Segmenter('en', { granularity: 'word' });
  const starts: number[] = [];
  let last: { segment: string; end: number } | undefined;
  for (const { segment, index, isWordLike } of segmenter.segment(text)) {
    if (isWordLike !== true && !UNSPACED.test(segment)) continue;
    const between = last === undefined ? text.slice(0, index) : text.slice(last.end, index);
    const parted =
      last === undefined ||
      between === '' ||
      UNSPACED.test(last.segment + segment) ||
      WIDE.test(between) ||
      /\s/.test(between);
    // Punctuation belongs to the word before it; an opening mark, and everything before the first word, to the word after it.
    const opening = starts.length === 0 ? between.length : (OPENS.exec(between)?.[0].length ?? 0);
    if (parted) starts.push(index - opening);
    last = { segment, end: index + segment.length };
  }
  if (starts.length === 0) return [[0, text.length]];
  return starts.map((begin, i) => [begin, starts[i + 1] ?? text.length]);
}
