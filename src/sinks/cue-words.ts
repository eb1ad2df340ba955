/**
 * The words of which cues are made, each with its time: from final tokens, or from a sentence whose text may have been changed.
 */
import type { Sentence, Token, Word } from '../events.js';
import { wordsOf } from '../text/words.js';
import { widthOf, wrap } from './wrap.js';

/** A word in a cue. */
export interface CueWord {
  text: string;
  start: number;
  end: number;
  /** Width in columns. */
  width: number;
  /** A space precedes it, unless it begins a line. */
  spaced: boolean;
}

/** The words of final tokens. */
export function wordsOfTokens(tokens: readonly Token[], lineWidth: number): CueWord[] {
  const text = tokens.map((token) => token.text).join('');
  return cueWords(wordsOf(tokens), text.trim(), lineWidth);
}

/** The words of a sentence: from its text, timed by its words. */
export function wordsOfSentence({ text, words, start, end }: Sentence, lineWidth: number): CueWord[] {
  const shown = text.replace(/\s+/g, ' ').trim();
  const same =
    words
      .map((word) => word.text)
      .join('')
      .replace(/\s/g, '') === shown.replace(/\s/g, '');
  if (same) return cueWords(words, shown, lineWidth);
  // The text was changed on its way: word by word, or altogether.
  const parts = shown.split(' ').filter((part) => part !== '');
  const timed = parts.map((part, i) => {
    const word = words.length === parts.length ? words[i] : undefined;
    const at = (index: number) => start + ((end - start) * index) / parts.length;
    return { text: part, start: word?.start ?? at(i), end: word?.end ?? at(i + 1), confidence: 1 };
  });
  return cueWords(timed, shown, lineWidth);
}

function cueWords(words: readonly Word[], text: string, lineWidth: number): CueWord[] {
  let at = 0;
  return words.flatMap((word) => {
    const shown = word.text.replace(/\s+/g, ' ').trim();
    const found = text.indexOf(shown, at);
    const spaced = found !== at && at > 0;
    if (found >= 0) at = found + shown.length;
    return pieces({ ...word, text: shown, width: widthOf(shown), spaced }, lineWidth);
  });
}

/** A word that is wider than a line, in pieces that fit. */
function pieces(word: CueWord, lineWidth: number): CueWord[] {
  const { text, start, end, width, spaced } = word;
  if (text === '') return [];
  if (width <= lineWidth) return [{ text, start, end, width, spaced }];
  return wrap(text, lineWidth).map((row, i) => {
    const at = (index: number) => start + ((end - start) * index) / text.length;
    const piece = text.slice(row.start, row.end);
    return {
      text: piece,
      start: at(row.start),
      end: at(row.end),
      width: widthOf(piece),
      spaced: spaced && i === 0,
    };
  });
}
