/**
 * From the tokens of a finished sentence to its words. A space begins a word; where a language writes none (Chinese, Japanese,
 * Thai …), `Intl.Segmenter` says where words lie, and the tokens say when. Made once the sentence is final: what follows may
 * change where a word ends, so a draft has none.
 */
import type { Token, Word } from '../events.js';

/** Characters of the scripts that are written without spaces between words. */
const UNSPACED = /[\p{sc=Han}\p{sc=Hira}\p{sc=Kana}\p{sc=Thai}\p{sc=Lao}\p{sc=Khmr}\p{sc=Mymr}]/u;
/** Korean is written with spaces, also where it has Chinese characters in it. */
const SPACED = /\p{sc=Hang}/u;
/** Marks and signs of full width, which part words without a space: an apostrophe or a hyphen does not. */
const WIDE = /[\u3000-\u303f\uff00-\uffef]/u;
/** A bracket or quotation mark that opens goes with what it opens. */
const OPENS = /[\p{Ps}\p{Pi}\s]+$/u;

/** True where words are not parted by spaces. */
export function isUnspaced(text: string): boolean {
  return UNSPACED.test(text) && !SPACED.test(text);
}

/** The words of a sentence's tokens. Joined, and but for spaces, their texts are the sentence's. */
export function wordsOf(tokens: readonly Token[]): Word[] {
  return runsOf(tokens).flatMap((run) => {
    const text = run.map((token) => token.text).join('');
    if (isUnspaced(text)) return segmentsOf(text, run);
    return text.trim() === '' ? [] : [wholeOf(text, run)];
  });
}

/** Tokens with text, parted before each whose text begins with a space. */
function runsOf(tokens: readonly Token[]): Token[][] {
  const runs: Token[][] = [];
  for (const token of tokens) {
    if (token.text === '') continue;
    const open = runs.at(-1);
    if (open === undefined || token.text.startsWith(' ')) runs.push([token]);
    else open.push(token);
  }
  return runs;
}

function wholeOf(text: string, run: readonly Token[]): Word {
  const [first, last] = [run[0] as Token, run.at(-1) as Token];
  return { text: text.trim(), start: first.start, end: last.end, confidence: geometricMean(run) };
}

/** The words of a run without spaces. */
function segmentsOf(text: string, run: readonly Token[]): Word[] {
  const from = placesOf(run);
  return spansOf(text).flatMap(([begin, end]) => {
    const word = text.slice(begin, end);
    // What a token says before the word, a space, is none of the word's time.
    const first = begin + word.length - word.trimStart().length;
    const last = begin + word.trimEnd().length;
    if (first >= last) return [];
    const spoken = from.filter((place) => place.begin < last && place.end > first);
    return [
      {
        text: word.trim(),
        start: timeAt(spoken[0] as Place, first),
        end: timeAt(spoken.at(-1) as Place, last),
        confidence: geometricMean(spoken.map(({ token }) => token)),
      },
    ];
  });
}

/** A token, and where its text stands in that of its run. */
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

/** When a position of the text is reached: a token gives each of its characters the same time, its spaces none. */
function timeAt({ token, begin, end }: Place, position: number): number {
  const spaces = token.text.length - token.text.trimStart().length;
  const visible = token.text.trim().length;
  if (position >= end || visible === 0) return token.end;
  const part = Math.min(1, Math.max(0, (position - begin - spaces) / visible));
  return part === 0 ? token.start : Math.min(token.end, token.start + part * (token.end - token.start));
}

/** Words of all these scripts come from one segmenter; its locale decides nothing about them. Made when first needed: it reads a dictionary. */
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
    // Punctuation belongs to the word before it; what opens, and all before the first word, to the one after it.
    const opening = starts.length === 0 ? between.length : (OPENS.exec(between)?.[0].length ?? 0);
    if (parted) starts.push(index - opening);
    last = { segment, end: index + segment.length };
  }
  if (starts.length === 0) return [[0, text.length]];
  return starts.map((begin, i) => [begin, starts[i + 1] ?? text.length]);
}

/** Of the confidences; 1e-10 keeps a single zero from being the whole truth. */
export function geometricMean(tokens: readonly Token[]): number {
  const sum = tokens.reduce((total, token) => total + Math.log(token.confidence + 1e-10), 0);
  return Math.min(1, Math.exp(sum / tokens.length));
}
