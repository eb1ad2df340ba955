/**
 * Transcripts as text: timestamps, cues, and the JSON of parakeet-mlx. Pure functions; writing is up to the sinks.
 */
import type { Sentence, SentenceEvent, Token, Word } from '../events.js';

/**
 * `HH:MM:SS,mmm` for SRT, `HH:MM:SS.mmm` for WebVTT.
 * @param seconds at least 0; from a hundred hours on the hours have more digits.
 */
export function formatTimestamp(seconds: number, decimalMarker: ',' | '.' = ','): string {
  const total = Math.max(0, Math.round(seconds * 1000));
  const two = (value: number): string => String(value).padStart(2, '0');
  const milliseconds = String(total % 1000).padStart(3, '0');
  const wholeSeconds = Math.floor(total / 1000);
  const [hours, minutes] = [Math.floor(wholeSeconds / 3600), Math.floor(wholeSeconds / 60) % 60];
  return `${two(hours)}:${two(minutes)}:${two(wholeSeconds % 60)}${decimalMarker}${milliseconds}`;
}

/** A subtitle on the screen from `start` to `end`, in seconds. */
export interface Cue {
  start: number;
  end: number;
  text: string;
}

/** `00:00:01,000 --> 00:00:02,500`. A cue must last: one of no length gets a millisecond. */
export function formatSpan(cue: Cue, decimalMarker: ',' | '.'): string {
  const end = Math.max(cue.end, cue.start + 0.001);
  return `${formatTimestamp(cue.start, decimalMarker)} --> ${formatTimestamp(end, decimalMarker)}`;
}

/** How a cue's text is written. */
export interface CueStyle {
  /** Escapes text that would be read as markup. */
  escape: (text: string) => string;
  /** Marks the word that is being spoken. */
  highlight: (text: string) => string;
  /** Names the speaker, and how much of that is visible. */
  label: (speaker: string) => string;
  shownLabel: (speaker: string) => string;
  /** Ends one speaker's part when another one follows in the same cue. */
  closeLabel: string;
}

/**
 * The cues of a sentence as parakeet-mlx writes them: one, or one per word with that word marked, each until the next word begins. The
 * speaker's name comes first.
 */
export function cuesOf(
  { sentence, speaker }: SentenceEvent,
  highlightWords: boolean,
  style: CueStyle,
): Cue[] {
  const { start, end, words } = sentence;
  const label = speaker === undefined ? '' : style.label(oneLine(speaker));
  if (!highlightWords) return [{ start, end, text: label + style.escape(oneLine(sentence.text)) }];
  const gaps = gapsOf(sentence);
  return words.map((word, i) => ({
    start: word.start,
    end: words[i + 1]?.start ?? word.end,
    text: label + oneLine(words.map((other, k) => gaps[k] + markup(other, other === word, style)).join('')),
  }));
}

/** What precedes each word: usually a space, nothing in Chinese; a space also if the sentence's text was changed. */
function gapsOf({ text, words }: Sentence): string[] {
  let at = 0;
  return words.map((word, i) => {
    const found = text.indexOf(word.text, at);
    const together = found === at;
    if (found >= 0) at = found + word.text.length;
    return i === 0 || together ? '' : ' ';
  });
}

const markup = ({ text }: Word, spoken: boolean, style: CueStyle): string =>
  spoken ? style.highlight(style.escape(text)) : style.escape(text);

/** A blank line would end a cue. */
export const oneLine = (text: string): string => text.replace(/\s*[\r\n]+\s*/g, ' ').trim();

/** Three decimals, as parakeet-mlx. */
const rounded = (value: number): number => Math.round(value * 1000) / 1000;

/** A token in the JSON of parakeet-mlx. */
export interface JsonToken {
  text: string;
  start: number;
  end: number;
  duration: number;
  confidence: number;
}

/** A sentence in the JSON of parakeet-mlx. */
export interface JsonSentence extends JsonToken {
  /** Who speaks, in a merged transcript. */
  speaker?: string;
  tokens: JsonToken[];
}

/** Times and confidences with three decimals, the keys of parakeet-mlx. */
export function jsonToken(token: Token): JsonToken {
  return {
    text: token.text,
    start: rounded(token.start),
    end: rounded(token.end),
    duration: rounded(token.duration),
    confidence: rounded(token.confidence),
  };
}

/** Times and confidences with three decimals, the keys of parakeet-mlx. */
export function jsonSentence(sentence: Sentence, speaker?: string): JsonSentence {
  return {
    ...(speaker === undefined ? {} : { speaker }),
    text: sentence.text,
    start: rounded(sentence.start),
    end: rounded(sentence.end),
    duration: rounded(sentence.duration),
    confidence: rounded(sentence.confidence),
    tokens: sentence.tokens.map(jsonToken),
  };
}
