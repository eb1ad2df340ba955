/** Words and alternatives in Deepgram's form. */
import type { Token, Word } from '../../../index.js';

/** A word as Deepgram writes it. */
interface DeepgramWord {
  word: string;
  start: number;
  end: number;
  confidence: number;
  punctuated_word?: string;
}

/** One reading of a stretch of sound. */
export interface Alternative {
  transcript: string;
  confidence: number;
  words: DeepgramWord[];
}

/** The reading of final words. @param punctuate Whether punctuation and capital letters are kept. */
export function alternativeOf(
  text: string,
  confidence: number,
  words: readonly Word[],
  punctuate: boolean,
): Alternative {
  const spelled = words.map((word) => wordOf(word, punctuate));
  const bare = spelled.map(({ word }) => word).filter((word) => word !== '');
  return { transcript: punctuate ? text : bare.join(' '), confidence: rounded(confidence), words: spelled };
}

/** Words of tokens that are not final: a space begins one. */
export function wordsOf(tokens: readonly Token[]): Word[] {
  const words: Word[] = [];
  for (const { text, start, end, confidence } of tokens) {
    const last = words.at(-1);
    if (text === '') continue;
    if (last === undefined || text.startsWith(' ')) words.push({ text: text.trim(), start, end, confidence });
    else {
      last.text += text;
      last.end = end;
      last.confidence = Math.min(last.confidence, confidence);
    }
  }
  return words;
}

function wordOf({ text, start, end, confidence }: Word, punctuate: boolean): DeepgramWord {
  const bare = text.toLowerCase().replace(/^[^\p{L}\p{N}]+|[^\p{L}\p{N}]+$/gu, '');
  const times = { start: rounded(start), end: rounded(end), confidence: rounded(confidence) };
  return { word: bare, ...times, ...(punctuate && { punctuated_word: text }) };
}

/** Three decimals: milliseconds. */
export const rounded = (value: number): number => Math.round(value * 1000) / 1000;
