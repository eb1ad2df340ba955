/**
 * How many live streams does this machine hold? Streams of recordings in real time, 100 ms at a time, on one model: the most of them
 * whose 95th percentile of lag stays under half a second, with steps batched and each by itself. Lag: from the push that completes
 * the audio of a step to the event that its frames are final. The streams have been running for a while: they are given as much audio as
 * their left context holds before they are timed, because a step costs more the more it looks back on.
 *
 *     npm run -s bench:streams -- [--json] [--quick] [--latency low|balanced|accurate|SECONDS] [--dtype TYPE] [--models tiny,110m]
 *
 * 110m has random weights at the real size (bench/random-model.mjs), as have cache-aware-120m and cache-aware-0.6b, whose `--latency` may be the seconds of a chunk. `--quick`: the bundled model only, short trials. `--json`:
 * `[{ model, dtype, cores, batched, unbatched, ratio, framesPerBatch, bound, memoryPerStreamMiB, javaScriptShare, eventLoopDelayMs }]`;
 * `bound` is the number of streams that the machine would hold if it did nothing but the products of their frames, at the speed that
 * oneDNN reaches here. The last two are of one stream in real time, 20 ms at a time: how much of the time the event loop was at work, and
 * how late a timer was, beyond its interval, at the 99th percentile.
 */

import os from 'node:os';
import path from 'node:path';
import { monitorEventLoopDelay, performance } from 'node:perf_hooks';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { loadModel, parakeet, presets } from 'parakeet-stream';
import { joined } from './joined.mjs';
import { productSeconds } from './layer-products.mjs';
import { randomModel } from './random-model.mjs';
import { readRecordings, readSamples } from './recordings.mjs';

/** Without the language model that whole recordings have by default. */
const decoding = { type: 'greedy' };
const { values } = parseArgs({
  options: {
    json: { type: 'boolean' },
    quick: { type: 'boolean' },
    latency: { type: 'string', default: 'balanced' },
    dtype: { type: 'string', default: 'float32' },
    models: { type: 'string' },
  },
});
const latency = values.latency in presets ? values.latency : Number(values.latency);
const names = (values.models ?? (values.quick ? 'tiny' : 'tiny,110m')).split(',');

const LIMIT_MS = 500;
const FRAME_SECONDS = 0.08;
const PUSH_SECONDS = 0.1;
const [WARM_UP, MEASURED] = values.quick ? [1, 4] : [2, 8];
const TRIALS = values.quick ? 3 : 7;
/** What `setBatchFrames` takes for steps of one stream each, and for the default. */
const [ALONE, TOGETHER] = [1, 256];

const root = fileURLToPath(new URL('..', import.meta.url));
const rows = [];
for (const name of names) rows.push(await measure(name));
if (values.json) process.stdout.write(`${JSON.stringify(rows)}\n`);
else print(rows);

async function measure(name) {
  const model = await loadModel(name === 'tiny' ? undefined : randomModel(name), { dtype: values.dtype });
  const { sampleRate } = model.info;
  const recordings = readRecordings(path.join(root, 'test', 'audio'));
  const speech = joined(await Promise.all(recordings.map(({ file }) => readSamples(file, sampleRate))));
  const found = {};
  let framesPerBatch = 0;
  for (const [way, frames] of [
    ['unbatched', ALONE],
    ['batched', TOGETHER],
  ]) {
    model.addon.setBatchFrames(frames);
    const before = model.addon.batches();
    found[way] = await capacity(model, speech, name, way);
    const after = model.addon.batches();
    framesPerBatch = (after.frames - before.frames) / (after.batches - before.batches);
  }
  const memoryPerStreamMiB = await memoryPerStream(model, speech);
  const javaScript = await javaScriptOfOne(model, speech);
  const row = {
    model: name,
    dtype: values.dtype,
    cores: os.availableParallelism(),
    ...found,
    ratio: found.batched / Math.max(1, found.unbatched),
    framesPerBatch,
    bound: await bound(model),
    memoryPerStreamMiB,
    ...javaScript,
  };
  await model.close();
  return row;
}

/** The most streams that keep up: up from a guess while they do, down while they don't. */
async function capacity(model, speech, name, way) {
  let streams = Math.max(1, Math.floor(0.8 * (await throughput(model, speech))));
  let best = 0;
  let failed = Number.POSITIVE_INFINITY;
  // On a machine that is busy with other things the guess may be far too high.
  for (let trial = 0; (trial < TRIALS || best === 0) && failed - best > 1; trial++) {
    const lag = await trialLag(model, speech, streams);
    if (!values.json) {
      process.stderr.write(
        `${name}, ${way}: ${streams} streams, lag ${lag.toFixed(0)} ms (95th percentile)\n`,
      );
    }
    if (lag < LIMIT_MS) best = Math.max(best, streams);
    else failed = Math.min(failed, streams);
    const next = lag < LIMIT_MS ? Math.ceil(streams * 1.12) : Math.floor(streams * 0.88);
    streams =
      next > best && next < failed ? next : Math.max(1, Math.round((best + Math.min(failed, 2 * best)) / 2));
  }
  return best;
}

/** Seconds of audio per second of many streams that wait for nothing. */
async function throughput(model, speech) {
  const seconds = 4;
  const length = seconds * model.info.sampleRate;
  const began = performance.now();
  const streams = 12;
  await Promise.all(
    Array.from({ length: streams }, async (_, i) => {
      const live = model.live({ latency, decoding });
      const start = (i * length) % (speech.length - length);
      await live.addAudio(speech.subarray(start, start + length));
      await live.close();
    }),
  );
  return (streams * seconds * 1000) / (performance.now() - began);
}

/** 95th percentile of the lag of so many streams in real time, in milliseconds. */
async function trialLag(model, speech, count) {
  const { sampleRate, hop, subsamplingFactor } = model.info;
  const push = Math.round(PUSH_SECONDS * sampleRate);
  const frameSamples = hop * subsamplingFactor;
  const lags = [];
  const { chunk, lookahead, left } = secondsOf(model);
  const pastPieces = Math.ceil((left + lookahead) / PUSH_SECONDS);
  let began = Number.POSITIVE_INFINITY;
  const run = async (i, allFilled) => {
    const line = parakeet({
      model,
      latency,
      decoding,
      input: { format: 'f32le', sampleRate, channels: 1 },
    });
    const pushed = [];
    const offset = (i * 104_729) % (speech.length - push);
    const write = () => {
      const at = (offset + pushed.length * push) % (speech.length - push);
      pushed.push(performance.now());
      return new Promise((resolve) => {
        line.write(Buffer.from(speech.buffer, speech.byteOffset + 4 * at, 4 * push), resolve);
      });
    };
    const heardAll = deferred();
    const source = (async () => {
      for (let n = 0; n < pastPieces; n++) await write();
      await heardAll.promise;
      await allFilled();
      // Streams start at different times within a step, as speakers do.
      const start = began + ((i * 0.618) % 1) * chunk * 1000;
      for (let n = 0; ; n++) {
        const due = start + n * PUSH_SECONDS * 1000;
        if (due > began + (WARM_UP + MEASURED) * 1000) return;
        await new Promise((resolve) => setTimeout(resolve, Math.max(0, due - performance.now())));
        write();
      }
    })();
    const reader = (async () => {
      for await (const event of line) {
        if (event.type !== 'progress') continue;
        if (event.time >= left - chunk) heardAll.resolve();
        const samples = Math.round(((event.time + lookahead) * sampleRate) / frameSamples) * frameSamples;
        const heard = pushed[Math.ceil(samples / push) - 1];
        const now = performance.now();
        if (heard !== undefined && now > began + WARM_UP * 1000) lags.push(now - heard);
      }
    })().catch((error) => {
      if (error.code !== 'ERR_STREAM_PREMATURE_CLOSE' && error.name !== 'AbortError') throw error;
    });
    await source;
    // What is still pending came too late to be counted, unless it is already later than everything else.
    lags.push(...late(line, pushed));
    line.destroy();
    await reader;
  };
  const late = (line, pushed) => {
    // A stream that has fallen behind has pending writes.
    const waiting = Math.floor(line.writableLength / (4 * push));
    return pushed.slice(pushed.length - waiting).map((at) => performance.now() - at);
  };
  let filled = 0;
  const { promise, resolve } = deferred();
  await Promise.all(
    Array.from({ length: count }, (_, i) =>
      run(i, () => {
        if (++filled === count) {
          began = performance.now() + 200;
          resolve();
        }
        return promise;
      }),
    ),
  );
  lags.sort((a, b) => a - b);
  return lags[Math.floor(0.95 * lags.length)] ?? Number.POSITIVE_INFINITY;
}

/** Megabytes that a stream adds, from the resident memory of many. */
async function memoryPerStream(model, speech) {
  const open = async (count) =>
    Promise.all(
      Array.from({ length: count }, async (_, i) => {
        const live = model.live({ latency, decoding });
        await live.addAudio(speech.subarray(i * 1000, i * 1000 + 14 * model.info.sampleRate));
        return live;
      }),
    );
  const first = await open(4);
  const before = process.memoryUsage().rss;
  const more = await open(16);
  const after = process.memoryUsage().rss;
  await Promise.all([...first, ...more].map((live) => live.close()));
  return (after - before) / 16 / 2 ** 20;
}

/** What one stream in real time, in the pieces of a live source, takes of JavaScript's thread. */
async function javaScriptOfOne(model, speech) {
  const { sampleRate } = model.info;
  const [pieceMs, delayMs, warmUp, seconds] = [20, 10, 2, values.quick ? 5 : 30];
  const piece = (pieceMs / 1000) * sampleRate;
  const input = { format: 'f32le', sampleRate, channels: 1 };
  const line = parakeet({ model, latency, decoding, input });
  line.resume();
  const delay = monitorEventLoopDelay({ resolution: delayMs });
  let before;
  const began = performance.now();
  for (let n = 0; n < ((warmUp + seconds) * 1000) / pieceMs; n++) {
    if (n === (warmUp * 1000) / pieceMs) {
      before = performance.eventLoopUtilization();
      delay.enable();
    }
    await new Promise((resolve) => setTimeout(resolve, Math.max(0, began + n * pieceMs - performance.now())));
    const at = (n * piece) % (speech.length - piece);
    line.write(Buffer.from(speech.buffer, speech.byteOffset + 4 * at, 4 * piece));
  }
  const { utilization } = performance.eventLoopUtilization(before);
  delay.disable();
  const closed = new Promise((resolve) => line.once('close', resolve));
  line.destroy();
  await closed;
  return { javaScriptShare: utilization, eventLoopDelayMs: delay.percentile(99) / 1e6 - delayMs };
}

/** Streams whose encoder products alone would fill this machine. */
async function bound(model) {
  const frames = 256;
  const seconds = await productSeconds(model.addon, model.info, values.dtype, frames, { seconds: 0.2 });
  const { chunk, lookahead } = secondsOf(model);
  return (chunk * FRAME_SECONDS * frames) / ((chunk + lookahead) * seconds);
}

/**
 * Seconds of a step, of what it sees ahead and of what it looks back on. A cache-aware model sees nothing ahead of its chunk, which the
 * engine chooses.
 */
function secondsOf({ info }) {
  if (info.contexts.length === 0) return presets[latency];
  const longest = { low: 0.16, balanced: 0.56, accurate: Number.POSITIVE_INFINITY }[latency] ?? latency;
  const contexts = info.contexts.map(([left, right]) => ({
    chunk: (right + 1) * FRAME_SECONDS,
    lookahead: 0,
    left: left * FRAME_SECONDS,
  }));
  return contexts.findLast(({ chunk }) => chunk <= longest + 1e-6) ?? contexts[0];
}

function deferred() {
  let resolve;
  const promise = new Promise((settle) => {
    resolve = settle;
  });
  return { promise, resolve };
}

function print(measured) {
  console.log(
    `Live streams whose 95th percentile of lag stays under ${LIMIT_MS} ms, latency '${values.latency}', ${values.dtype}`,
  );
  console.log(
    `${'model'.padEnd(8)}${'batched'.padStart(9)}${'alone'.padStart(9)}${'ratio'.padStart(8)}${'frames/batch'.padStart(14)}${'bound'.padStart(8)}${'MiB/stream'.padStart(12)}${'JavaScript share'.padStart(18)}${'event-loop delay'.padStart(18)}`,
  );
  for (const row of measured) {
    console.log(
      row.model.padEnd(8) +
        String(row.batched).padStart(9) +
        String(row.unbatched).padStart(9) +
        row.ratio.toFixed(2).padStart(8) +
        row.framesPerBatch.toFixed(0).padStart(14) +
        row.bound.toFixed(0).padStart(8) +
        row.memoryPerStreamMiB.toFixed(1).padStart(12) +
        `${(100 * row.javaScriptShare).toFixed(1)} %`.padStart(18) +
        `${row.eventLoopDelayMs.toFixed(1)} ms`.padStart(18),
    );
  }
}
