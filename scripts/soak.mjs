/**
 * Hours of what a service does to the library, at random: streams that open and close, pushes of all sizes, broken input, aborts, slow readers,
 * live transcripts that go on from snapshots. Prints what was done and the slope of resident memory; fails on a leak or on an error that nobody
 * caused.
 *
 *     npm run soak [-- --seconds 3600] [--seed N] [--streams 6] [--job live …]
 *
 * `--job` does that alone, to find out who leaks. Memory is printed every half minute.
 * A run that came to its end leaves its result in docs/verified.json. Needs dist/ (npm run build:dist).
 */
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { Readable, Writable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { joined } from '../bench/joined.mjs';
import { random } from '../bench/mixes.mjs';
import { memoryInUse } from '../conformance/memory.mjs';
import { noise, recording, silence } from '../conformance/sound.mjs';
import { loadModel, parakeet } from '../dist/index.js';
import { record } from './verified.mjs';

// glibc gives threads arenas of their own, whose holes grow for minutes and hide a leak as big: here they share one.
if (process.platform === 'linux' && process.env.MALLOC_ARENA_MAX === undefined) {
  const env = { ...process.env, MALLOC_ARENA_MAX: '1' };
  const args = [fileURLToPath(import.meta.url), ...process.argv.slice(2)];
  process.exit(spawnSync(process.execPath, args, { stdio: 'inherit', env }).status ?? 1);
}

/** The most that resident memory may grow in an hour, MiB. */
const MOST_GROWTH = 64;
/** A slope over less than this, in seconds, is not judged: it says more of the allocator than of leaks. */
const JUDGED_FROM = 120;

const { values } = parseArgs({
  options: {
    seconds: { type: 'string', default: '3600' },
    seed: { type: 'string', default: String(Math.floor(Math.random() * 2 ** 31)) },
    streams: { type: 'string', default: '6' },
    job: { type: 'string', multiple: true },
  },
});
const seconds = Number(values.seconds);
const next = random(Number(values.seed));
const between = (least, most) => least + Math.floor(next() * (most - least + 1));
const oneOf = (list) => list[between(0, list.length - 1)];
console.log(`${seconds} s, seed ${values.seed}: npm run soak -- --seconds ${seconds} --seed ${values.seed}`);

const model = await loadModel();
const { sampleRate } = model;
const speech = await recording(sampleRate);
const flac = readFileSync(new URL('../test/audio/af_sky_10.flac', import.meta.url));
const counts = {};
const unexpected = [];
const began = performance.now();
const elapsed = () => (performance.now() - began) / 1000;

const jobs = { file, damagedFile, pcm, abort, slowReader, brokenSource, live, snapshot, malformed };
const names = values.job ?? Object.keys(jobs);
const memory = [];
const workers = Array.from({ length: Number(values.streams) }, work);
while (elapsed() < seconds) {
  await sleep(Math.min(2000, 1000 * (seconds - elapsed())));
  memory.push({ seconds: elapsed(), bytes: memoryInUse() });
  if (memory.length % 15 === 0) printMemory();
}
await Promise.all(workers);
await model.close();
// The engine's thread counts down a moment after it has answered.
await sleep(500);
const left = model.addon.counts();
report();

/** One job after the other. */
async function work() {
  while (elapsed() < seconds) {
    const name = oneOf(names);
    try {
      await jobs[name]();
    } catch (error) {
      unexpected.push(`${name}: ${error?.stack ?? error}`);
    }
    counts[name] = (counts[name] ?? 0) + 1;
  }
}

async function file() {
  const { text } = await model.transcribe(flac, { mode: oneOf(['live', 'file']) });
  mustHear(text);
}

async function damagedFile() {
  const bytes = Buffer.from(flac);
  for (let i = between(1, 20); i > 0; i--) bytes[between(0, bytes.length - 1)] = between(0, 255);
  const cut = bytes.subarray(0, next() < 0.5 ? bytes.length : between(0, bytes.length));
  await expected(/^ERR_PARAKEET_(INVALID_AUDIO|UNSUPPORTED_FORMAT|MISSING_DEPENDENCY)$/, () =>
    model.transcribe(cut, { mode: 'live' }),
  );
}

async function pcm() {
  let text = '';
  for await (const event of Readable.from(bytesOf(speech)).pipe(stream())) {
    if (event.type === 'token') text += event.token.text;
  }
  mustHear(text);
}

async function abort() {
  const aborter = new AbortController();
  setTimeout(() => aborter.abort(), between(0, 300)).unref();
  const sink = collector();
  await expected(/^ABORT_ERR$|^ERR_PARAKEET_ABORTED$/, () =>
    pipeline(Readable.from(bytesOf(speech)), stream({ signal: aborter.signal }), sink),
  );
}

async function slowReader() {
  await pipeline(Readable.from(bytesOf(speech)), stream(), collector(between(1, 20)));
}

async function brokenSource() {
  const at = between(0, 10);
  const source = (function* () {
    let i = 0;
    for (const piece of bytesOf(speech)) {
      if (i++ === at) throw Object.assign(new Error('the cable'), { code: 'CABLE' });
      yield piece;
    }
  })();
  const input = { format: 'f32le', sampleRate };
  await expected(/^CABLE$/, () => model.transcribe(Readable.from(source), { mode: 'live', input }));
}

async function live() {
  const transcript = model.live({ latency: oneOf(['low', 'balanced']), silence: { gate: next() < 0.5 } });
  for (const piece of pieces(sound())) await transcript.addAudio(piece);
  if (next() < 0.3) await transcript.flush();
  if (next() < 0.7) await transcript.finish();
  await transcript.close();
}

async function snapshot() {
  let transcript = model.live({ latency: 'low' });
  for (const piece of pieces(sound())) {
    await transcript.addAudio(piece);
    if (next() > 0.2) continue;
    const from = await transcript.snapshot();
    await transcript.close();
    transcript = model.live({ from });
  }
  await transcript.finish();
}

async function malformed() {
  const transcript = model.live();
  await transcript.addAudio(speech);
  await expected(/^ERR_PARAKEET_INVALID_(AUDIO|ARGUMENT)$/, () =>
    transcript.addAudio(oneOf([new Float32Array(100).fill(Number.NaN), 'sound', new Int16Array(3)])),
  );
  await transcript.close();
}

/** The work may end well, or with an error of such a code. */
async function expected(code, work) {
  try {
    await work();
  } catch (error) {
    if (!code.test(error?.code ?? '')) throw error;
  }
}

function stream(options = {}) {
  return parakeet({ model, latency: 'low', input: { format: 'f32le', sampleRate }, ...options });
}

function collector(delay = 0) {
  return new Writable({
    objectMode: true,
    write: (_event, _encoding, callback) => (delay ? setTimeout(callback, delay) : callback()),
  });
}

function sound() {
  const parts = Array.from({ length: between(1, 4) }, () =>
    oneOf([
      () => speech,
      () => silence(between(0, 3 * sampleRate)),
      () => noise(between(0, 3 * sampleRate), next() / 10),
    ])(),
  );
  return joined(parts);
}

function* pieces(samples) {
  for (let at = 0; at < samples.length; ) {
    const size = between(1, oneOf([400, 4000, 40_000]));
    yield samples.slice(at, at + size);
    at += size;
  }
}

function* bytesOf(samples) {
  for (const piece of pieces(samples)) yield Buffer.from(piece.buffer);
}

function mustHear(text) {
  if (!/sign to start/.test(text)) throw new Error(`Expected the recording's words but heard "${text}"`);
}

function report() {
  // Half of the run, five minutes at most, is warm-up: caches fill, the allocator finds its size.
  const settled = memory.filter((one) => one.seconds > Math.min(seconds / 2, 300));
  const span = (settled.at(-1)?.seconds ?? 0) - (settled[0]?.seconds ?? 0);
  const slope = slopeOf(settled);
  const judged = span >= JUDGED_FROM;
  const leaks = [
    ...(left.models + left.sessions + left.queued > 0 ? [`left in the engine: ${JSON.stringify(left)}`] : []),
    ...(judged && slope > MOST_GROWTH ? [`memory grows by more than ${MOST_GROWTH} MiB an hour`] : []),
  ];
  for (const [name, count] of Object.entries(counts).sort()) console.log(`${name.padEnd(14)}${count}`);
  const resident = Math.round((settled.at(-1)?.bytes ?? 0) / 2 ** 20);
  console.log(`\nmemory ${resident} MiB, slope ${slope.toFixed(1)} MiB an hour over ${span.toFixed(0)} s`);
  if (!judged) console.log(`too short to judge the slope: it takes ${JUDGED_FROM} s after the warm-up`);
  for (const problem of [...leaks, ...unexpected]) console.error(problem);
  const passed = leaks.length === 0 && unexpected.length === 0;
  console.log(passed ? 'passed' : `failed: ${leaks.length} leaks, ${unexpected.length} unexpected errors`);
  if (!passed) process.exitCode = 1;
  const total = Object.values(counts).reduce((sum, count) => sum + count, 0);
  const mibPerHour = Number(slope.toFixed(1));
  if (judged)
    record('soak', { passed, seconds, seed: Number(values.seed), streams: total, mibPerHour, resident });
}

function printMemory() {
  const { heapUsed, external } = process.memoryUsage();
  const mib = (bytes) => (bytes / 2 ** 20).toFixed(1);
  const resident = mib(memory.at(-1).bytes);
  console.log(`${elapsed().toFixed(0)} s: ${resident} MiB, heap ${mib(heapUsed)}, external ${mib(external)}`);
}

/** MiB an hour, by least squares. */
function slopeOf(points) {
  const mean = (of) => points.reduce((sum, point) => sum + of(point), 0) / points.length;
  const x = mean((point) => point.seconds);
  const y = mean((point) => point.bytes);
  const over = points.reduce((sum, point) => sum + (point.seconds - x) * (point.bytes - y), 0);
  const under = points.reduce((sum, point) => sum + (point.seconds - x) ** 2, 0);
  return under === 0 ? 0 : ((over / under) * 3600) / 2 ** 20;
}
