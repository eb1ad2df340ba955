/**
 * How soon is it known that somebody speaks? The delay from the start of speech to its `speechStart`, and how often nobody spoke.
 *
 *     npm run -s bench:speech -- [--json] [--rule] [--recordings DIR]… [--model DIR] [--latency PRESET] [--limit-seconds S]
 *
 * DIR: sound files and a transcripts.tsv; may be given several times (default: test/audio). Each recording is a stream in real time, 20 ms at
 * a time, with others at once; before and after it is noise with the spectrum and the level of its own quietest tenth of a second. Speech
 * starts where the recording becomes loud: the first 30 ms within 40 dB of its loud parts and 9 dB above the noise. (The first word of
 * `model.transcribe` is no use for this: it is placed in the silence before it.) A start is false when no word sounds until its `speechEnd`;
 * the start of a stream counts as speech until it turns out to be a room, and is not counted here. `--rule`: no streams, only what the rule
 * itself needs: the sound that is there when it decides.
 *
 * `--json`: `{ hours, onsets, missed, falseStarts, decided, onset, event }`; the last three in seconds, `{ p50, p95 }` each: the sound after the
 * onset that the rule needs, the delay of the event from the onset, and from the event's own time. An event may come before the recording is
 * loud.
 */
import path from 'node:path';
import { performance } from 'node:perf_hooks';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { loadModel, parakeet } from 'parakeet-stream';
import { joined } from './joined.mjs';
import { random } from './mixes.mjs';
import { quantile } from './quantile.mjs';
import { readRecordings, readSamples } from './recordings.mjs';

const root = fileURLToPath(new URL('..', import.meta.url));
const { values } = parseArgs({
  options: {
    json: { type: 'boolean' },
    rule: { type: 'boolean' },
    recordings: { type: 'string', multiple: true, default: [path.join(root, 'test', 'audio')] },
    model: { type: 'string' },
    latency: { type: 'string', default: 'balanced' },
    'limit-seconds': { type: 'string', default: '100000' },
  },
});

/** A stream begins with what may be speech, until it turns out to be the room. */
const [BEFORE_SECONDS, AFTER_SECONDS] = [3.5, 1.5];
const PUSH_SECONDS = 0.02;
const AT_ONCE = 16;
/** How far a `speechStart` may be from the start of speech that it reports, in seconds. */
const SAME = 0.5;
/** How far a word may lie outside what the detector says, in seconds. */
const NEAR = 0.25;
/** Mel frames of quiet after which speech is over: 0.8 s. */
const HANGOVER = 80;

const model = await loadModel(values.model);
const rate = model.sampleRate;
const streams = await allStreams();
const measured = { decided: [], onset: [], event: [] };
const counts = { missed: 0, falseStarts: 0, seconds: 0 };
if (!values.rule)
  for (let at = 0; at < streams.length; at += AT_ONCE) {
    await Promise.all(streams.slice(at, at + AT_ONCE).map(live));
    if (!values.json)
      process.stderr.write(`\r${Math.min(streams.length, at + AT_ONCE)} of ${streams.length} streams`);
  }
for (const stream of streams) await ruleOf(stream);
await model.close();

const percentiles = (seconds) => ({ p50: quantile(seconds, 0.5), p95: quantile(seconds, 0.95) });
const result = {
  hours: counts.seconds / 3600,
  onsets: streams.length,
  missed: counts.missed,
  falseStarts: counts.falseStarts,
  ...Object.fromEntries(Object.entries(measured).map(([name, all]) => [name, percentiles(all)])),
};
if (values.json) process.stdout.write(`${JSON.stringify(result)}\n`);
else print(result);

/** Each recording between two pauses, with the places at which speech starts and at which words are. */
async function allStreams() {
  const made = [];
  let seconds = 0;
  for (const folder of values.recordings) {
    for (const { file } of readRecordings(folder)) {
      if (seconds >= Number(values['limit-seconds'])) break;
      const recording = await readSamples(file, rate);
      seconds += recording.length / rate;
      const tone = quietest(recording);
      const samples = joined([roomTone(tone, BEFORE_SECONDS), recording, roomTone(tone, AFTER_SECONDS)]);
      const words = (await model.transcribe(recording)).tokens
        .filter(({ text }) => /\p{L}|\p{N}/u.test(text))
        .map(({ start, end }) => ({ start: BEFORE_SECONDS + start, end: BEFORE_SECONDS + end }));
      made.push({ samples, onset: BEFORE_SECONDS + loudFrom(recording, tone), words });
    }
  }
  return made;
}

/** The quietest tenth of a second; where that is nearly digital silence, noise at −60 dBFS. */
function quietest(samples) {
  const span = Math.round(0.1 * rate);
  let least = { power: Number.POSITIVE_INFINITY, at: 0 };
  for (let at = 0; at + span <= samples.length; at += span / 5) {
    const power = powerOf(samples.subarray(at, at + span));
    if (power < least.power) least = { power, at };
  }
  const noise = noiseOf(1);
  return least.power > 1e-9
    ? samples.slice(least.at, least.at + span)
    : Float32Array.from({ length: span }, () => 1e-3 * noise());
}

/** So many seconds of noise with the spectrum and the level of a sound: white noise through a filter that has it for its response. */
function roomTone(tone, seconds) {
  const response = tone.map((value, i) => value * Math.sin((Math.PI * (i + 0.5)) / tone.length) ** 2);
  const noise = noiseOf(2);
  const length = Math.round(seconds * rate);
  const white = Float32Array.from({ length: length + response.length }, noise);
  const filtered = Float32Array.from({ length }, (_, i) => {
    let sum = 0;
    for (let k = 0; k < response.length; k++) sum += response[k] * white[i + response.length - k];
    return sum;
  });
  const gain = Math.sqrt(powerOf(tone) / powerOf(filtered));
  return filtered.map((value) => value * gain);
}

/** Noise with a variance of 1. */
function noiseOf(seed) {
  const next = random(seed);
  return () => 2 * (next() + next() + next() - 1.5);
}

/** Where a recording becomes loud, in seconds. */
function loudFrom(samples, tone) {
  const span = rate / 100;
  const powers = Array.from({ length: Math.floor(samples.length / span) }, (_, i) =>
    powerOf(samples.subarray(i * span, (i + 1) * span)),
  );
  const least = Math.max(quantile(powers, 0.95) * 1e-4, powerOf(tone) * 10 ** 0.9);
  return powers.findIndex((_, i) => powers.slice(i, i + 3).every((power) => power >= least)) / 100;
}

function powerOf(samples) {
  return samples.reduce((sum, value) => sum + value * value, 0) / samples.length;
}

/** A stream in real time: its `speechStart`s with the seconds at which they came. */
async function live({ samples, onset, words }) {
  const line = parakeet({
    model,
    latency: values.latency,
    input: { format: 'f32le', sampleRate: rate, channels: 1 },
  });
  const begin = performance.now();
  const changes = [];
  line.on('data', ({ type, time }) => {
    if (type === 'speechStart' || type === 'speechEnd')
      changes.push({ type, time, at: (performance.now() - begin) / 1000 });
  });
  const push = Math.round(PUSH_SECONDS * rate);
  for (let at = 0; at < samples.length; at += push) {
    const piece = samples.subarray(at, at + push);
    const due = begin + ((at + piece.length) / rate) * 1000;
    const wait = due - performance.now();
    if (wait > 0) await new Promise((resolve) => setTimeout(resolve, wait));
    line.write(Buffer.from(piece.buffer, piece.byteOffset, piece.byteLength));
  }
  await new Promise((resolve, reject) => {
    line.on('error', reject).on('end', resolve);
    line.end();
  });
  counts.seconds += samples.length / rate;
  const starts = changes.filter(({ type }) => type === 'speechStart');
  for (const start of starts) measured.event.push(start.at - start.time);
  const start = nearest(starts, onset);
  if (start) measured.onset.push(start.at - onset);
  else counts.missed++;
  counts.falseStarts += falseOf(changes, words);
}

/** The same without a stream: how much sound is there, mel frame by mel frame, when the rule decides. */
async function ruleOf({ samples, onset, words }) {
  const mel = model.native.createMel(HANGOVER);
  const { hop } = model.info;
  const changes = [];
  for (let at = 0; at < samples.length; at += hop) {
    const frames = await mel.push(samples.slice(at, at + hop));
    for (const { melFrame, speech } of frames.changes ?? [])
      changes.push({
        type: speech ? 'speechStart' : 'speechEnd',
        time: (melFrame * hop) / rate,
        at: Math.min(samples.length, at + hop) / rate,
      });
  }
  await mel.close();
  const starts = changes.filter(({ type }) => type === 'speechStart');
  const start = nearest(starts, onset);
  if (start) measured.decided.push(start.at - onset);
  if (!values.rule) return;
  if (!start) counts.missed++;
  counts.seconds += samples.length / rate;
  counts.falseStarts += falseOf(changes, words);
}

function nearest(starts, time) {
  const [near] = starts
    .filter((start) => Math.abs(start.time - time) < SAME)
    .toSorted((a, b) => Math.abs(a.time - time) - Math.abs(b.time - time));
  return near;
}

/** Starts after which no word sounds until the end of the speech. */
function falseOf(changes, words) {
  let count = 0;
  for (const [i, { type, time }] of changes.entries()) {
    if (type !== 'speechStart' || time === 0) continue;
    const until = changes[i + 1]?.time ?? Number.POSITIVE_INFINITY;
    if (!words.some(({ start, end }) => end > time - NEAR && start < until + NEAR)) count++;
  }
  return count;
}

function print({ hours, onsets, missed, falseStarts, ...delays }) {
  process.stderr.write('\r');
  console.log(
    `${(hours * 60).toFixed(1)} minutes, ${onsets} starts of speech, ${missed} without an event, ${falseStarts} false starts`,
  );
  for (const [name, { p50, p95 }] of Object.entries(delays))
    if (Number.isFinite(p50))
      console.log(
        `${name.padEnd(10)}${(1000 * p50).toFixed(0).padStart(6)} ms  p95 ${(1000 * p95).toFixed(0)} ms`,
      );
}
