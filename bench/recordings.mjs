/**
 * A folder of recordings with a `transcripts.tsv`: which files there are, what is said in them, and their samples.
 */

import { createReadStream, existsSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { decode, resample } from 'parakeet-stream/stages';
import { joined } from './joined.mjs';
import { voiceOf } from './mixes.mjs';

/**
 * The rows of a folder's `transcripts.tsv`, which has a head line with the columns `file` and `transcript` at least.
 *
 * @param {string} folder
 * @returns {{ file: string, said: string }[]}
 */
export function readRecordings(folder) {
  const table = path.join(folder, 'transcripts.tsv');
  if (!existsSync(table)) {
    throw new Error(`Expected a transcripts.tsv in the folder for --recordings but found none at ${table}`);
  }
  const [head = '', ...lines] = readFileSync(table, 'utf8').trimEnd().split(/\r?\n/);
  const columns = head.split('\t');
  const [file, transcript] = [columns.indexOf('file'), columns.indexOf('transcript')];
  if (file < 0 || transcript < 0) {
    throw new Error(
      `Expected the columns file and transcript in ${table} but received ${columns.join(', ')}`,
    );
  }
  return lines
    .map((line) => line.split('\t'))
    .map((cells) => ({ file: path.join(folder, cells[file] ?? ''), said: cells[transcript] ?? '' }));
}

/**
 * All samples of a recording, mono, at `sampleRate`.
 *
 * @param {string} file
 * @param {number} sampleRate
 * @returns {Promise<Float32Array>}
 */
export async function readSamples(file, sampleRate) {
  const chunks = [];
  for await (const { channels } of createReadStream(file).pipe(decode()).pipe(resample(sampleRate))) {
    chunks.push(channels[0]);
  }
  return joined(chunks);
}

/**
 * Which half of some recordings one belongs to, 0 or 1: their voices in the order of their names fall into two halves in turn, so that what is made
 * from the one half can be evaluated with the other.
 *
 * @param {string[]} files
 * @returns {(file: string) => number}
 */
export function halfOf(files) {
  const voices = [...new Set(files.map(voiceOf))].sort();
  return (file) => voices.indexOf(voiceOf(file)) % 2;
}
