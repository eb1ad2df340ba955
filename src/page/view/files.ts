/** A transcript as the text of a file: the same cues as the library's writers make, from the sentences as they were edited. */
import type { SentenceEvent } from '../../events.js';
import type { RoomSentence } from '../../server/rooms/room-events.js';
import { CueMaker, type SubtitleCue } from '../../sinks/cue-maker.js';
import { formatSpan } from '../../sinks/format.js';

export type DownloadFormat = 'srt' | 'vtt' | 'txt' | 'json';

/** The rules of the library's writers. */
const RULES = {
  highlightWords: false,
  lineWidth: 42,
  lineCount: 2,
  shortest: 1,
  longest: 7,
  speed: 20,
  perSentence: false,
};

/** The file's text. */
export function fileOf(sentences: readonly RoomSentence[], format: DownloadFormat): string {
  const kept = sentences.filter(({ text }) => text.trim() !== '');
  switch (format) {
    case 'txt':
      return kept.map(({ text }) => `${text}\n`).join('');
    case 'json':
      return `${JSON.stringify({ text: kept.map(({ text }) => text).join(' '), sentences: kept }, null, 2)}\n`;
    case 'srt':
      return cuesOf(kept)
        .map((cue, i) => `${i + 1}\n${formatSpan({ ...cue, text: '' }, ',')}\n${textOf(cue)}\n`)
        .join('\n');
    case 'vtt':
      return `WEBVTT\n${cuesOf(kept)
        .map((cue) => `\n${formatSpan({ ...cue, text: '' }, '.')}\n${escaped(textOf(cue))}\n`)
        .join('')}`;
  }
}

function cuesOf(sentences: readonly RoomSentence[]): SubtitleCue[] {
  const maker = new CueMaker(RULES, () => 0);
  const cues = sentences.flatMap((sentence) => maker.push(eventOf(sentence)));
  return [...cues, ...maker.finish()];
}

/** A token for each word: the cue maker works with both. */
function eventOf({ text, start, end, confidence, words }: RoomSentence): SentenceEvent {
  const tokens = words.map((word, i) => ({
    ...word,
    id: 0,
    text: i === 0 ? word.text : ` ${word.text}`,
    duration: word.end - word.start,
  }));
  return {
    type: 'sentence',
    sentence: { text, start, end, duration: end - start, confidence, words, tokens, revised: true },
  };
}

const textOf = ({ parts }: SubtitleCue): string =>
  parts
    .flatMap(({ lines }) => lines)
    .map((line) => line.map((word, i) => (word.spaced && i > 0 ? ' ' : '') + word.text).join(''))
    .join('\n');

const escaped = (text: string): string =>
  text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
