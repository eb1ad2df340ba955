/**
 * How well confidence tells right words from wrong ones: the area under the ROC curve of each measure and each way to make a word's value of its tokens',
 * and the expected calibration error of the model's own calibration on the voices that it was not made from.
 *
 *     npm run -s bench:confidence -- --recordings DIR [--recordings DIR…] [--model DIR] [--json] [--quick]
 *
 * DIR: sound files and a transcripts.tsv. Recordings are heard as `model.transcribe` does (greedily, and with the model's language model if it has one), by
 * the CTC head of a hybrid model, and live (`'balanced'`). `--quick` takes 20 s of audio.
 */
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { loadModel } from 'parakeet-stream';
import { areaUnderCurve, calibrationError, fitCalibration, wordProbability } from '../dist/calibrate/fit.js';
import { measuredWords } from '../dist/calibrate/measured-words.js';
import { MEASURES } from '../dist/model/confidence.js';
import { headsOf } from '../dist/model/decoding.js';
import { geometricMean } from '../dist/text/confidence.js';
import { halfOf, readRecordings, readSamples } from './recordings.mjs';

const root = fileURLToPath(new URL('..', import.meta.url));
/** Drafts before a token that may agree with it. */
const DRAFTS = 3;
/** Frames that a token may move from draft to draft, in seconds. */
const NEAR = 0.12;
const { values } = parseArgs({
  options: {
    json: { type: 'boolean' },
    quick: { type: 'boolean' },
    recordings: { type: 'string', multiple: true, default: [path.join(root, 'test', 'audio')] },
    model: { type: 'string', default: path.join(root, 'models', 'parakeet-tiny-en') },
  },
});

const mean = (list) => list.reduce((sum, one) => sum + one, 0) / list.length;
/** A word's value, of those of its tokens. */
const AGGREGATES = {
  mean,
  geometric: (list) => geometricMean(list.map((confidence) => ({ confidence }))),
  min: (list) => Math.min(...list),
  product: (list) => list.reduce((product, one) => product * one, 1),
};

const model = await loadModel(values.model, { dtype: 'float32' });
const { calibrations = {}, languageModel } = model.info;
const [best, ...others] = headsOf(model.info.architecture);
const ways = [
  { name: 'greedy', decoding: { type: 'greedy', lm: false } },
  ...(languageModel === undefined ? [] : [{ name: 'beam with lm', decoding: { type: 'beam', lm: true } }]),
  ...others.map((head) => ({ name: head, decoding: { head, lm: false } })),
  { name: 'live', live: true, decoding: { type: 'greedy', lm: false } },
].map((way) => ({ ...way, head: way.decoding.head ?? best, words: [] }));

const files = values.recordings.flatMap((folder) =>
  readRecordings(folder).map((one) => ({ ...one, set: path.basename(folder) })),
);
const half = halfOf(files.map(({ file }) => file));
let audioSeconds = 0;
for (const { file, said, set } of files) {
  if (audioSeconds >= (values.quick ? 20 : Number.POSITIVE_INFINITY)) break;
  const samples = await readSamples(file, model.sampleRate);
  audioSeconds += samples.length / model.sampleRate;
  for (const way of ways) {
    const by = {};
    const measures = way.live ? ['entropy', 'drafts'] : MEASURES;
    for (const measure of measures) {
      const decoding = { ...way.decoding, confidence: measure === 'drafts' ? 'entropy' : measure };
      const tokens = way.live
        ? await live(samples, decoding, measure === 'drafts')
        : (await model.transcribe(samples, { decoding })).tokens;
      by[measure] = measuredWords(tokens, said);
    }
    for (const [i, { right }] of by.entropy.entries()) {
      const measured = Object.fromEntries(measures.map((measure) => [measure, by[measure][i].values]));
      way.words.push({ set, half: half(file), right, measured });
    }
  }
  if (!values.json) process.stderr.write(`\r${audioSeconds.toFixed(0)} s of audio`);
}
await model.close();

/** The final tokens of a stream; with `agreement`, the share of the last drafts with the same token at its place in place of their confidence. */
async function live(samples, decoding, agreement) {
  const transcript = model.live({ latency: 'balanced', decoding });
  const drafts = [];
  const tokens = [];
  let seen = 0;
  const look = () => {
    for (const token of transcript.finalizedTokens.slice(seen)) {
      const before = drafts.slice(-DRAFTS);
      const same = before.filter((draft) =>
        draft.some(({ id, start }) => id === token.id && Math.abs(start - token.start) < NEAR),
      );
      const confidence = before.length === 0 ? 0 : same.length / before.length;
      tokens.push(agreement ? { ...token, confidence } : token);
    }
    seen = transcript.finalizedTokens.length;
    drafts.push([...transcript.draftTokens]);
  };
  const push = Math.round(0.64 * model.sampleRate);
  for (let at = 0; at < samples.length; at += push) {
    await transcript.addAudio(samples.subarray(at, at + push));
    look();
  }
  await transcript.finish();
  look();
  return tokens;
}

const rounded = (value) => Number(value.toFixed(4));
const curve = (words, measure, aggregate) =>
  rounded(
    areaUnderCurve(
      words.map(({ right, measured }) => ({ right, probability: aggregate(measured[measure]) })),
    ),
  );
const errorOf = (words, probability) =>
  words.length === 0
    ? null
    : rounded(calibrationError(words.map((word) => ({ right: word.right, probability: probability(word) }))));
const sets = [...new Set(files.map(({ set }) => set))];

const result = {
  audioSeconds: Math.round(audioSeconds),
  ways: ways.map(({ name, head, words }) => {
    const calibration = calibrations[head];
    const inputs = (measure, some) =>
      some.map(({ right, measured }) => ({ right, values: measured[measure] }));
    const by = (fitted, measure) => (word) => wordProbability(fitted, { values: word.measured[measure] });
    const halves = [0, 1].map((one) => words.filter((word) => word.half === one));
    return {
      name,
      words: words.length,
      right: rounded(mean(words.map(({ right }) => (right ? 1 : 0)))),
      area: Object.fromEntries(
        Object.keys(words[0].measured).map((measure) => [
          measure,
          Object.fromEntries(
            Object.entries(AGGREGATES).map(([key, aggregate]) => [key, curve(words, measure, aggregate)]),
          ),
        ]),
      ),
      error: {
        entropy: errorOf(words, (word) => AGGREGATES.geometric(word.measured.entropy)),
        ...(calibration && {
          calibrated: {
            unused: errorOf(halves[1], by(calibration, calibration.measure)),
            ...Object.fromEntries(
              sets.map((set, i) => [
                `set${i}`,
                errorOf(
                  halves[1].filter((word) => word.set === set),
                  by(calibration, calibration.measure),
                ),
              ]),
            ),
          },
        }),
        // The other way round: made from half 1 by this way alone, measured on half 0.
        reversed: errorOf(halves[0], by(fitCalibration(inputs('entropy', halves[1])), 'entropy')),
      },
    };
  }),
};
if (values.json) console.log(JSON.stringify(result));
else print();

function print() {
  process.stderr.write('\r');
  console.log(`${path.basename(values.model)}, ${result.audioSeconds} s of ${sets.join(', ')}\n`);
  for (const { name, words, right, area, error } of result.ways) {
    console.log(`${name}: ${words} words, ${(100 * right).toFixed(1)} % right`);
    console.log(
      `${'area under the curve'.padEnd(24)}${Object.keys(AGGREGATES)
        .map((key) => key.padStart(10))
        .join('')}`,
    );
    for (const [measure, row] of Object.entries(area))
      console.log(
        `${measure.padEnd(24)}${Object.values(row)
          .map((one) => one.toFixed(3).padStart(10))
          .join('')}`,
      );
    const { entropy, calibrated, reversed } = error;
    const shown = (value) => (value === null ? '–' : value.toFixed(3));
    console.log(
      `calibration error: ${shown(entropy)} of the entropy` +
        (calibrated
          ? `; calibrated, on the half that was not used: ${shown(calibrated.unused)} (${sets.map((set, i) => `${set} ${shown(calibrated[`set${i}`])}`).join(', ')})`
          : '') +
        `; the halves reversed: ${shown(reversed)}\n`,
    );
  }
}
