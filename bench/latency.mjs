/**
 * The latency presets: word error rate, delay of final words and of drafts, cost, and how many drafted words changed later.
 *
 *     npm run -s bench:latency -- [--json] [--quick] [--recordings DIR]… [--model DIR] [--limit-seconds S] [--grid 0.16/0.32,0.32/0.64] [--refine]
 *         [--draft-model DIR]
 *
 * DIR: sound files and a transcripts.tsv; may be given several times (default: test/audio). Sound comes 100 ms at a time on a
 * virtual clock: an event comes at the audio's time plus the compute that it waited for. A delay is from the end of a word in the
 * audio (as `model.transcribe` finds it) to the event that has its last token; a draft's to the first draft that shows the word.
 * A word is stable from the moment on from which every draft shows it as it will be final: nothing can make it final sooner without mistakes.
 * `--grid` measures other pairs of chunk/lookahead (seconds) beside the presets, or chunk/lookahead/drafts/lookahead/confidence with agreement. A cache-aware model is measured with each of its
 * contexts instead, whose chunk is named in seconds. `--draft-model` measures each of them with this model for the drafts too (`same`: the
 * measured model itself, with its fastest preset). `--json`: `{ presets: [{ name, chunk, lookahead,
 * agreement?, wer, strict, words, offlineWer, final: { p50, p95 }, stable: { p50, p95 }, draft: { p50, p95 }, cost, revised, retracted,
 * refined? }] }`; `retracted`: final tokens that changed later; seconds, per cent, seconds of compute
 * per second of audio.
 */
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { loadModel, parakeet, presets } from 'parakeet-stream';
import { readRecordings, readSamples } from './recordings.mjs';
import { wordErrorRate } from './wer-metric.mjs';

/** The same for all presets: 'accurate' would decode with the bundled language model. */
const decoding = { type: 'greedy' };
const root = fileURLToPath(new URL('..', import.meta.url));
const { values } = parseArgs({
  options: {
    json: { type: 'boolean' },
    quick: { type: 'boolean' },
    grid: { type: 'string' },
    refine: { type: 'boolean' },
    recordings: { type: 'string', multiple: true, default: [path.join(root, 'test', 'audio')] },
    model: { type: 'string' },
    'draft-model': { type: 'string' },
    'limit-seconds': { type: 'string' },
  },
});
const limit = Number(values['limit-seconds'] ?? (values.quick ? 30 : Number.POSITIVE_INFINITY));
if (!(limit > 0)) {
  throw new Error(`Expected a number of seconds for --limit-seconds but received ${values['limit-seconds']}`);
}
const PUSH_SECONDS = 0.1;
/** How far apart the same word may be in two transcripts, in seconds. */
const SAME_WORD = 0.5;

const model = await loadModel(values.model, { dtype: 'float32' });
const grid = (values.grid ?? '')
  .split(',')
  .filter((pair) => pair !== '')
  .map((pair) => [pair, ...pair.split('/').map(Number)])
  .map(([name, chunk, lookahead, drafts, behind, confidence]) => ({
    name,
    chunk,
    lookahead,
    agreement: drafts ? { drafts, lookahead: behind, confidence } : undefined,
  }));
/** Chunks of a cache-aware model, in seconds. */
const chunks = model.info.contexts.map(([, right]) => Number(((right + 1) * 0.08).toFixed(2)));
const draftModel =
  values['draft-model'] === 'same'
    ? model
    : values['draft-model'] && (await loadModel(values['draft-model'], { dtype: 'float32' }));
const alone = [
  ...(chunks.length > 0
    ? chunks.map((chunk) => fresh(`${chunk} s`, { chunk, lookahead: 0 }))
    : Object.entries(presets).map(([name, numbers]) => fresh(name, numbers))),
  ...grid.map((numbers) => fresh(numbers.name, numbers)),
];
const measured = [
  ...alone,
  ...(draftModel ? alone.map((one) => ({ ...fresh(`${one.name}+draft`, one), draftModel })) : []),
];
const offline = [];
let audioSeconds = 0;

for (const folder of values.recordings) {
  for (const { file, said } of readRecordings(folder)) {
    if (audioSeconds >= limit) break;
    const samples = await readSamples(file, model.info.sampleRate);
    audioSeconds += samples.length / model.info.sampleRate;
    const whole = await model.transcribe(samples, { decoding });
    offline.push({ said, heard: whole.text });
    const words = wordsOf(whole.tokens);
    for (const one of measured) await measure(one, samples, said, words);
    process.stderr.write(values.json ? '' : `\r${audioSeconds.toFixed(0)} s of audio`);
  }
}
await model.close();
if (draftModel && draftModel !== model) await draftModel.close();

const offlineWer = wordErrorRate(offline).wer;
const rows = measured.map((one) => ({
  name: one.name,
  chunk: one.chunk,
  lookahead: one.lookahead,
  agreement: one.agreement,
  ...wordErrorRate(one.pairs),
  offlineWer,
  final: percentiles(one.finals),
  stable: percentiles(one.stable),
  draft: percentiles(one.drafts),
  cost: one.seconds / audioSeconds,
  revised: one.shown === 0 ? 0 : one.changed / one.shown,
  retracted: one.retracted,
  ...(values.refine && { refined: wordErrorRate(one.refined).wer }),
}));
if (values.json) process.stdout.write(`${JSON.stringify({ presets: rows })}\n`);
else print(rows);

function latencyOf({ chunk, lookahead, agreement }) {
  return chunks.length > 0 ? chunk : { chunk, lookahead, agreement };
}

function fresh(name, { chunk, lookahead, agreement }) {
  return {
    name,
    chunk,
    lookahead,
    agreement,
    pairs: [],
    refined: [],
    finals: [],
    stable: [],
    drafts: [],
    retracted: 0,
    seconds: 0,
    shown: 0,
    changed: 0,
  };
}

async function measure(one, samples, said, offlineWords) {
  const rate = model.info.sampleRate;
  const push = Math.round(PUSH_SECONDS * rate);
  const live = model.live({ latency: latencyOf(one), decoding, draftModel: one.draftModel });
  /** Words with the time at which they were final, and those of drafts with the time at which they were first shown. */
  const finals = [];
  const drafts = [];
  /** Since when each word of the whole recording has been shown without a break. */
  const shownSince = new Map();
  let settledIds = [];
  let clock = 0;
  const step = async (work, audio) => {
    const began = performance.now();
    await work();
    const took = (performance.now() - began) / 1000;
    one.seconds += took;
    // The engine may still have been busy when the audio came.
    clock = Math.max(clock, audio) + took;
    const ids = live.finalizedTokens.map((token) => token.id);
    one.retracted += settledIds.filter((id, i) => ids[i] !== id).length;
    settledIds = ids;
    // The last word may have grown: it is final when its last token is.
    wordsOf(live.finalizedTokens).forEach((word, i) => {
      if (finals[i]?.text !== word.text) finals[i] = { ...word, at: clock };
    });
    const all = wordsOf([...live.finalizedTokens, ...live.draftTokens]);
    for (const word of offlineWords) {
      if (!all.some((known) => same(known, word))) shownSince.delete(word);
      else if (!shownSince.has(word)) shownSince.set(word, clock);
    }
    for (const word of wordsOf(live.draftTokens)) {
      if (!drafts.some((known) => same(known, word))) drafts.push({ ...word, at: clock });
    }
  };
  for (let at = 0; at < samples.length; at += push) {
    const end = Math.min(samples.length, at + push);
    await step(() => live.addAudio(samples.subarray(at, end)), end / rate);
  }
  await step(() => live.finish(), samples.length / rate);
  one.pairs.push({ said, heard: live.result.text });
  const settled = wordsOf(live.finalizedTokens);
  for (const word of offlineWords) {
    const final = finals.find((known) => same(known, word));
    const draft = drafts.find((known) => same(known, word));
    if (final) one.finals.push(final.at - word.end);
    if (final && shownSince.has(word)) one.stable.push(shownSince.get(word) - word.end);
    if (draft ?? final) one.drafts.push(Math.min(draft?.at ?? final.at, final?.at ?? draft.at) - word.end);
  }
  one.shown += drafts.length;
  one.changed += drafts.filter((word) => !settled.some((known) => same(known, word))).length;
  if (values.refine) one.refined.push({ said, heard: await refined(one, samples) });
}

/** The sentences of the refined stream. */
async function refined(one, samples) {
  const { sampleRate } = model.info;
  const line = parakeet({
    decoding,
    model,
    latency: latencyOf(one),
    refine: true,
    input: { format: 'f32le', sampleRate, channels: 1 },
  });
  line.end(Buffer.from(samples.buffer, samples.byteOffset, samples.byteLength));
  const sentences = [];
  for await (const event of line) if (event.type === 'sentence') sentences.push(event.sentence.text);
  return sentences.join(' ');
}

/** Words of tokens, without punctuation: a word ends with its last letter, and that is what its readers wait for. */
function wordsOf(tokens) {
  const words = [];
  for (const { text, start, end } of tokens) {
    const open = words.at(-1);
    if (!/[\p{L}\p{N}]/u.test(text)) continue;
    if (!open || text.startsWith(' ')) words.push({ text, start, end });
    else Object.assign(open, { text: open.text + text, end });
  }
  return words.map(plainWord);
}

function plainWord({ text, start, end }) {
  return { text: text.toLowerCase().replace(/[^\p{L}\p{N}']/gu, ''), start, end };
}

function same(a, b) {
  return a.text === b.text && Math.abs(a.start - b.start) < SAME_WORD;
}

function percentiles(seconds) {
  const sorted = seconds.toSorted((a, b) => a - b);
  const at = (share) => sorted[Math.max(0, Math.ceil(share * sorted.length) - 1)] ?? 0;
  return { p50: at(0.5), p95: at(0.95) };
}

function print(presetRows) {
  process.stderr.write('\r');
  console.log(
    `${offline.length} recordings, ${audioSeconds.toFixed(0)} s; offline ${offlineWer.toFixed(2)} % WER`,
  );
  console.log(
    `${'preset'.padEnd(24)}${'WER'.padStart(8)}${'final p50'.padStart(11)}${'p95'.padStart(7)}${'stable p50'.padStart(12)}${'p95'.padStart(7)}${'draft p50'.padStart(11)}${'p95'.padStart(7)}${'cost'.padStart(8)}${'revised'.padStart(9)}${values.refine ? 'refined'.padStart(9) : ''}`,
  );
  for (const row of presetRows) {
    console.log(
      row.name.padEnd(24) +
        row.wer.toFixed(2).padStart(8) +
        `${row.final.p50.toFixed(2)} s`.padStart(11) +
        row.final.p95.toFixed(2).padStart(7) +
        `${row.stable.p50.toFixed(2)} s`.padStart(12) +
        row.stable.p95.toFixed(2).padStart(7) +
        `${row.draft.p50.toFixed(2)} s`.padStart(11) +
        row.draft.p95.toFixed(2).padStart(7) +
        row.cost.toFixed(3).padStart(8) +
        `${(100 * row.revised).toFixed(0)} %`.padStart(9) +
        (values.refine ? row.refined.toFixed(2).padStart(9) : ''),
    );
  }
}
