/**
 * What a language model is worth: its settings are chosen on four fifths of the speakers and measured on the rest, five times. Prints the
 * word error rate of all parts together beside that of greedy decoding and of the beam alone, and the gains with 95 % intervals (bootstrap
 * over speakers).
 *
 *     npm run -s bench:lm -- --recordings DIR [--recordings DIR…] [--lm FILE] [--model DIR] [--json] [--quick]
 *
 * A speaker is what a recording's name begins with. `--quick` takes 20 s of audio and two settings.
 */
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { loadModel } from 'parakeet-stream';
import { random, voiceOf } from './mixes.mjs';
import { quantile } from './quantile.mjs';
import { readRecordings, readSamples } from './recordings.mjs';
import { editDistance, plainWords } from './wer-metric.mjs';

const root = fileURLToPath(new URL('..', import.meta.url));
const FOLDS = 5;
const DRAWS = 2000;
const { values } = parseArgs({
  options: {
    json: { type: 'boolean' },
    quick: { type: 'boolean' },
    lm: { type: 'string' },
    recordings: { type: 'string', multiple: true, default: [path.join(root, 'test', 'audio')] },
    model: { type: 'string', default: path.join(root, 'models', 'parakeet-tiny-en') },
  },
});

const grid = [0.3, 0.4, 0.5].flatMap((lmWeight) =>
  [0.5, 1].flatMap((tokenBonus) =>
    [0, 0.1, 0.2].map((internalLmWeight) => ({ lmWeight, tokenBonus, internalLmWeight })),
  ),
);
const settings = values.quick ? grid.slice(0, 2) : grid;
const lm = values.lm ?? true;
const ways = [
  { type: 'greedy' },
  { type: 'beam' },
  { type: 'beam', lm },
  ...settings.map((setting) => ({ type: 'beam', lm, ...setting })),
];

/** Commands of one speaker have their words in their names. */
const speakerOf = (file) => voiceOf(file).replace(/^(speech_to_phrase)_.*$/, '$1');

const model = await loadModel(values.model, { dtype: 'float32' });
/** For each speaker: words said, and wrong words by each way. */
const speakers = new Map();
let seconds = 0;
for (const { file, said } of values.recordings.flatMap((folder) => readRecordings(folder))) {
  if (seconds >= (values.quick ? 20 : Number.POSITIVE_INFINITY)) break;
  const samples = await readSamples(file, model.sampleRate);
  seconds += samples.length / model.sampleRate;
  const speaker = speakers.get(speakerOf(file)) ?? { words: 0, errors: ways.map(() => 0) };
  speakers.set(speakerOf(file), speaker);
  const words = plainWords(said);
  speaker.words += words.length;
  for (const [i, decoding] of ways.entries()) {
    const { text } = await model.transcribe(samples, { decoding });
    speaker.errors[i] += editDistance(words, plainWords(text));
  }
}
await model.close();

const all = [...speakers.values()];
const rate = (some, errorsOf) =>
  (100 * some.reduce((sum, one) => sum + errorsOf(one), 0)) / some.reduce((sum, one) => sum + one.words, 0);
/** The place of the best setting among `ways`, on some speakers. */
const best = (some) => {
  const places = settings.map((_, i) => i + 3);
  const rates = places.map((place) => rate(some, ({ errors }) => errors[place]));
  return places[rates.indexOf(Math.min(...rates))];
};
const folds = Array.from({ length: FOLDS }, (_, fold) => {
  const tested = all.filter((_, i) => i % FOLDS === fold);
  const place = best(all.filter((_, i) => i % FOLDS !== fold));
  for (const speaker of tested) speaker.chosen = speaker.errors[place];
  return { speakers: tested.length, setting: settings[place - 3] };
});

const draw = random(1);
/** Points of word error rate that `to` has less than `from`, and the 95 % interval. */
function gain(from, to) {
  const difference = (some) => rate(some, from) - rate(some, to);
  const draws = Array.from({ length: DRAWS }, () =>
    difference(all.map(() => all[Math.floor(draw() * all.length)])),
  );
  return {
    points: round(difference(all)),
    low: round(quantile(draws, 0.025)),
    high: round(quantile(draws, 0.975)),
  };
}

const by = (place) => (one) => one.errors[place];
const chosen = (one) => one.chosen;
const round = (value) => Number(value.toFixed(2));
const result = {
  audioSeconds: seconds,
  words: all.reduce((sum, { words }) => sum + words, 0),
  speakers: all.length,
  wer: {
    greedy: round(rate(all, by(0))),
    beam: round(rate(all, by(1))),
    defaults: round(rate(all, by(2))),
    chosen: round(rate(all, chosen)),
  },
  gain: {
    beam: gain(by(0), by(1)),
    defaults: gain(by(0), by(2)),
    chosen: gain(by(0), chosen),
    overBeam: gain(by(1), chosen),
  },
  folds,
  settings: settings.map((setting, i) => ({ ...setting, wer: round(rate(all, by(i + 3))) })),
};
if (values.json) {
  console.log(JSON.stringify(result));
} else {
  const shown = ({ points, low, high }) => `${points.toFixed(2)} (${low.toFixed(2)} to ${high.toFixed(2)})`;
  console.log(`${result.words} words of ${result.speakers} speakers, ${seconds.toFixed(0)} s\n`);
  console.log(`greedy                                  ${result.wer.greedy.toFixed(2)} %`);
  console.log(
    `beam                                    ${result.wer.beam.toFixed(2)} %, less by ${shown(result.gain.beam)}`,
  );
  console.log(
    `with the language model, default weights ${result.wer.defaults.toFixed(2)} %, less by ${shown(result.gain.defaults)}`,
  );
  console.log(
    `with weights chosen on other speakers    ${result.wer.chosen.toFixed(2)} %, less by ${shown(result.gain.chosen)}`,
  );
  console.log(`of that over the beam alone             ${shown(result.gain.overBeam)}\n`);
  for (const { speakers: count, setting } of folds)
    console.log(`${count} speakers with ${JSON.stringify(setting)}`);
}
