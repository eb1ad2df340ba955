/**
 * Makes the confidence.json of a model folder from the repository's recordings, as `parakeet models calibrate` does from a user's. Only for the
 * repository: `npm run build:dist && node scripts/make-calibration.mjs --recordings DIR [--recordings DIR…] [--half 0|1] [--measure NAME]
 * [--model DIR]`.
 *
 * DIR: sound files and a transcripts.tsv. The voices fall into two halves as in make-prior.mjs; the bundled calibration is made from half 0, so half
 * 1 can evaluate it (bench/confidence.mjs).
 */
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { calibrateModel } from 'parakeet-stream';
import { halfOf, readRecordings } from '../bench/recordings.mjs';

const root = fileURLToPath(new URL('..', import.meta.url));
const { values } = parseArgs({
  options: {
    recordings: { type: 'string', multiple: true, default: [path.join(root, 'test', 'audio')] },
    half: { type: 'string' },
    measure: { type: 'string' },
    model: { type: 'string', default: path.join(root, 'models', 'parakeet-tiny-en') },
  },
});
const all = values.recordings.flatMap((folder) => readRecordings(folder));
const half = halfOf(all.map(({ file }) => file));
const used = all.filter(({ file }) => values.half === undefined || half(file) === Number(values.half));
const references = used.map(({ file, said }) => ({ audio: file, text: said }));
const report = await calibrateModel(values.model, { references, measure: values.measure, dtype: 'float32' });
console.log(JSON.stringify(report, null, 1));
