/**
 * What a step of a live stream costs: cache-aware models with each of their contexts, alone and many in one batch, beside the encoder over
 * a whole recording and the buffered streams of a model of the same size that hears whole recordings.
 *
 *     npm run -s bench:steps -- [--json] [--quick] [--model cache-aware-0.6b|cache-aware-120m] [--dtype TYPE] [--streams 16] [--latency 0.56]
 *
 * Random weights at the real size (bench/random-model.mjs). `--latency`: the context with this chunk only, in seconds. `--quick`: the small size, fewer rounds. `--json`: `{ model, dtype, cores,
 * streams, offline: { cost, cpu }, rows: [{ kind, latency, streams, msPerStep, stepsPerSecond, cost, cpu, bound: { arithmetic, weights }, bytesPerStream }] }`.
 * `cost` and `offline.cost` are seconds of the encoder's compute per second of audio, `cpu` and `offline.cpu` those of all cores together, which a busy machine
 * changes less. `stepsPerSecond` counts the steps of all streams. `bound`: the
 * milliseconds that a step's products take at the speed of bare ones, and those in which its weights can be read once.
 */
import os from 'node:os';
import { parseArgs } from 'node:util';
import { loadModel, presets } from 'parakeet-stream';
import { productSeconds, weightsPerSecond, weightsRead } from './layer-products.mjs';
import { median } from './quantile.mjs';
import { randomModel } from './random-model.mjs';

const { values } = parseArgs({
  options: {
    json: { type: 'boolean' },
    quick: { type: 'boolean' },
    model: { type: 'string' },
    dtype: { type: 'string', default: 'int8' },
    streams: { type: 'string', default: '16' },
    latency: { type: 'string' },
  },
});
const name = values.model ?? (values.quick ? 'cache-aware-120m' : 'cache-aware-0.6b');
/** The model of the same size whose streams are buffered. */
const BUFFERED = { 'cache-aware-120m': '110m', 'cache-aware-0.6b': '0.6b-v3' };
if (!(name in BUFFERED)) {
  throw new Error(`Expected ${Object.keys(BUFFERED).join(' or ')} for --model but received ${name}`);
}
const many = Number(values.streams);
if (!Number.isInteger(many) || many < 1) {
  throw new Error(`Expected a number of streams for --streams but received ${values.streams}`);
}
const ROUNDS = values.quick ? 3 : 5;
/** A step of few streams takes some milliseconds, on which a busy machine has more influence. */
const STREAM_ROUNDS = values.quick ? 30 : 100;
const RECORDING_SECONDS = values.quick ? 10 : 30;
const FRAME_SECONDS = 0.08;
/** Steps that are taken as one until the caches are full. */
const WARM_UP_STEPS = 1000;

/** Weights that are read in a second, once it is measured. */
let readSpeed;
const result = {
  model: name,
  dtype: values.dtype,
  cores: os.availableParallelism(),
  streams: many,
  rows: [],
};
{
  const model = await loadModel(randomModel(name), { dtype: values.dtype });
  result.offline = await offlineCost(model);
  for (const context of model.info.contexts) {
    const [left, right] = context;
    if (values.latency && Math.abs((right + 1) * FRAME_SECONDS - Number(values.latency)) > 1e-6) continue;
    const options = { chunk: right + 1, lookahead: 0, context, cache: left, normalization: 'none' };
    for (const streams of [1, many]) await measure(model, 'cache-aware', options, streams);
  }
  await model.close();
}
{
  const model = await loadModel(randomModel(BUFFERED[name]), { dtype: values.dtype });
  const frames = (seconds) => Math.round(seconds / FRAME_SECONDS);
  const { chunk, lookahead, left } = presets.balanced;
  const options = {
    chunk: frames(chunk),
    lookahead: frames(lookahead),
    context: [frames(left), -1],
    cache: frames(left),
    normalization: 'running',
  };
  for (const streams of [1, many]) await measure(model, 'buffered', options, streams);
  await model.close();
}
if (values.json) process.stdout.write(`${JSON.stringify(result)}\n`);
else print();

/** Seconds of compute for a second of a recording, with the largest context. */
async function offlineCost({ native, info }) {
  const rows = RECORDING_SECONDS * 100;
  const features = noise(rows * info.features, 1);
  const took = [];
  const used = [];
  for (let round = 0; round <= ROUNDS; round++) {
    const began = performance.now();
    const before = cpuSeconds();
    await native.encode(features, rows, info.attention, 0);
    if (round === 0) continue;
    took.push((performance.now() - began) / 1000);
    used.push(cpuSeconds() - before);
  }
  return { cost: median(took) / RECORDING_SECONDS, cpu: median(used) / RECORDING_SECONDS };
}

async function measure(model, kind, options, streams) {
  const { native, info } = model;
  const head = info.durations.length > 0 ? 'tdt' : 'rnnt';
  const stepMel = options.chunk * info.subsamplingFactor;
  const sessions = Array.from({ length: streams }, (_, i) => ({
    encoder: native.createEncoder({
      ...options,
      emissionDelay: 4,
      hangover: 80,
      gate: false,
      history: 0,
      grow: WARM_UP_STEPS,
      recall: info.attention,
    }),
    decoder: native.createDecoder({ head }),
    mel: noise(stepMel * info.features, i + 2),
  }));
  const decode = ({ encoder, decoder }, ticket) => decoder.decode(encoder, ticket.ticket, false);
  // Until the caches are full, and so far that each chunk makes one step due.
  const warmUp = (options.cache + options.lookahead + 2 * options.chunk) * info.subsamplingFactor;
  for (const [i, one] of sessions.entries()) {
    await decode(one, await one.encoder.step(noise(warmUp * info.features, 100 + i)));
  }
  const rounds = [];
  const used = [];
  const times = Math.max(ROUNDS, Math.round(STREAM_ROUNDS / streams));
  for (let round = 0; round <= times; round++) {
    const before = cpuSeconds();
    const tickets = await Promise.all(sessions.map(({ encoder, mel }) => encoder.step(mel)));
    const encoded = cpuSeconds();
    if (tickets.some((ticket) => ticket?.final !== options.chunk))
      throw new Error('Expected a step of a chunk');
    await Promise.all(sessions.map((one, i) => decode(one, tickets[i])));
    if (round === 0) continue;
    rounds.push(tickets.reduce((sum, { computeSeconds }) => sum + computeSeconds, 0));
    used.push(encoded - before);
  }
  const [{ encoder, decoder }] = sessions;
  const bytesPerStream = (await encoder.save()).length + (await decoder.save()).length;
  for (const one of sessions) await Promise.all([one.encoder.close(), one.decoder.close()]);
  const seconds = median(rounds);
  const frames = (options.chunk + options.lookahead) * streams;
  if (!values.json) process.stderr.write(`${kind}, ${streams} streams: ${(1000 * seconds).toFixed(0)} ms\n`);
  result.rows.push({
    kind,
    latency: options.chunk * FRAME_SECONDS,
    streams,
    msPerStep: 1000 * seconds,
    stepsPerSecond: streams / seconds,
    cost: seconds / (streams * options.chunk * FRAME_SECONDS),
    cpu: median(used) / (streams * options.chunk * FRAME_SECONDS),
    bound: await bounds(model, frames),
    bytesPerStream,
  });
}

/** Milliseconds of a step with so many frames: its layers' products at the speed of bare ones, and reading their weights. */
async function bounds({ addon, info }, frames) {
  const arithmetic = await productSeconds(addon, info, values.dtype, frames, {
    measured: Math.max(frames, 64),
    seconds: 0.2,
  });
  readSpeed ??= await weightsPerSecond(addon, values.dtype);
  return { arithmetic: 1000 * arithmetic, weights: (1000 * weightsRead(info, values.dtype)) / readSpeed };
}

function cpuSeconds() {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1e6;
}

/** Numbers in [-1, 1), the same for each seed. */
function noise(length, seed) {
  let state = seed;
  return Float32Array.from({ length }, () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state / 2 ** 31 - 1;
  });
}

function print() {
  console.log(
    `${name}, ${values.dtype}, ${result.cores} cores; the encoder over a recording: ${result.offline.cost.toFixed(3)} s, all cores ${result.offline.cpu.toFixed(3)} s, per second of audio`,
  );
  const columns = [
    'stream',
    'latency',
    'streams',
    'ms/step',
    'steps/s',
    's/s of audio',
    'CPU s/s',
    'arithmetic ms',
    'weights ms',
    'MB/stream',
  ];
  console.log(columns.map((text, i) => (i === 0 ? text.padEnd(12) : text.padStart(14))).join(''));
  for (const row of result.rows) {
    const cells = [
      `${row.latency.toFixed(2)} s`,
      row.streams,
      row.msPerStep.toFixed(1),
      row.stepsPerSecond.toFixed(1),
      row.cost.toFixed(3),
      row.cpu.toFixed(3),
      row.bound.arithmetic.toFixed(1),
      row.bound.weights.toFixed(1),
      (row.bytesPerStream / 1e6).toFixed(1),
    ];
    console.log(row.kind.padEnd(12) + cells.map((cell) => String(cell).padStart(14)).join(''));
  }
}
