/**
 * How live streams follow speakers, levels and interruptions: mixes of voices that take turns at different levels, recordings at
 * other gains, and what is recognised after silence, a pause and noise.
 *
 *     npm run -s bench:voices -- [--json] [--quick] [--recordings DIR]… [--model DIR] [--limit-seconds S] [--seed N] [--mixes N] [--presets]
 *
 * DIR: sound files and a transcripts.tsv; may be given several times (default: test/audio). `--mixes` of each size (two and four
 * voices) are made by `--seed` (bench/mixes.mjs) and pooled. `--limit-seconds`: audio of all mixes. `--presets` transcribes the
 * mixes with every preset, not 'balanced' alone. `--quick` ends within 45 s. `--json`: `{ seed, mixes: { seconds, words, offline,
 * [preset]: { wer, deletions, insertions } }, gains: [{ decibels, recordings, offline, live, offlineAtZero, liveAtZero,
 * firstWordsLost }], interruptions: [{ name, wer, alone }] }`, all rates in per cent of the words. A gain is measured on the
 * recordings that it does not clip; a first word is lost when it is recognised correctly at 0 dB and is not among the first three
 * at the gain. Live means 'balanced' unless stated otherwise.
 */
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { loadModel, presets } from 'parakeet-stream';
import { joined } from './joined.mjs';
import { mix, random, voicesOf } from './mixes.mjs';
import { readRecordings, readSamples } from './recordings.mjs';
import { editCounts, plainWords } from './wer-metric.mjs';

/** Without the language model that whole recordings have by default. */
const decoding = { type: 'greedy' };
const root = fileURLToPath(new URL('..', import.meta.url));
const { values } = parseArgs({
  options: {
    json: { type: 'boolean' },
    quick: { type: 'boolean' },
    presets: { type: 'boolean' },
    recordings: { type: 'string', multiple: true, default: [path.join(root, 'test', 'audio')] },
    model: { type: 'string' },
    'limit-seconds': { type: 'string' },
    seed: { type: 'string', default: '1' },
    mixes: { type: 'string' },
  },
});
const number = (name, text) => {
  const value = Number(text);
  if (value > 0) return value;
  throw new Error(`Expected a number above zero for --${name} but received ${text}`);
};
const limit = number('limit-seconds', values['limit-seconds'] ?? (values.quick ? 120 : Number.MAX_VALUE));
const seed = number('seed', values.seed);
const count = number('mixes', values.mixes ?? (values.quick ? 1 : 8));
const GAINS = values.quick ? [-40, 10] : [-40, -30, -20, -10, 10];
const MIX_SECONDS = 120;
/** This many streams run at once: their steps share batches. */
const TOGETHER = 16;

const model = await loadModel(values.model, { dtype: 'float32' });
const rate = model.info.sampleRate;
const recordings = [];
for (const folder of values.recordings) {
  for (const { file, said } of readRecordings(folder)) {
    recordings.push({ file, said, samples: await readSamples(file, rate) });
  }
}
const voices = voicesOf(recordings, rate);

const result = { seed, mixes: await measureMixes(), gains: [], interruptions: [] };
const atZero = await hearAll(recordings);
for (const decibels of GAINS) {
  const row = await measureGain(decibels);
  if (row.recordings > 0) result.gains.push(row);
}
for (const one of interruptions()) result.interruptions.push(await measureInterruption(one));
await model.close();
if (values.json) process.stdout.write(`${JSON.stringify(result)}\n`);
else print();

/** Transcribes each sound offline and live. */
async function hearAll(sounds) {
  return {
    offline: await inParallel(
      sounds,
      async ({ samples }) => (await model.transcribe(samples, { decoding })).text,
    ),
    live: await inParallel(sounds, async ({ samples }) => (await listen(samples)).text),
  };
}

async function listen(samples, latency = 'balanced') {
  const live = model.live({ latency, decoding });
  await live.addAudio(samples);
  await live.finish();
  const { result: heard } = live;
  await live.close();
  return heard;
}

async function inParallel(list, work) {
  const out = [];
  let next = 0;
  const worker = async () => {
    while (next < list.length) {
      const index = next++;
      out[index] = await work(list[index]);
    }
  };
  await Promise.all(Array.from({ length: TOGETHER }, worker));
  return out;
}

async function measureMixes() {
  const mixes = [];
  let samples = 0;
  for (let i = 0; i < count; i++) {
    for (const speakers of [2, 4]) {
      if (samples >= limit * rate) break;
      const one = mix(voices, {
        seed: 1000 * seed + 10 * i + speakers,
        speakers,
        seconds: MIX_SECONDS,
        rate,
      });
      samples += one.samples.length;
      mixes.push(one);
    }
  }
  const said = mixes.map((one) => one.said);
  const rows = {
    seconds: samples / rate,
    words: said.flatMap(plainWords).length,
    offline: rates(
      said,
      await inParallel(mixes, async (one) => (await model.transcribe(one.samples, { decoding })).text),
    ),
  };
  for (const latency of values.presets ? Object.keys(presets) : ['balanced']) {
    const heard = await inParallel(mixes, async (one) => (await listen(one.samples, latency)).text);
    rows[latency] = rates(said, heard);
  }
  return rows;
}

async function measureGain(decibels) {
  const gain = 10 ** (decibels / 20);
  const fitting = recordings.flatMap(({ said, samples }, i) => {
    const peak = samples.reduce((most, sample) => Math.max(most, Math.abs(sample)), 0);
    return peak * gain > 1 ? [] : [{ i, said, samples: samples.map((sample) => sample * gain) }];
  });
  const said = fitting.map((one) => one.said);
  const heard = await hearAll(fitting);
  const before = (kind) => fitting.map(({ i }) => atZero[kind][i]);
  const lost = (kind) =>
    fitting.filter((one, k) => {
      const [first] = plainWords(before(kind)[k]);
      if (first === undefined || first !== plainWords(one.said)[0]) return false;
      return !plainWords(heard[kind][k]).slice(0, 3).includes(first);
    }).length;
  return {
    decibels,
    recordings: fitting.length,
    offline: rates(said, heard.offline).wer,
    offlineAtZero: rates(said, before('offline')).wer,
    live: rates(said, heard.live).wer,
    liveAtZero: rates(said, before('live')).wer,
    firstWordsLost: { offline: lost('offline'), live: lost('live') },
  };
}

/** What may come between two recordings. */
function interruptions() {
  const next = random(seed);
  const noise = (seconds, level) =>
    Float32Array.from({ length: seconds * rate }, () => level * (2 * next() - 1));
  return [
    { name: 'nothing', sound: new Float32Array(0) },
    { name: 'a minute of digital silence', sound: new Float32Array(60 * rate) },
    { name: 'a minute of a quiet room (-66 dBFS)', sound: noise(60, 5e-4 * Math.sqrt(3)) },
    { name: 'a minute of a loud room (-46 dBFS)', sound: noise(60, 5e-3 * Math.sqrt(3)) },
    { name: 'two seconds of noise (-11 dBFS)', sound: noise(2, 0.5) },
  ];
}

/** The words of a recording that comes after another one and the sound between them. */
async function measureInterruption({ name, sound }) {
  const least = 5 * rate;
  const long = recordings.map((one, i) => ({ ...one, i })).filter(({ samples }) => samples.length >= least);
  const used = values.quick ? long.slice(0, 2) : long.slice(0, 40);
  const said = used.map((one) => one.said);
  const heard = await inParallel(used, async ({ samples }) => {
    const before = used[0].samples;
    const { tokens } = await listen(joined([before, sound, samples]));
    const begin = (before.length + sound.length) / rate;
    return tokens
      .filter((token) => token.start >= begin - 0.08)
      .map((token) => token.text)
      .join('');
  });
  return {
    name,
    wer: rates(said, heard).wer,
    alone: rates(
      said,
      used.map(({ i }) => atZero.live[i]),
    ).wer,
  };
}

function rates(said, heard) {
  const sum = { words: 0, deletions: 0, insertions: 0, substitutions: 0 };
  said.forEach((text, i) => {
    const words = plainWords(text);
    const counts = editCounts(words, plainWords(heard[i]));
    sum.words += words.length;
    for (const kind of Object.keys(counts)) sum[kind] += counts[kind];
  });
  const part = (errors) => Math.round((1e4 * errors) / sum.words) / 100;
  return {
    wer: part(sum.deletions + sum.insertions + sum.substitutions),
    deletions: part(sum.deletions),
    insertions: part(sum.insertions),
  };
}

function print() {
  const { seconds, words, ...heard } = result.mixes;
  const cell = (value) => value.toFixed(2).padStart(11);
  console.log(`mixes: ${seconds.toFixed(0)} s, ${words} words, seed ${seed}`);
  console.log(
    `${''.padEnd(12)}${['WER', 'deletions', 'insertions'].map((head) => head.padStart(11)).join('')}`,
  );
  for (const [name, { wer, deletions, insertions }] of Object.entries(heard)) {
    console.log(`${name.padEnd(12)}${[wer, deletions, insertions].map(cell).join('')}`);
  }
  console.log('\ngain: WER offline (at 0 dB), live (at 0 dB), first words lost offline, live');
  for (const row of result.gains) {
    console.log(
      `${String(row.decibels).padStart(4)} dB, ${row.recordings} recordings: ${row.offline.toFixed(2)} (${row.offlineAtZero.toFixed(2)}), ` +
        `${row.live.toFixed(2)} (${row.liveAtZero.toFixed(2)}), ${row.firstWordsLost.offline}, ${row.firstWordsLost.live}`,
    );
  }
  console.log('\nWER of a recording after another one and …');
  for (const { name, wer, alone } of result.interruptions) {
    console.log(`${name.padEnd(40)}${cell(wer)} (alone ${alone.toFixed(2)})`);
  }
}
