// A small transcript as events, and readers of the subtitle formats, for tests of the sinks.
// The readers are strict: they throw on anything that is not a complete, valid file.
import type { StreamStats, Token, TranscriptEvent } from '../../src/events.js';
import { splitSentences } from '../../src/text/sentence-splitter.js';

const ROWS: [id: number, text: string, start: number, duration: number, confidence: number][] = [
  [1, ' Hello', 0.08, 0.16, 0.9],
  [2, ',', 0.24, 0.08, 0.8],
  [3, ' wor', 0.32, 0.24, 0.7],
  [4, 'ld', 0.56, 0.08, 0.95],
  [5, '.', 0.64, 0.16, 0.99],
  [6, ' Is', 3601.2, 0.08, 0.5],
  [7, ' it', 3601.28, 0.4, 0.6],
  [8, '?', 3601.84, 0.0004, 1],
];

export const TOKENS: Token[] = ROWS.map(([id, text, start, duration, confidence]) => ({
  id,
  text,
  start,
  end: start + duration,
  duration,
  confidence,
}));

const STATS: StreamStats = {
  audioSeconds: 3602,
  computeSeconds: 1,
  realTimeFactor: 1 / 3602,
  steps: 2,
  draftsDropped: 0,
  stepsGrown: 0,
  maxLag: 0,
  latency: { p50: 1, p95: 2, max: 3 },
};

export const SENTENCE_EVENTS: TranscriptEvent[] = splitSentences(TOKENS).map((sentence) => ({
  type: 'sentence',
  sentence,
}));

/** Tokens, sentences, progress and an end, as `parakeet()` gives them. */
export const EVENTS: TranscriptEvent[] = [
  ...TOKENS.slice(0, 5).map((token): TranscriptEvent => ({ type: 'token', token })),
  SENTENCE_EVENTS[0] as TranscriptEvent,
  { type: 'draft', tokens: TOKENS.slice(5, 6), text: 'Is', revision: 1 },
  { type: 'progress', time: 3601 },
  ...TOKENS.slice(5).map((token): TranscriptEvent => ({ type: 'token', token })),
  SENTENCE_EVENTS[1] as TranscriptEvent,
  { type: 'end', stats: STATS },
];

export interface ParsedCue {
  start: number;
  end: number;
  text: string;
}

const seconds = (h = '', m = '', s = '', ms = ''): number =>
  Number(h) * 3600 + Number(m) * 60 + Number(s) + Number(ms) / 1000;

function parseSpan(line: string | undefined, marker: string): { start: number; end: number } {
  const time = `(\\d{2,}):([0-5]\\d):([0-5]\\d)\\${marker}(\\d{3})`;
  const match = new RegExp(`^${time} --> ${time}$`).exec(line ?? '');
  if (!match) throw new Error(`Not a time span: ${line}`);
  const span = { start: seconds(...match.slice(1, 5)), end: seconds(...match.slice(5, 9)) };
  if (span.end <= span.start) throw new Error(`A cue of no length: ${line}`);
  return span;
}

/** The blocks between blank lines; the file must end with a newline. */
function blocks(file: string): string[][] {
  if (file === '') return [];
  if (!file.endsWith('\n')) throw new Error(`Cut off: ${JSON.stringify(file.slice(-40))}`);
  return file
    .slice(0, -1)
    .split('\n\n')
    .map((block) => block.split('\n'));
}

export function parseSrt(file: string): ParsedCue[] {
  return blocks(file).map(([number, span, ...text], i) => {
    if (number !== String(i + 1)) throw new Error(`Expected cue ${i + 1}, found ${number}`);
    if (text.length === 0) throw new Error(`Cue ${number} has no text`);
    return { ...parseSpan(span, ','), text: text.join('\n') };
  });
}

export function parseVtt(file: string): ParsedCue[] {
  const [header, ...cues] = blocks(file);
  if (header?.join('\n') !== 'WEBVTT') throw new Error(`No WebVTT header: ${header?.join('\n')}`);
  return cues.map(([span, ...text]) => ({ ...parseSpan(span, '.'), text: text.join('\n') }));
}
