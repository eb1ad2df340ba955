/**
 * What an archive gains from workers on one machine, and what the queue costs: recordings through Redis with 1, 2 and 3 workers as processes, beside one
 * process with the same threads; jobs that do nothing; and, simulated, workers of other machines until the queue itself is the bound.
 *
 *     npm run -s bench:many -- [--json] [--quick] [--threads N] [--minutes 8] [--simulate 100]
 *
 * Starts a `redis-server` of its own, which writes each change to its file. `--threads`: of all workers together, by default all cores. `--minutes`: sound in
 * all. `--simulate`: most workers of the simulation, in one process, each of which waits for as long as a window takes; `seconds` of 0 is a machine that is
 * infinitely fast. `--json`: `{ cores, threads, audioSeconds, alone, rows: [{ workers, threads, seconds, speed }], perJob: { handIn, work }, service,
 * simulation: [{ workers, seconds, jobsPerSecond, share }] }`. Speeds are seconds of sound per second, `perJob` milliseconds, `service` the seconds of a
 * window of 120 s, `share` the part of the jobs per second that workers without a queue would do.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { availableParallelism, tmpdir } from 'node:os';
import path from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { Queue, Worker } from 'bullmq';
import { Redis } from 'ioredis';
import { loadModel } from 'parakeet-stream';
import { localQueue, redisQueue, transcribeMany } from 'parakeet-stream/many';
import { readSamples } from '../dist/recordings/read-samples.js';

const { values } = parseArgs({
  options: {
    json: { type: 'boolean' },
    quick: { type: 'boolean' },
    threads: { type: 'string', default: String(availableParallelism()) },
    minutes: { type: 'string' },
    simulate: { type: 'string' },
  },
});
const threads = Number(values.threads);
const audioSeconds = 60 * Number(values.minutes ?? (values.quick ? 2 : 8));
const most = Number(values.simulate ?? (values.quick ? 8 : 100));
if (![threads, audioSeconds, most].every((value) => value >= 1))
  throw new Error('Expected numbers of at least 1 for --threads, --minutes and --simulate');
const EMPTY_JOBS = values.quick ? 200 : 2000;
const RATE = 16_000;
const RECORDINGS = 4;
const WINDOWS = { duration: 30, overlap: 5 };
const SIMULATED_SECONDS = values.quick ? 1 : 4;

const folder = mkdtempSync(path.join(tmpdir(), 'parakeet-bench-many-'));
const url = `redis://127.0.0.1:${await freePort()}`;
const server = spawn(
  'redis-server',
  ['--port', new URL(url).port, '--bind', '127.0.0.1', '--dir', folder, '--appendonly', 'yes', '--save', ''],
  { stdio: 'ignore' },
);
const main = fileURLToPath(new URL('../dist/cli/main.js', import.meta.url));

const result = { cores: availableParallelism(), threads, audioSeconds, rows: [], simulation: [] };
try {
  const recordings = await makeRecordings();
  const client = new Redis(url, { maxRetriesPerRequest: null, retryStrategy: () => 50 });
  client.on('error', () => {});
  await client.ping();
  result.alone = await alone(recordings);
  for (const workers of [1, 2, 3]) {
    await client.flushall();
    result.rows.push(await withWorkers(recordings, workers));
  }
  await client.flushall();
  result.perJob = await perJob();
  for (const seconds of [result.service, result.service / 100, 0]) {
    for (const workers of [...new Set([1, 10, most].filter((count) => count <= most))]) {
      await client.flushall();
      result.simulation.push(await simulate(workers, seconds));
    }
  }
  client.disconnect();
} finally {
  server.kill();
  await once(server, 'exit');
  rmSync(folder, { recursive: true, force: true });
}
if (values.json) process.stdout.write(`${JSON.stringify(result)}\n`);
else print();

/** The recordings of test/audio one behind the other, as WAV files of equal length. */
async function makeRecordings() {
  const audio = new URL('../test/audio/', import.meta.url);
  const names = readdirSync(audio).filter((name) => name.endsWith('.flac'));
  const pieces = await Promise.all(names.map((name) => readSamples(new URL(name, audio), RATE)));
  const length = Math.round((audioSeconds / RECORDINGS) * RATE);
  return Array.from({ length: RECORDINGS }, (_, i) => {
    const samples = new Int16Array(length);
    for (let at = 0, k = i; at < length; k++) {
      const piece = pieces[k % pieces.length].subarray(0, length - at);
      samples.set(
        Int16Array.from(piece, (value) => Math.round(value * 32_767)),
        at,
      );
      at += piece.length;
    }
    const file = path.join(folder, `recording${i}.wav`);
    writeFileSync(file, Buffer.concat([wavHead(samples.byteLength), Buffer.from(samples.buffer)]));
    return file;
  });
}

function wavHead(bytes) {
  const head = Buffer.alloc(44);
  head.write('RIFF', 0);
  head.writeUInt32LE(36 + bytes, 4);
  head.write('WAVEfmt ', 8);
  head.writeUInt32LE(16, 16);
  head.writeUInt16LE(1, 20);
  head.writeUInt16LE(1, 22);
  head.writeUInt32LE(RATE, 24);
  head.writeUInt32LE(2 * RATE, 28);
  head.writeUInt16LE(2, 32);
  head.writeUInt16LE(16, 34);
  head.write('data', 36);
  head.writeUInt32LE(bytes, 40);
  return head;
}

/** Seconds that all recordings take through a queue. */
async function timed(queue, recordings) {
  const began = performance.now();
  for await (const { error } of transcribeMany(recordings, { queue, windows: WINDOWS, collect: false }))
    if (error) throw error;
  return (performance.now() - began) / 1000;
}

async function alone(recordings) {
  const model = await loadModel(undefined, { threads });
  const queue = localQueue({ model });
  await timed(queue, recordings.slice(0, 1));
  const seconds = await timed(queue, recordings);
  await queue.close();
  const samples = new Float32Array(120 * RATE);
  for (let i = 0; i < samples.length; i++) samples[i] = 0.1 * Math.sin(0.3 * i + 1e-4 * i * i);
  const began = performance.now();
  await model.transcribe(samples);
  result.service = (performance.now() - began) / 1000;
  await model.close();
  return { threads, seconds, speed: audioSeconds / seconds };
}

async function withWorkers(recordings, workers) {
  const each = Math.max(1, Math.floor(threads / workers));
  const running = await Promise.all(Array.from({ length: workers }, () => startWorker(each)));
  const queue = redisQueue({ url });
  await timed(queue, recordings.slice(0, 1));
  const seconds = await timed(queue, recordings);
  await queue.close();
  for (const { child } of running) child.kill('SIGTERM');
  await Promise.all(running.map(({ exit }) => exit));
  return { workers, threads: each, seconds, speed: audioSeconds / seconds };
}

async function startWorker(threads) {
  const args = [main, 'work', '--redis', url, '--threads', String(threads), '--takeover', '10'];
  const child = spawn(process.execPath, args, { stdio: ['ignore', 'ignore', 'pipe'] });
  const exit = once(child, 'exit');
  let said = '';
  child.stderr.setEncoding('utf8').on('data', (text) => {
    said += text;
  });
  while (!said.includes('working on')) {
    if (child.exitCode !== null) throw new Error(said);
    await delay(20);
  }
  return { child, exit };
}

/** Milliseconds of a recording that fails at once: it is all queue. */
async function perJob() {
  const sources = Array.from({ length: EMPTY_JOBS }, (_, i) => path.join(folder, `none${i}.wav`));
  const queue = redisQueue({ url, attempts: 1 });
  const results = transcribeMany(sources, { queue, concurrency: EMPTY_JOBS + 1 });
  const first = results.next();
  const watcher = new Queue('parakeet', { connection: { url } });
  const began = performance.now();
  while ((await watcher.getJobCounts('wait')).wait < EMPTY_JOBS) await delay(5);
  const handedIn = performance.now();
  const { child, exit } = await startWorker(1);
  const started = performance.now();
  await first;
  for await (const _ of results);
  const ended = performance.now();
  child.kill('SIGTERM');
  await exit;
  await watcher.close();
  await queue.close();
  return { handIn: (handedIn - began) / EMPTY_JOBS, work: (ended - started) / EMPTY_JOBS };
}

/** Workers that only wait: how many windows the queue hands out in a second. */
async function simulate(workers, seconds) {
  const name = 'simulated';
  const queue = new Queue(name, { connection: { url } });
  // As much as workers without a queue would do, at least enough to measure.
  const ideal = seconds > 0 ? workers / seconds : Number.POSITIVE_INFINITY;
  const count = Math.min(20_000, Math.max(workers * 4, Math.ceil(Math.min(ideal, 4000) * SIMULATED_SECONDS)));
  for (let at = 0; at < count; at += 1000) {
    const size = Math.min(1000, count - at);
    await queue.addBulk(
      Array.from({ length: size }, () => ({ name: 'window', data: {}, opts: { removeOnComplete: true } })),
    );
  }
  let left = count;
  const began = performance.now();
  const running = [];
  await new Promise((resolve) => {
    const process = async () => {
      if (seconds > 0) await delay(1000 * seconds);
    };
    for (let i = 0; i < workers; i++) {
      const worker = new Worker(name, process, { connection: { url } });
      worker.on('completed', () => {
        if (--left === 0) resolve();
      });
      worker.on('error', () => {});
      running.push(worker);
    }
  });
  const jobsPerSecond = count / ((performance.now() - began) / 1000);
  await Promise.all(running.map((worker) => worker.close()));
  await queue.close();
  return { workers, seconds, jobsPerSecond, ...(seconds > 0 && { share: jobsPerSecond / ideal }) };
}

async function freePort() {
  const probe = createServer().listen(0, '127.0.0.1');
  await once(probe, 'listening');
  const { port } = probe.address();
  probe.close();
  await once(probe, 'close');
  return port;
}

function print() {
  const { cores, alone, rows, perJob, service, simulation } = result;
  const line = (...cells) =>
    process.stdout.write(`${cells.map((cell) => String(cell).padStart(16)).join('')}\n`);
  process.stdout.write(`${audioSeconds} s of sound, ${cores} cores\n`);
  line('workers', 'threads of each', 'seconds', '× real time');
  line('one process', alone.threads, alone.seconds.toFixed(1), alone.speed.toFixed(0));
  for (const { workers, threads, seconds, speed } of rows)
    line(workers, threads, seconds.toFixed(1), speed.toFixed(0));
  process.stdout.write(
    `\nA job that does nothing: ${perJob.handIn.toFixed(2)} ms to hand in, ${perJob.work.toFixed(2)} ms of a worker\n`,
  );
  process.stdout.write(`A window of 120 s: ${service.toFixed(2)} s\n\n`);
  line('workers', 's a window', 'windows/s', '× real time', 'of ideal');
  for (const { workers, seconds, jobsPerSecond, share } of simulation) {
    // 105 s of each window are its own.
    const speed = (105 * jobsPerSecond).toFixed(0);
    line(
      workers,
      seconds.toFixed(3),
      jobsPerSecond.toFixed(1),
      speed,
      share === undefined ? '' : `${(100 * share).toFixed(0)} %`,
    );
  }
}
