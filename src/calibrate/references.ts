/**
 * Recordings with what is said in them: a folder of sound files, each beside a text file of the same name, or a manifest as NeMo has it, one JSON
 * object a line with `audio_filepath` (from the manifest's folder on) and `text`.
 */
import { readdir, readFile, stat } from 'node:fs/promises';
import path from 'node:path';
import { expected, received } from '../options.js';
import type { AudioSource } from '../sources/audio-source.js';

/** A recording and its words. */
export interface Reference {
  audio: AudioSource;
  /** What is said in it; case and punctuation do not count. */
  text: string;
}

const TEXT = '.txt';
/** Files beside recordings that are none. */
const OTHERS = new Set([TEXT, '.md', '.json', '.jsonl', '.tsv', '.csv', '.srt', '.vtt']);

/** @throws {@link ArgumentError} for what is neither, or holds none. */
export async function readReferences(name: string): Promise<Reference[]> {
  const kind = await stat(name).catch(() => undefined);
  if (!kind) throw expected('a folder or a manifest', 'references', name);
  const found = kind.isDirectory() ? await pairsIn(name) : await rowsOf(name);
  if (found.length > 0) return found;
  throw received('recordings with their texts', 'references', `${name}, which has none`);
}

async function pairsIn(folder: string): Promise<Reference[]> {
  const names = (await readdir(folder)).sort();
  const texts = new Set(names.filter((name) => name.endsWith(TEXT)));
  const sounds = names.filter((name) => {
    const { name: stem, ext } = path.parse(name);
    return !OTHERS.has(ext.toLowerCase()) && texts.has(stem + TEXT);
  });
  return Promise.all(
    sounds.map(async (name) => ({
      audio: path.join(folder, name),
      text: await readFile(path.join(folder, path.parse(name).name + TEXT), 'utf8'),
    })),
  );
}

async function rowsOf(manifest: string): Promise<Reference[]> {
  const lines = (await readFile(manifest, 'utf8')).split('\n');
  return lines.flatMap((line, i) => {
    if (line.trim() === '') return [];
    const { audio_filepath: file, text } = rowOf(line) ?? {};
    if (typeof file === 'string' && typeof text === 'string')
      return [{ audio: path.resolve(path.dirname(manifest), file), text }];
    throw received(
      'audio_filepath and text in each line',
      'references',
      `line ${i + 1} of ${manifest}: ${line.slice(0, 80)}`,
    );
  });
}

function rowOf(line: string): { audio_filepath?: unknown; text?: unknown } | null {
  try {
    return JSON.parse(line) as { audio_filepath?: unknown; text?: unknown } | null;
  } catch {
    return null;
  }
}
