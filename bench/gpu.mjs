/**
 * What a GPU does: recordings one at a time and in batches, an hour in windows, a lone stream's steps, and how many live sessions keep
 * up. From float32 samples in memory to tokens, log-mel included, warm. Random weights at the real sizes that find about four tokens a
 * second (bench/random-model.mjs); `tiny` is the bundled model.
 *
 *     npm run -s bench:gpu -- [--json] [--models 0.6b-v3,110m,tiny] [--what one,hour,batch,profile,step,sessions,streams,workers,soak]
 *                             [--dtype bfloat16] [--device gpu] [--batch 256] [--sessions 1000] [--workers 4] [--minutes 10]
 *
 * `x`: seconds of audio per second; `engineX`: of the engine by itself, without our streams in JavaScript. `sessions`: engine sessions (log-mel, encoder, decoder) in real time, 100 ms at a time, preset
 * 'balanced'; `streams`: whole `parakeet()` streams on one Node thread; `workers`: the same, shared among worker threads. Of all the 95th percentile of the lag, from the push that
 * completes a step to its tokens. `profile`: milliseconds of a batch and of a lone step by part of the model, each part awaited, beside the whole without
 * that; of log-mel, which runs beside the card, the CPU's of all cores; `products`: the encoder's products of weights at the speed of bare ones.
 */
import { performance } from 'node:perf_hooks';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { isMainThread, parentPort, Worker, workerData } from 'node:worker_threads';
import { loadModel, parakeet, presets } from 'parakeet-stream';
import { productSeconds } from './layer-products.mjs';
import { random } from './mixes.mjs';
import { median, quantile } from './quantile.mjs';
import { randomModel } from './random-model.mjs';

/** Without the language model that whole recordings have by default. */
const decoding = { type: 'greedy' };
const { values } = parseArgs({
  options: {
    json: { type: 'boolean' },
    models: { type: 'string', default: '0.6b-v3,110m,tiny' },
    what: { type: 'string', default: 'one,hour,batch,step,sessions' },
    dtype: { type: 'string', default: 'bfloat16' },
    device: { type: 'string', default: 'gpu' },
    batch: { type: 'string', default: '256' },
    sessions: { type: 'string', default: '1000' },
    workers: { type: 'string', default: '4' },
    minutes: { type: 'string', default: '10' },
  },
});
const FRAME_SECONDS = 0.08;
const PUSH_SECONDS = 0.1;
const rows = [];

const round = (value) => Math.round(value * 100) / 100;

/** Noise that rises and falls like speech, different for each seed. */
function sound(seconds, rate, seed = 1) {
  const next = random(seed);
  const samples = new Float32Array(Math.round(seconds * rate));
  for (let i = 0; i < samples.length; i++) {
    samples[i] = 0.2 * (next() - 0.5) * (0.2 + Math.abs(Math.sin((3 * i) / rate + seed)));
  }
  return samples;
}

function report(row) {
  rows.push(row);
  if (values.json) return;
  const { model, what, ...figures } = row;
  const text = Object.entries(figures).map(([key, value]) => `${key} ${value}`);
  console.log(`${model.padEnd(8)} ${what.padEnd(9)} ${text.join(', ')}`);
}

/** Median seconds of `work`, warm. */
async function timed(work, runs) {
  await work();
  await work();
  const times = [];
  for (let i = 0; i < runs; i++) {
    const began = performance.now();
    await work();
    times.push((performance.now() - began) / 1000);
  }
  return median(times);
}

const measures = {
  async one(model) {
    for (const seconds of [10, 30]) {
      const samples = sound(seconds, model.sampleRate);
      let tokens = 0;
      const took = await timed(async () => {
        tokens = (await model.transcribe(samples, { decoding })).tokens.length;
      }, 15);
      const { data, frames } = await model.computeLogMel(samples);
      const encoded = await timed(
        () => model.encodeLogMel({ data, frames, features: model.info.features }),
        15,
      );
      report({
        model: model.label,
        what: `one ${seconds} s`,
        x: round(seconds / took),
        encoderX: round(seconds / encoded),
        tokensPerSecond: round(tokens / seconds),
      });
    }
  },

  async hour(model) {
    const samples = sound(3600, model.sampleRate);
    const took = await timed(() => model.transcribe(samples, { decoding }), 2);
    report({ model: model.label, what: 'hour', x: round(3600 / took) });
  },

  async batch(model) {
    const count = Number(values.batch);
    const recordings = Array.from({ length: count }, (_, i) => sound(30, model.sampleRate, i + 1));
    const options = wholeOptions(model);
    const engine = await timed(
      () => Promise.all(recordings.map((samples) => model.native.transcribe(samples, options))),
      3,
    );
    const took = await timed(
      () => Promise.all(recordings.map((samples) => model.transcribe(samples, { decoding }))),
      3,
    );
    report({
      model: model.label,
      what: `${count} x 30`,
      engineX: round((count * 30) / engine),
      x: round((count * 30) / took),
      ...memory(model),
    });
  },

  async profile(model) {
    const recordings = Array.from({ length: 64 }, (_, i) => sound(30, model.sampleRate, i + 1));
    const together = () =>
      Promise.all(recordings.map((samples) => model.native.transcribe(samples, wholeOptions(model))));
    const frames = recordings.length * Math.ceil(30 / FRAME_SECONDS);
    await profiled(model, `${recordings.length} x 30`, frames, together);
    const { chunk, lookahead } = presets.balanced;
    const samples = sound(60, model.sampleRate);
    const push = Math.round(chunk * model.sampleRate);
    const live = model.live({ latency: 'balanced' });
    let at = 0;
    const step = async () => {
      await live.addAudio(
        samples.subarray(at % (samples.length - push), (at % (samples.length - push)) + push),
      );
      at += push;
    };
    for (let i = 0; i < 24; i++) await step();
    await profiled(model, 'a step', Math.round((chunk + lookahead) / FRAME_SECONDS), step);
    await live.close();
  },

  async step(model) {
    const { chunk } = presets.balanced;
    const samples = sound(60, model.sampleRate);
    const push = Math.round(chunk * model.sampleRate);
    const times = [];
    for (let run = 0; run < 2; run++) {
      const live = model.live({ latency: 'balanced' });
      for (let at = 0; at + push <= samples.length; at += push) {
        const began = performance.now();
        await live.addAudio(samples.subarray(at, at + push));
        if (run > 0 && at > 4 * push) times.push(performance.now() - began);
      }
      await live.close();
    }
    report({
      model: model.label,
      what: 'step',
      medianMs: round(median(times)),
      p95Ms: round(quantile(times, 0.95)),
      p99Ms: round(quantile(times, 0.99)),
      maxMs: round(Math.max(...times)),
    });
  },

  async sessions(model) {
    for (const count of values.sessions.split(',').map(Number)) {
      report({
        model: model.label,
        what: `${count} live`,
        ...(await live(model, count, 10, openSession)),
        ...memory(model),
      });
    }
  },

  async streams(model) {
    for (const count of values.sessions.split(',').map(Number)) {
      report({ model: model.label, what: `${count} str.`, ...(await live(model, count, 10, openStream)) });
    }
  },

  async workers(model) {
    const threads = Number(values.workers);
    for (const count of values.sessions.split(',').map(Number)) {
      const found = await Promise.all(
        Array.from({ length: threads }, () => inWorker(model.label, Math.ceil(count / threads))),
      );
      const lags = found.flatMap((one) => one.lags);
      report({
        model: model.label,
        what: `${count} in ${threads}`,
        medianMs: round(median(lags)),
        p95Ms: round(quantile(lags, 0.95)),
        maxMs: round(Math.max(...lags)),
        eventLoop: Math.max(...found.map(({ eventLoop }) => eventLoop)),
      });
    }
  },

  async soak(model) {
    const until = performance.now() + Number(values.minutes) * 60_000;
    const next = random(7);
    const samples = sound(20, model.sampleRate);
    let open = [];
    const memories = [];
    const times = [];
    let turn = 0;
    while (performance.now() < until) {
      while (open.length < 4 + Math.floor(next() * 60))
        open.push({ live: model.live({ latency: 'balanced' }), at: 0 });
      const push = Math.round(0.64 * model.sampleRate);
      const began = performance.now();
      await Promise.all(
        open.map(async (stream) => {
          await stream.live.addAudio(samples.subarray(stream.at, stream.at + push));
          stream.at += push;
        }),
      );
      times.push(performance.now() - began);
      const over = open.filter((stream) => stream.at > samples.length || next() < 0.05);
      open = open.filter((stream) => !over.includes(stream));
      await Promise.all(over.map(({ live }) => live.close()));
      if (turn++ % 50 === 0) memories.push(model.addon.memory().active / 2 ** 20);
    }
    await Promise.all(open.map(({ live }) => live.close()));
    const half = memories.slice(Math.floor(memories.length / 4));
    report({
      model: model.label,
      what: 'soak',
      turns: turn,
      medianMs: round(median(times)),
      p99Ms: round(quantile(times, 0.99)),
      firstMiB: round(half[0]),
      mostMiB: round(Math.max(...half)),
      lastMiB: round(half.at(-1)),
    });
  },
};

const wholeOptions = (model) => ({
  context: model.info.attention,
  decoding: { head: headOf(model), boost: null },
  flush: 12_800,
  emissionDelay: 4,
  job: 0,
});

/** Milliseconds of `work`, median, and of its parts. */
async function profiled(model, what, frames, work) {
  const whole = (await timed(work, 7)) * 1000;
  const RUNS = 5;
  model.addon.profile(true);
  for (let i = 0; i < RUNS; i++) await work();
  const parts = Object.entries(model.addon.profile()).map(([part, seconds]) => [
    part,
    round((1000 * seconds) / RUNS),
  ]);
  model.addon.profile(false);
  const products = await productSeconds(model.addon, model.info, values.dtype, frames, {
    measured: Math.min(frames, 16_384),
    seconds: 0.2,
  });
  report({
    model: model.label,
    what,
    wholeMs: round(whole),
    ...Object.fromEntries(parts),
    products: round(1000 * products),
  });
}

const headOf = ({ info }) => (info.durations.length > 0 ? 'tdt' : 'ctc');

const memory = (model) => {
  const { active, peak } = model.addon.memory();
  return { activeMiB: Math.round(active / 2 ** 20), peakMiB: Math.round(peak / 2 ** 20) };
};

/** `count` streams in real time for so many seconds; of the lags of their steps, quantiles in milliseconds. */
async function live(model, count, seconds, open) {
  const rate = model.sampleRate;
  const push = Math.round(PUSH_SECONDS * rate);
  const lags = [];
  const warm = 3;
  const speech = sound(40, rate);
  const began = performance.now() + 1000;
  const before = model.addon.batches();
  const loop = performance.eventLoopUtilization();
  await Promise.all(
    Array.from({ length: count }, async (_, i) => {
      const start = began + ((i * 0.618) % 1) * presets.balanced.chunk * 1000;
      const session = open(model, (lag, at) => {
        if (at > began + warm * 1000) lags.push(lag);
      });
      const offset = (i * 104_729) % (speech.length - push);
      for (let n = 0; n * PUSH_SECONDS < seconds + warm; n++) {
        const due = start + n * PUSH_SECONDS * 1000;
        const wait = due - performance.now();
        if (wait > 1) await sleep(wait);
        const at = (offset + n * push) % (speech.length - push);
        session.push(speech.subarray(at, at + push), due);
      }
      await session.close();
    }),
  );
  const after = model.addon.batches();
  const { utilization } = performance.eventLoopUtilization(loop);
  return {
    ...(isMainThread ? {} : { lags }),
    medianMs: round(median(lags)),
    p95Ms: round(quantile(lags, 0.95)),
    maxMs: round(Math.max(...lags)),
    streamsPerBatch: round((after.steps - before.steps) / (after.batches - before.batches)),
    eventLoop: round(utilization),
  };
}

/** The engine's part of a stream, without our Transforms. */
function openSession(model, onStep) {
  const frames = (seconds) => Math.round(seconds / FRAME_SECONDS);
  const { chunk, lookahead, left } = presets.balanced;
  const mel = model.native.createMel(80);
  const encoder = model.native.createEncoder({
    chunk: frames(chunk),
    lookahead: frames(lookahead),
    context: [frames(left), -1],
    cache: frames(left),
    normalization: 'running',
    emissionDelay: 4,
    hangover: 80,
    gate: false,
    history: 0,
    grow: 1,
    recall: [-1, -1],
  });
  const decoder = model.native.createDecoder({
    head: model.info.durations.length > 0 ? 'tdt' : 'ctc',
    boost: null,
  });
  let working = Promise.resolve();
  let failure;
  const step = async (samples, due) => {
    const found = await mel.push(samples);
    for (let input = found; ; input = undefined) {
      const ticket = await encoder.step(input);
      if (ticket === null) return;
      await decoder.decode(encoder, ticket.ticket, true);
      onStep(performance.now() - due, performance.now());
    }
  };
  return {
    push(samples, due) {
      working = working
        .then(() => step(samples, due))
        .catch((error) => {
          failure = error;
        });
    },
    async close() {
      await working;
      await Promise.all([mel.close(), encoder.close(), decoder.close()]);
      if (failure) throw failure;
    },
  };
}

/** A whole `parakeet()` stream. */
function openStream(model, onStep) {
  const line = parakeet({
    model,
    latency: 'balanced',
    input: { format: 'f32le', sampleRate: model.sampleRate, channels: 1 },
  });
  const pushes = [];
  let pushed = 0;
  const reading = (async () => {
    for await (const event of line) {
      if (event.type !== 'progress') continue;
      // The step saw the lookahead beyond what is final now.
      const seen = event.time + presets.balanced.lookahead;
      const push = pushes.find(({ end }) => end >= seen);
      if (push) onStep(performance.now() - push.due, performance.now());
    }
  })();
  return {
    push(samples, due) {
      pushed += samples.length / model.sampleRate;
      pushes.push({ end: pushed, due });
      if (pushes.length > 60) pushes.shift();
      line.write(Buffer.from(samples.buffer, samples.byteOffset, samples.byteLength));
    },
    async close() {
      line.end();
      await reading;
    },
  };
}

/** `count` whole streams on a thread of their own. */
function inWorker(name, count) {
  return new Promise((resolve, reject) => {
    const worker = new Worker(new URL(import.meta.url), {
      workerData: { name, count },
      argv: process.argv.slice(2),
    });
    worker.once('message', resolve).once('error', reject);
  });
}

async function load(name) {
  const model = await loadModel(name === 'tiny' ? undefined : randomModel(name), {
    dtype: values.dtype,
    device: values.device,
  });
  model.label = name;
  return model;
}

if (!isMainThread) {
  const model = await load(workerData.name);
  parentPort.postMessage(await live(model, workerData.count, 10, openStream));
  await model.close();
} else await main();

async function main() {
  for (const name of values.models.split(',')) {
    const began = performance.now();
    const model = await load(name);
    report({
      model: name,
      what: 'load',
      seconds: round((performance.now() - began) / 1000),
      dtype: model.info.dtype,
    });
    for (const what of values.what.split(',')) await measures[what](model);
    await model.close();
  }
  if (values.json) console.log(JSON.stringify(rows));
}
