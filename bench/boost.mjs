/**
 * Phrase boosting: how many rare words are recognised, and how many are inserted that nobody said, without and with it.
 *
 *     npm run -s bench:boost -- [--json] [--recordings DIR] [--model DIR] [--quick]
 *
 * A rare word is one of at least six letters that is said in one recording only. Each recording is transcribed with its own rare
 * words and with distractors, rare words of other recordings, up to `LIST` phrases. `recall` is the share of the spoken rare
 * words that were recognised, `false` the number of distractors recognised per 1,000 spoken words. `--quick` stops after 20 s of
 * audio.
 */
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { loadModel } from 'parakeet-stream';
import { readRecordings, readSamples } from './recordings.mjs';
import { plainWords, wordErrorRate } from './wer-metric.mjs';

/** Phrases given with each recording. */
const LIST = 50;
const LETTERS = 6;

const root = fileURLToPath(new URL('..', import.meta.url));
const { values } = parseArgs({
  options: {
    json: { type: 'boolean' },
    quick: { type: 'boolean' },
    recordings: { type: 'string', default: path.join(root, 'test', 'audio') },
    model: { type: 'string', default: path.join(root, 'models', 'parakeet-tiny-en') },
    weights: { type: 'string', default: '3,5,8' },
  },
});

const model = await loadModel(values.model, { dtype: 'float32' });
const recordings = [...readRecordings(values.recordings)].map(({ file, said }) => ({
  file,
  said,
  words: plainWords(said),
}));
const homes = new Map();
recordings.forEach(({ words }, i) => {
  for (const word of new Set(words)) homes.set(word, homes.has(word) ? -1 : i);
});
/** Only letters: no digits, which the vocabulary may not spell. */
const rare = [...homes].filter(([word, home]) => home >= 0 && new RegExp(`^[a-z]{${LETTERS},}$`).test(word));

const ways = [
  { type: 'greedy', weight: 0 },
  { type: 'beam', weight: 0 },
].concat(
  values.weights.split(',').flatMap((weight) => [
    { type: 'greedy', weight: Number(weight) },
    { type: 'beam', weight: Number(weight) },
  ]),
);
const rows = ways.map((way) => ({ ...way, pairs: [], found: 0, targets: 0, bait: 0 }));
let audioSeconds = 0;
let wordsSaid = 0;
for (const [i, { file, said, words }] of recordings.entries()) {
  if (audioSeconds >= (values.quick ? 20 : Number.POSITIVE_INFINITY)) break;
  const samples = await readSamples(file, model.info.sampleRate);
  audioSeconds += samples.length / model.info.sampleRate;
  wordsSaid += words.length;
  const own = rare.filter(([, home]) => home === i).map(([word]) => word);
  const others = rare.filter(([, home]) => home !== i).map(([word]) => word);
  // At regular intervals, so that distractors come from all recordings and are the same in each run.
  const stride = Math.max(1, Math.floor(others.length / Math.max(1, LIST - own.length)));
  const bait = others.filter((_, k) => k % stride === i % stride).slice(0, Math.max(0, LIST - own.length));
  const phrases = [...own, ...bait];
  for (const row of rows) {
    const boost = row.weight > 0 ? phrases.map((phrase) => ({ phrase, weight: row.weight })) : undefined;
    const { text } = await model.transcribe(samples, { decoding: { type: row.type, boost } });
    const heard = new Set(plainWords(text));
    row.pairs.push({ said, heard: text });
    row.targets += own.length;
    row.found += own.filter((word) => heard.has(word)).length;
    row.bait += bait.filter((word) => heard.has(word)).length;
  }
}
await model.close();

const result = rows.map(({ type, weight, pairs, found, targets, bait }) => ({
  type,
  weight,
  recall: targets === 0 ? null : found / targets,
  falseAccepts: (1000 * bait) / Math.max(1, wordsSaid),
  wer: wordErrorRate(pairs).wer,
  targets,
}));
if (values.json) console.log(JSON.stringify({ audioSeconds, list: LIST, ways: result }));
else {
  console.log(
    `${path.basename(values.model)}, ${audioSeconds.toFixed(0)} s of audio, ${result[0].targets} rare words, ${LIST} phrases\n`,
  );
  console.log('decoding   weight   recall %   false / 1000 words   WER %');
  for (const { type, weight, recall, falseAccepts, wer } of result) {
    console.log(
      `${type.padEnd(11)}${String(weight).padStart(6)}${(100 * (recall ?? 0)).toFixed(1).padStart(11)}${falseAccepts.toFixed(2).padStart(21)}${wer.toFixed(2).padStart(8)}`,
    );
  }
}
