/**
 * Compares decoders: word error rate, and the CPU time of the whole run (audio in, text out) as a ratio to greedy in the same run.
 *
 *     npm run -s bench:decoding -- [--json] [--recordings DIR] [--model DIR] [--lm FILE] [--latency PRESET] [--quick]
 *
 * Decoders that the model has no head for are left out. The language model is the one in the model's folder unless `--lm` names another. With `--latency`
 * the recordings are heard live, in pushes of half a second, by greedy decoding and the beam alone. `--quick` stops after 20 s of audio.
 */
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { loadModel } from 'parakeet-stream';
import { readRecordings, readSamples } from './recordings.mjs';
import { wordErrorRate } from './wer-metric.mjs';

const root = fileURLToPath(new URL('..', import.meta.url));
const { values } = parseArgs({
  options: {
    json: { type: 'boolean' },
    quick: { type: 'boolean' },
    lm: { type: 'string' },
    latency: { type: 'string' },
    recordings: { type: 'string', default: path.join(root, 'test', 'audio') },
    model: { type: 'string', default: path.join(root, 'models', 'parakeet-tiny-en') },
  },
});

const model = await loadModel(values.model, { dtype: 'float32' });
const lm = values.lm ?? (model.info.languageModel === undefined ? undefined : true);
const heads = { tdt: ['tdt'], 'tdt-ctc': ['tdt', 'ctc'], rnnt: ['rnnt'], ctc: ['ctc'] }[
  model.info.architecture
];
const ways = heads.flatMap((head) => [
  { head, type: 'greedy' },
  ...[2, 5, 10].map((beamSize) => ({ head, type: 'beam', beamSize })),
  ...(head === 'tdt'
    ? [
        { head, type: 'beam', search: 'parakeet-mlx' },
        { head, type: 'beam', search: 'parakeet-mlx', durationReward: 0.3 },
      ]
    : [{ head, type: 'beam', lengthPenalty: 0 }]),
  ...(lm === undefined
    ? []
    : [
        { head, type: 'beam', lm },
        { head, type: 'greedy', lm },
        ...(head === 'tdt' ? [{ head, type: 'beam', search: 'parakeet-mlx', lm }] : []),
      ]),
]);
const live = values.latency !== undefined;
const isPlain = ({ head, beamSize, search, lengthPenalty }) =>
  head === heads[0] && beamSize === undefined && search === undefined && lengthPenalty === undefined;
const chosen = live ? [...ways, { head: heads[0], type: 'beam' }].filter(isPlain) : ways;

/** The text by one way of decoding. */
async function hear(samples, decoding) {
  if (!live) return (await model.transcribe(samples, { decoding })).text;
  const transcript = model.live({ latency: values.latency, decoding });
  const push = model.info.sampleRate / 2;
  for (let at = 0; at < samples.length; at += push)
    await transcript.addAudio(samples.subarray(at, at + push));
  return (await transcript.finish()).text;
}

const rows = chosen.map((decoding) => ({ decoding, pairs: [], seconds: 0 }));
const recordings = [];
let audioSeconds = 0;
for (const { file, said } of readRecordings(values.recordings)) {
  if (audioSeconds >= (values.quick ? 20 : Number.POSITIVE_INFINITY)) break;
  const samples = await readSamples(file, model.info.sampleRate);
  audioSeconds += samples.length / model.info.sampleRate;
  recordings.push({ samples, said });
}
await model.transcribe(recordings[0].samples);
for (const { samples, said } of recordings) {
  // All decoders on each recording in turn, so that a busy moment of the machine affects all of them.
  for (const row of rows) {
    const began = process.cpuUsage();
    const text = await hear(samples, row.decoding);
    const { user, system } = process.cpuUsage(began);
    row.seconds += (user + system) / 1e6;
    row.pairs.push({ said, heard: text });
  }
}
await model.close();

const result = rows.map(({ decoding, pairs, seconds }) => ({
  decoding,
  wer: wordErrorRate(pairs).wer,
  ratio: { greedy: seconds / rows[0].seconds },
  x: audioSeconds / seconds, // by CPU time
}));
if (values.json) console.log(JSON.stringify({ audioSeconds, ways: result }));
else {
  console.log(`${path.basename(values.model)}, ${audioSeconds.toFixed(0)} s of audio\n`);
  console.log('                                                        WER %   × CPU time   time / greedy');
  for (const { decoding, wer, ratio, x } of result) {
    const { head, type, ...more } = decoding;
    const name = `${head} ${type} ${Object.entries(more)
      .map(([key, value]) => `${key} ${value}`)
      .join(', ')}`;
    console.log(
      `${name.padEnd(54)}${wer.toFixed(2).padStart(7)}${x.toFixed(1).padStart(14)}${ratio.greedy.toFixed(2).padStart(16)}`,
    );
  }
}
