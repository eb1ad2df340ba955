/**
 * What a file holds before a sink continues it: the number and the end of its last record. Reads only the end of the file.
 */
import { open, stat, truncate } from 'node:fs/promises';

/** The end of a file. */
export interface Previous {
  /** The number of the last SubRip cue, 0 when there is none. */
  cues: number;
  /** Seconds at which the last cue or record ends, 0 when there are no times. */
  end: number;
  /** The file is not empty. */
  begun: boolean;
  /** What must precede the next record, so that the last one is complete. */
  separator: '' | '\n';
}

export const NOTHING: Previous = { cues: 0, end: 0, begun: false, separator: '' };

/** Enough for any cue, or record without tokens; a record of a sentence with its tokens is read in full below. */
const TAIL = 1 << 20;

/** The end of a file of subtitles or of text. */
export async function previousText(path: string): Promise<Previous> {
  const tail = await tailOf(path);
  if (tail === '') return NOTHING;
  const separator = tail.endsWith('\n') ? '' : '\n';
  const spans = [...tail.matchAll(/^(?:(\d+)\r?\n)?(?:\d+:)?\d+:\d+[.,]\d+ --> ((?:\d+:)?\d+:\d+[.,]\d+)/gm)];
  const end = Math.max(0, ...spans.map(([, , time = '']) => secondsOf(time)));
  return { cues: Number(spans.at(-1)?.[1] ?? 0), end, begun: true, separator };
}

/** The end of a file of JSON lines. An incomplete last line is removed. */
export async function previousLines(path: string): Promise<Previous> {
  const tail = await tailOf(path);
  if (tail === '') return NOTHING;
  const lines = tail.split('\n');
  const rest = lines.pop() ?? '';
  const whole = rest !== '' && parsed(rest) !== undefined;
  if (rest !== '' && !whole) {
    const { size } = await stat(path);
    await truncate(path, size - Buffer.byteLength(rest));
  }
  const records = [...lines, ...(whole ? [rest] : [])].map(parsed);
  const ends = records.map((record) => (typeof record?.end === 'number' ? record.end : 0));
  return { cues: 0, end: Math.max(0, ...ends), begun: true, separator: whole ? '\n' : '' };
}

function parsed(line: string): { end?: unknown } | undefined {
  try {
    return JSON.parse(line) as { end?: unknown };
  } catch {
    return undefined;
  }
}

async function tailOf(path: string): Promise<string> {
  const file = await open(path, 'r').catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return undefined;
    throw error;
  });
  if (!file) return '';
  try {
    const stats = await file.stat();
    if (!stats.isFile()) return '';
    const length = Math.min(TAIL, stats.size);
    const { buffer } = await file.read(Buffer.alloc(length), 0, length, stats.size - length);
    return buffer.toString('utf8');
  } finally {
    await file.close();
  }
}

function secondsOf(time: string): number {
  return time
    .replace(',', '.')
    .split(':')
    .reduce((sum, part) => 60 * sum + Number(part), 0);
}
