/**
 * How many live streams does this machine hold, and how many could it? Streams of recordings in real time, 100 ms at a time, on one model: the most of
 * them whose 95th percentile of lag stays under half a second. Lag: from the push that completes the audio of a step to the event that its
 * frames are final.
 *
 *     npm run -s bench:streams -- [--json] [--quick] [--cores 1,2,4] [--models tiny,110m,0.6b-v3] [--dtype TYPE] [--latency low|balanced|accurate|SECONDS]
 *         [--recordings DIR]
 *
 * 110m, 0.6b-v3, cache-aware-120m and cache-aware-0.6b have random weights at the real size (bench/random-model.mjs); `--latency` of a cache-aware one may be the seconds of a
 * chunk. `--cores`: one run after the other, each in a process that has so many of the cores (by `taskset`; where there is none, so many
 * threads). DIR: sound files and a transcripts.tsv (default: test/audio; without it, noise in bursts, in which hardly a word is found). `--quick`: shorter trials, about half a minute for a
 * model and a number of cores.
 *
 * The bound is the number of streams that the machine would hold if it did nothing but the products of their frames, at the speed of bare
 * ones (`arithmetic`), or nothing but read the weights once a batch and each stream's left context once a step (`memory`), in batches as large as those of the
 * trial. The smaller one counts; the share is of it. `--json`: `[{ model, dtype, latency, cores, streams, perCore, bound, limit, arithmetic, memory, share, cpuShare, framesPerBatch, cpu, javaScriptShare, memoryPerStreamMiB, sound }]`;
 * `cpu` is the CPU time that a second of a stream takes, which other programs change less than `streams`, and `cpuShare` the share of the bound that would be held if it alone decided; `javaScriptShare` how much of the time the event loop is at
 * work with so many. bench/results/streams.json has such runs, and `npm run plots` draws them.
 */
import { existsSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { loadModel, presets } from 'parakeet-stream';
import { joined } from './joined.mjs';
import { mostStreams } from './layer-products.mjs';
import { LiveStreams } from './live-streams.mjs';
import { random } from './mixes.mjs';
import { onCores } from './pinned.mjs';
import { randomModel } from './random-model.mjs';
import { readRecordings, readSamples } from './recordings.mjs';

/** Without the language model that whole recordings have by default. */
const decoding = { type: 'greedy' };
const root = fileURLToPath(new URL('..', import.meta.url));
const { values } = parseArgs({
  options: {
    json: { type: 'boolean' },
    quick: { type: 'boolean' },
    cores: { type: 'string' },
    /** Measure this model in this process. */
    here: { type: 'string' },
    threads: { type: 'string' },
    latency: { type: 'string', default: 'balanced' },
    dtype: { type: 'string', default: 'int8' },
    models: { type: 'string', default: 'tiny,110m' },
    recordings: { type: 'string', default: path.join(root, 'test', 'audio') },
  },
});
const latency = values.latency in presets ? values.latency : Number(values.latency);

const LIMIT_MS = 500;
const FRAME_SECONDS = 0.08;
const [MEASURED, TRIALS] = values.quick ? [2.5, 3] : [8, 8];
/** Between the most streams that keep up and the fewest that do not: what is close enough. */
const CLOSE = 1.06;

const names = values.models.split(',');
if (values.here) process.stdout.write(JSON.stringify(await measure(values.here)));
else {
  const rows = [];
  const counts = (values.cores ?? String(os.availableParallelism())).split(',').map(Number);
  for (const cores of counts) for (const name of names) rows.push(await measured(cores, name));
  if (values.json) process.stdout.write(`${JSON.stringify(rows)}\n`);
  else print(rows);
}

/** In a process of its own: memory that one model leaves is not the next one's. */
async function measured(cores, name) {
  const { dtype, recordings } = values;
  const given = ['--dtype', dtype, '--latency', values.latency, '--recordings', recordings];
  const args = [
    fileURLToPath(import.meta.url),
    '--here',
    name,
    ...(values.quick ? ['--quick'] : []),
    ...given,
  ];
  return JSON.parse(await onCores(cores, args));
}

async function measure(name) {
  const threads = values.threads === undefined ? undefined : Number(values.threads);
  const cores = threads ?? os.availableParallelism();
  const folder = name === 'tiny' ? undefined : randomModel(name);
  const model = await loadModel(folder, { dtype: values.dtype, ...(threads && { threads }) });
  const { speech, sound } = await speechOf(model);
  const step = secondsOf(model);
  const streams = new LiveStreams({ model, speech, options: { latency, decoding }, step });
  const memory = process.memoryUsage().rss;
  const found = await capacity(streams, await throughput(model, speech), (count, { lag }) =>
    process.stderr.write(
      `${name}, ${cores} cores: ${count} streams, lag ${lag.toFixed(0)} ms (95th percentile)\n`,
    ),
  );
  const memoryPerStreamMiB = (process.memoryUsage().rss - memory) / found.opened / 2 ** 20;
  await streams.close();
  const most = await mostStreams(model, values.dtype, step, found.framesPerBatch, FRAME_SECONDS);
  await model.close();
  const bound = Math.min(most.arithmetic, most.memory);
  return {
    model: name,
    dtype: values.dtype,
    latency,
    cores,
    streams: found.best,
    perCore: found.best / cores,
    bound,
    limit: most.arithmetic < most.memory ? 'arithmetic' : 'memory',
    ...most,
    share: found.best / bound,
    cpuShare: cores / (found.cpu * bound),
    framesPerBatch: found.framesPerBatch,
    cpu: found.cpu,
    javaScriptShare: found.javaScriptShare,
    memoryPerStreamMiB,
    sound,
  };

  /** The most streams that keep up. Other programs can only make it fewer, so that one more failure than successes decides. */
  async function capacity(live, guess, tell) {
    // What they look back on is heard at the speed of the whole machine, which says how many there may be.
    let opened = Math.max(1, Math.floor(0.6 * guess));
    let count = Math.max(1, Math.floor(0.85 * (await live.open(opened))));
    const result = { best: 0, framesPerBatch: 0, cpu: 0, javaScriptShare: 0, opened };
    let failed = Number.POSITIVE_INFINITY;
    let tried = 0;
    for (let trial = 0; trial < TRIALS || (result.best === 0 && count > 1); trial++) {
      opened = Math.max(opened, count);
      await live.open(opened);
      const before = model.addon.batches();
      const looked = await live.window(count, MEASURED);
      const after = model.addon.batches();
      tell(count, looked);
      tried++;
      if (looked.lag < LIMIT_MS) {
        const framesPerBatch = (after.frames - before.frames) / (after.batches - before.batches);
        if (count > result.best)
          Object.assign(result, {
            best: count,
            framesPerBatch,
            cpu: looked.cpu,
            javaScriptShare: looked.javaScriptShare,
          });
        // It failed before, so something else was at work.
        if (failed <= count) failed = Number.POSITIVE_INFINITY;
      } else if (!values.quick && tried < 2 && count < 1.5 * result.best) {
        continue;
      } else failed = Math.min(failed, count);
      tried = 0;
      if (failed / Math.max(1, result.best) <= CLOSE || failed - result.best <= 1) break;
      const between =
        Number.isFinite(failed) && result.best > 0 ? Math.round(Math.sqrt(failed * result.best)) : undefined;
      count =
        between ?? (result.best > 0 ? Math.ceil(1.12 * result.best) : Math.max(1, Math.floor(0.8 * failed)));
    }
    return { ...result, opened };
  }
}

/** Sound for the streams to hear, and what it is. */
async function speechOf({ info: { sampleRate } }) {
  if (existsSync(path.join(values.recordings, 'transcripts.tsv'))) {
    const recordings = readRecordings(values.recordings).slice(0, 20);
    return {
      sound: 'recordings',
      speech: joined(await Promise.all(recordings.map(({ file }) => readSamples(file, sampleRate)))),
    };
  }
  const next = random(1);
  // Syllables: four bursts a second.
  const burst = (i) => Math.max(0, Math.sin((2 * Math.PI * 4 * i) / sampleRate));
  return {
    sound: 'noise',
    speech: Float32Array.from({ length: 60 * sampleRate }, (_, i) => 0.3 * burst(i) * (next() - 0.5)),
  };
}

/** Seconds of audio per second of some streams that wait for nothing. */
async function throughput(model, speech) {
  const seconds = 2;
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

function print(measured) {
  console.log(
    `Live streams whose 95th percentile of lag stays under ${LIMIT_MS} ms, latency '${values.latency}', ${values.dtype}`,
  );
  const columns = [
    'cores',
    'streams',
    'per core',
    'bound',
    'by',
    'share',
    'by CPU',
    'frames/batch',
    'CPU ms/s',
    'JavaScript',
    'MiB/stream',
  ];
  console.log('model'.padEnd(18) + columns.map((text) => text.padStart(13)).join(''));
  for (const row of measured) {
    const cells = [
      row.cores,
      row.streams,
      row.perCore.toFixed(1),
      row.bound.toFixed(0),
      row.limit,
      `${(100 * row.share).toFixed(0)} %`,
      `${(100 * row.cpuShare).toFixed(0)} %`,
      row.framesPerBatch.toFixed(0),
      (1000 * row.cpu).toFixed(2),
      `${(100 * row.javaScriptShare).toFixed(0)} %`,
      row.memoryPerStreamMiB.toFixed(1),
    ];
    console.log(row.model.padEnd(18) + cells.map((cell) => String(cell).padStart(13)).join(''));
  }
}
