/**
 * Is a long file transcribed as well as the recordings that it is made of? Joins recordings to an hour, half a second of silence
 * between them, and prints the word error rate of the whole beside the recordings' own, the speed and the memory: in windows, and
 * in one pass with local attention.
 *
 *     npm run -s bench:long -- [--json] [--quick] [--hours H] [--recordings DIR]… [--only own|windows|pipeline|one-pass]…
 *
 * The hour is never in memory: it is generated as it is read, in an order that differs from round to round, so that the seams of
 * windows fall everywhere. DIR: sound files and a transcripts.tsv (default: test/audio). `--quick`: three minutes, windows of 30
 * s.
 */
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { loadModel, parakeet } from 'parakeet-stream';
import { readRecordings, readSamples } from './recordings.mjs';
import { wordErrorRate } from './wer-metric.mjs';

const PAUSE_SECONDS = 0.5;
/** Frames on each side in one pass: 20 s. */
/** Seconds on each side: parakeet-mlx's 256 frames. */
const LOCAL = { left: 20.48, right: 20.48 };
const WAYS = ['own', 'windows', 'pipeline', 'one-pass'];

/** Without the language model that whole recordings have by default. */
const decoding = { type: 'greedy' };
const root = fileURLToPath(new URL('..', import.meta.url));
const { values } = parseArgs({
  options: {
    json: { type: 'boolean' },
    quick: { type: 'boolean' },
    hours: { type: 'string' },
    recordings: { type: 'string', multiple: true, default: [path.join(root, 'test', 'audio')] },
    only: { type: 'string', multiple: true, default: WAYS },
  },
});
const seconds = 3600 * Number(values.hours ?? (values.quick ? 0.05 : 1));
if (!(seconds > 0)) throw new Error(`Expected a number for --hours but received ${values.hours}`);
const wrong = values.only.find((way) => !WAYS.includes(way));
if (wrong) throw new Error(`Expected one of ${WAYS.join(', ')} for --only but received ${wrong}`);
const windows = values.quick ? { duration: 30 } : {};

const model = await loadModel();
const rate = model.sampleRate;
const recordings = [];
for (const { file, said } of values.recordings.flatMap(readRecordings)) {
  recordings.push({ said, samples: await readSamples(file, rate) });
}
const order = inTurns(seconds);
const audioSeconds = order.reduce((sum, { samples }) => sum + samples.length / rate + PAUSE_SECONDS, 0);
const said = order.map((one) => one.said).join(' ');
const raw = { input: { format: 'f32le', sampleRate: rate, channels: 1 } };

const ways = {
  own: async () => {
    for (const one of recordings) one.heard ??= (await model.transcribe(one.samples, { decoding })).text;
    return wordErrorRate(order);
  },
  windows: () => whole(() => model.transcribe(bytes(), { ...raw, decoding, windows, onProgress })),
  pipeline: () =>
    whole(async () => {
      const line = parakeet({ ...raw, decoding, windows, model, mode: 'file', collect: true });
      for await (const event of (await import('node:stream')).Readable.from(bytes()).pipe(line)) {
        if (event.type === 'end') return event.result;
      }
    }),
  'one-pass': () =>
    whole(() =>
      model.transcribe(bytes(), {
        ...raw,
        decoding,
        windows: { duration: Infinity, attention: LOCAL },
        onProgress,
      }),
    ),
};

const figures = {};
for (const way of WAYS.filter((one) => values.only.includes(one))) {
  const memory = watchMemory();
  const began = performance.now();
  const errors = await ways[way]();
  const took = (performance.now() - began) / 1000;
  const heardSeconds =
    way === 'own' ? recordings.reduce((sum, { samples }) => sum + samples.length / rate, 0) : audioSeconds;
  figures[way] = {
    ...errors,
    realTimeFactor: Math.round((1e4 * took) / heardSeconds) / 1e4,
    rssPeakMiB: memory.stop(),
  };
}
await model.close();

const result = { audioSeconds: Math.round(audioSeconds), recordings: order.length, ...figures };
if (values.json) process.stdout.write(`${JSON.stringify(result)}\n`);
else print();

/** Recordings, each round in another order, until they fill so many seconds. */
function inTurns(most) {
  const taken = [];
  let filled = 0;
  for (let round = 0; filled < most; round++) {
    // A step that shares no divisor with their number visits all of them.
    const steps = [1, 3, 5, 7, 11, 13].filter((step) => gcd(step, recordings.length) === 1);
    const step = steps[round % steps.length];
    for (let i = 0; i < recordings.length && filled < most; i++) {
      const one = recordings[(round + i * step) % recordings.length];
      taken.push(one);
      filled += one.samples.length / rate + PAUSE_SECONDS;
    }
  }
  return taken;
}

function gcd(a, b) {
  return b === 0 ? a : gcd(b, a % b);
}

/** The whole as raw float32, a recording and a pause at a time. */
function* bytes() {
  const pause = new Uint8Array(PAUSE_SECONDS * rate * 4);
  for (const { samples } of order) {
    yield new Uint8Array(samples.buffer, samples.byteOffset, samples.byteLength);
    yield pause;
  }
}

/** Transcribes the whole and checks that its times increase. */
async function whole(hear) {
  const { text, tokens } = await hear();
  tokens.forEach((token, i) => {
    if (token.start < (tokens[i - 1]?.start ?? 0))
      throw new Error(`Token ${i} begins before its predecessor`);
  });
  return wordErrorRate([{ said, heard: text }]);
}

function onProgress({ seconds }) {
  if (!values.json && process.stderr.isTTY) {
    process.stderr.write(`\r${Math.round(seconds)} of ${Math.round(audioSeconds)} s `);
  }
}

/** The largest resident memory until `stop`. */
function watchMemory() {
  let peak = process.memoryUsage.rss();
  const look = () => {
    peak = Math.max(peak, process.memoryUsage.rss());
  };
  const timer = setInterval(look, 20);
  return {
    stop: () => {
      clearInterval(timer);
      look();
      return Math.round(peak / 2 ** 20);
    },
  };
}

function print() {
  if (process.stderr.isTTY) process.stderr.write('\r');
  console.log(
    `${order.length} recordings, ${result.audioSeconds} s, ${recordings.length} different ones, ${said.split(' ').length} words`,
  );
  console.log(`${''.padEnd(30)}       WER    strict  × real time  peak MiB`);
  const names = {
    own: 'each recording by itself',
    windows: `windows of ${windows.duration ?? 120} s`,
    pipeline: "parakeet({ mode: 'file' })",
    'one-pass': `one pass, local attention ${LOCAL.left} s`,
  };
  for (const [way, { wer, strict, realTimeFactor, rssPeakMiB }] of Object.entries(figures)) {
    const cells = [`${wer.toFixed(2)} %`.padStart(10), `${strict.toFixed(2)} %`.padStart(10)];
    cells.push(realTimeFactor.toFixed(4).padStart(13), String(rssPeakMiB).padStart(10));
    console.log(`${names[way].padEnd(30)}${cells.join('')}`);
  }
}
