/**
 * Word error rate of a model on a folder of recordings: offline, streamed, and parakeet-mlx with the same weights.
 * Decoded greedily, as the others do (bench:decoding measures beams and language models). `offline` adds no silence at the end, as parakeet-mlx does
 * not; `flushed` does, as `model.transcribe` does by default.
 *
 *     npm run -s bench:wer -- [--json] [--recordings DIR] [--model DIR] [--limit-seconds S] [--quick] [--presets]
 *
 * DIR of recordings: sound files and a transcripts.tsv (default: test/audio). `--quick` stops after 20 s of audio.
 * `--presets` streams with each latency preset too. bfloat16, int8 and int4 are measured beside float32.
 */
import { createReadStream } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { loadModel, parakeet, presets } from 'parakeet-stream';
import { readRecordings, readSamples } from './recordings.mjs';
import { startReference } from './reference.mjs';
import { wordErrorRate } from './wer-metric.mjs';

/** Two seconds: the lookahead that the streamed figure is promised for. */
const LOOKAHEAD = 2;

const decoding = { type: 'greedy' };
const root = fileURLToPath(new URL('..', import.meta.url));
const { values } = parseArgs({
  options: {
    json: { type: 'boolean' },
    quick: { type: 'boolean' },
    presets: { type: 'boolean' },
    recordings: { type: 'string', default: path.join(root, 'test', 'audio') },
    model: { type: 'string', default: path.join(root, 'models', 'parakeet-tiny-en') },
    'limit-seconds': { type: 'string' },
  },
});
const limit = Number(values['limit-seconds'] ?? (values.quick ? 20 : Number.POSITIVE_INFINITY));
if (!(limit > 0)) {
  throw new Error(`Expected a number of seconds for --limit-seconds but received ${values['limit-seconds']}`);
}

const model = await loadModel(values.model, { dtype: 'float32' });
const narrow = [];
for (const dtype of ['bfloat16', 'int8', 'int4']) {
  narrow.push({ dtype, model: await loadModel(values.model, { dtype }), offline: [], streamed: [] });
}
const reference = await startReference(values.model);
const heard = { offline: [], flushed: [], streamed: [], reference: [] };
const compute = { offline: 0, streamed: 0 };
const byPreset = Object.keys(values.presets ? presets : {}).map((latency) => ({
  latency,
  pairs: [],
  seconds: 0,
}));
let audioSeconds = 0;

for (const { file, said } of readRecordings(values.recordings)) {
  if (audioSeconds >= limit) break;
  const samples = await readSamples(file, model.info.sampleRate);
  audioSeconds += samples.length / model.info.sampleRate;

  const began = performance.now();
  heard.offline.push({
    said,
    heard: (await model.transcribe(samples, { decoding, silence: { flush: 0 } })).text,
  });
  compute.offline += (performance.now() - began) / 1000;
  heard.flushed.push({ said, heard: (await model.transcribe(samples, { decoding })).text });

  const { text, seconds } = await streamed(file, { model, latency: { lookahead: LOOKAHEAD } });
  heard.streamed.push({ said, heard: text });
  compute.streamed += seconds;

  for (const preset of byPreset) {
    const { text, seconds } = await streamed(file, { model, latency: preset.latency });
    preset.pairs.push({ said, heard: text });
    preset.seconds += seconds;
  }

  for (const other of narrow) {
    const { text } = await other.model.transcribe(samples, { decoding, silence: { flush: 0 } });
    other.offline.push({ said, heard: text });
    const live = await streamed(file, { model: other.model, latency: { lookahead: LOOKAHEAD } });
    other.streamed.push({ said, heard: live.text });
  }

  if (reference !== null) {
    heard.reference.push({ said, heard: await reference.transcribe(await features(samples)) });
  }
  if (!values.json) process.stderr.write(`\r${audioSeconds.toFixed(0)} s of audio`);
}
await reference?.close();
await model.close();
for (const other of narrow) await other.model.close();

const result = {
  offline: wordErrorRate(heard.offline),
  flushed: wordErrorRate(heard.flushed),
  streamed: wordErrorRate(heard.streamed),
  reference: reference === null ? null : wordErrorRate(heard.reference),
  dtypes: Object.fromEntries(
    narrow.map(({ dtype, offline, streamed }) => [
      dtype,
      { offline: wordErrorRate(offline), streamed: wordErrorRate(streamed) },
    ]),
  ),
  audioSeconds: Math.round(audioSeconds * 1000) / 1000,
  ...(values.presets
    ? { presets: Object.fromEntries(byPreset.map(({ latency, pairs }) => [latency, wordErrorRate(pairs)])) }
    : {}),
};
if (values.json) process.stdout.write(`${JSON.stringify(result)}\n`);
else print(result);

/** The words of a recording that goes through the stream, as fast as the machine can. */
async function streamed(file, options) {
  const line = createReadStream(file).pipe(parakeet({ ...options, decoding, drafts: false, collect: true }));
  for await (const event of line) {
    if (event.type === 'end') return { text: event.result.text, seconds: event.stats.computeSeconds };
  }
  throw new Error(`Expected an end event for ${file}`);
}

/** What NeMo's front end gives for a recording: the encoder's input. */
async function features(samples) {
  const mel = await model.native.logMel(samples);
  return model.native.normalize(mel.data, mel.rows);
}

function print({ offline, flushed, streamed, reference, dtypes, presets: measured }) {
  const row = (name, figures, seconds) =>
    `${name.padEnd(36)}${percent(figures?.wer)}${percent(figures?.strict)}${
      seconds === undefined ? '' : (seconds / audioSeconds).toFixed(3).padStart(12)
    }`;
  process.stderr.write('\r');
  console.log(
    `${values.recordings}: ${heard.offline.length} recordings, ${audioSeconds.toFixed(1)} s, ${offline.words} words`,
  );
  console.log(`${''.padEnd(36)}${'WER'.padStart(10)}${'strict'.padStart(10)}${'× real time'.padStart(13)}`);
  console.log(row('offline', offline, compute.offline));
  console.log(row('offline, flushed', flushed));
  console.log(row(`streamed, ${LOOKAHEAD} s of lookahead`, streamed, compute.streamed));
  for (const { latency, seconds } of byPreset) {
    console.log(row(`streamed, latency: '${latency}'`, measured[latency], seconds));
  }
  for (const [dtype, figures] of Object.entries(dtypes)) {
    console.log(row(`${dtype}, offline`, figures.offline));
    console.log(row(`${dtype}, streamed`, figures.streamed));
  }
  console.log(
    reference === null ? 'parakeet-mlx: not installed' : row('parakeet-mlx, same features', reference),
  );
}

function percent(value) {
  return (value === undefined ? '–' : `${value.toFixed(2)} %`).padStart(10);
}
