/**
 * Makes a model folder's streaming.json, the initial statistics of a live stream, from recordings: mean and deviation of each
 * log-mel feature in speech, at a common level (test/reference/live-statistics.ts says how the engine uses them). Only for the
 * repository: `npm run build:dist && node scripts/make-prior.mjs --recordings DIR [--half 0|1] [--frames N] [--model DIR] [--out
 * FILE]`.
 *
 * DIR: sound files and a transcripts.tsv. The voices (files whose names differ in their last number) in the order of their names
 * fall into two halves in turn; without `--half` all recordings are used. The bundled prior is made from half 0, so half 1 can
 * evaluate it.
 */
import { writeFileSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { halfOf, readRecordings, readSamples } from '../bench/recordings.mjs';
import { loadReference } from './reference.mjs';

const root = fileURLToPath(new URL('..', import.meta.url));
const { values } = parseArgs({
  options: {
    recordings: { type: 'string' },
    half: { type: 'string' },
    // How many mel frames the prior counts for, measured on word error rate.
    frames: { type: 'string', default: '100' },
    model: { type: 'string', default: path.join(root, 'models', 'parakeet-tiny-en') },
    out: { type: 'string' },
  },
});
if (values.recordings === undefined) throw new Error('Expected a folder for --recordings but received none');

const { logMel, shapeOf, readReferenceModel } = await loadReference(['live-statistics', 'mel', 'model']);
const config = readReferenceModel(values.model).mel;
const all = readRecordings(values.recordings);
const half = halfOf(all.map(({ file }) => file));
const used = all.filter(({ file }) => values.half === undefined || half(file) === Number(values.half));

const { features } = config;
const sums = new Float64Array(features);
const squares = new Float64Array(features);
let frames = 0;
for (const { file } of used) {
  const mel = logMel(await readSamples(file, config.sampleRate), config);
  const { mean, std, frames: own } = shapeOf(mel);
  frames += own;
  // The deviation within each recording, since a recording is normalised by its own mean.
  for (let f = 0; f < features; f++) {
    sums[f] += mean[f] * own;
    squares[f] += std[f] ** 2 * own;
  }
}
const average = sums.reduce((sum, value) => sum + value, 0) / features / frames;
const round = (value) => Math.round(1e4 * value) / 1e4;
const prior = {
  made: `scripts/make-prior.mjs: ${used.length} of ${all.length} recordings${values.half === undefined ? '' : `, half ${values.half}`}, ${Math.round(frames / 100)} s of speech`,
  normalization: {
    frames: Number(values.frames),
    mean: Array.from(sums, (sum) => round(sum / frames - average)),
    std: Array.from(squares, (sum) => round(Math.sqrt(sum / frames))),
  },
};
writeFileSync(values.out ?? path.join(values.model, 'streaming.json'), `${JSON.stringify(prior)}\n`);
console.log(`${prior.made}; mean level ${average.toFixed(2)} at the reference level`);
