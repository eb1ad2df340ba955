/**
 * Does the server hold what the engine holds? As many WebSockets as 80 % of the live streams that bench:streams finds in the same run, each
 * with recordings at real speed, against `parakeet serve` in a process of its own.
 *
 *     npm run -s bench:server -- [--json] [--quick] [--seconds N] [--streams N]
 *
 * `--quick`: 20 s. `--streams`: so many sockets, without the search. Ten minutes otherwise. `--json`: `{ streams, engine, seconds, cores,
 * lagMs, wordDelayMs, memoryMiB, memoryGrowthMiB, finals, failed }`. Lag is the server's: from the sound that a step needs to its final words,
 * 95th percentile (interpolated in the histogram of /metrics). The delay of words is the client's: from the sending of the end of a sentence
 * to its final result, which includes the lookahead and the pause that ends it. Memory is the server's resident memory at the end, and what it
 * grew by in the second half.
 */
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import os from 'node:os';
import path from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import WebSocket from 'ws';
import { joined } from './joined.mjs';
import { quantile } from './quantile.mjs';
import { readRecordings, readSamples } from './recordings.mjs';

const { values } = parseArgs({
  options: {
    json: { type: 'boolean' },
    quick: { type: 'boolean' },
    seconds: { type: 'string' },
    streams: { type: 'string' },
  },
});
const seconds = Number(values.seconds ?? (values.quick ? 20 : 600));
const SHARE = 0.8;
const RATE = 16_000;
const PIECE_SECONDS = 0.1;
/** Bytes of a piece of 16-bit samples. */
const PIECE = 2 * RATE * PIECE_SECONDS;

const root = fileURLToPath(new URL('..', import.meta.url));
const say = (text) => values.json || process.stderr.write(`${text}\n`);

const engine = values.streams === undefined ? engineHolds() : null;
const streams = Number(values.streams ?? Math.floor(SHARE * engine));
say(`${streams} sockets for ${seconds} s${engine === null ? '' : `; the engine holds ${engine} streams`}`);
const speech = await sound();
const server = await start(streams);
const result = await measure(server);
server.child.kill('SIGTERM');
await once(server.child, 'exit');
if (values.json) process.stdout.write(`${JSON.stringify(result)}\n`);
else print(result);
if (result.failed > 0) process.exitCode = 1;

/** What bench:streams finds. */
function engineHolds() {
  const args = [
    'bench/streams.mjs',
    '--json',
    '--models',
    'tiny',
    '--dtype',
    'float32',
    ...(values.quick ? ['--quick'] : []),
  ];
  const { stdout } = spawnSync(process.execPath, args, { cwd: root, encoding: 'utf8' });
  return JSON.parse(stdout)[0].streams;
}

/** All recordings of test/audio, as bytes. */
async function sound() {
  const recordings = readRecordings(path.join(root, 'test', 'audio'));
  const samples = joined(await Promise.all(recordings.map(({ file }) => readSamples(file, RATE))));
  return Buffer.from(Int16Array.from(samples, (sample) => Math.round(32_767 * sample)).buffer);
}

async function start(maxStreams) {
  const args = [
    'dist/cli/main.js',
    'serve',
    '--port',
    '0',
    '--max-streams',
    String(maxStreams),
    '--log-level',
    'none',
  ];
  const child = spawn(process.execPath, args, { cwd: root, stdio: ['ignore', 'ignore', 'pipe'] });
  for await (const line of createInterface(child.stderr)) {
    const [, address] = /listening on http:\/\/([^,]+)/.exec(line) ?? [];
    if (address) return { child, address };
  }
  throw new Error('the server did not start');
}

async function measure({ address }) {
  const state = { finals: 0, failed: 0, delays: [] };
  const clients = Array.from({ length: streams }, (_, i) => client(address, i, state));
  await delay((seconds * 1000) / 2);
  const halfway = (await metrics(address)).memory;
  await Promise.all(clients);
  const { memory, lag } = await metrics(address);
  state.delays.sort((a, b) => a - b);
  return {
    streams,
    engine,
    seconds,
    cores: os.availableParallelism(),
    lagMs: lag * 1000,
    wordDelayMs: { p50: quantile(state.delays, 0.5), p95: quantile(state.delays, 0.95) },
    memoryMiB: memory,
    memoryGrowthMiB: memory - halfway,
    finals: state.finals,
    failed: state.failed,
  };
}

/** One socket: sends at real speed, counts finals and how late they are. */
async function client(address, index, state) {
  // They start at different times within a step, as speakers do.
  await delay(((index * 0.618) % 1) * 640);
  const socket = new WebSocket(
    `ws://${address}/v1/listen?encoding=linear16&sample_rate=${RATE}&interim_results=true`,
  );
  const closed = once(socket, 'close');
  socket.on('error', () => {});
  await once(socket, 'open').catch(() => {});
  const began = performance.now();
  socket.on('message', (data) => {
    const { is_final, start, duration, channel } = JSON.parse(String(data));
    if (!is_final || channel?.alternatives[0].transcript === '') return;
    state.finals++;
    state.delays.push(performance.now() - began - 1000 * (start + duration));
  });
  const offset = 2 * Math.floor((index * 104_729) % (speech.length / 2));
  for (let n = 0; n < seconds / PIECE_SECONDS && socket.readyState === WebSocket.OPEN; n++) {
    await delay(Math.max(0, began + n * PIECE_SECONDS * 1000 - performance.now()));
    const at = (offset + n * PIECE) % (speech.length - PIECE);
    socket.send(speech.subarray(at, at + PIECE));
  }
  if (socket.readyState === WebSocket.OPEN) socket.send('{"type":"CloseStream"}');
  const [code] = await closed;
  if (code !== 1000) state.failed++;
}

/** Memory in MiB, and the 95th percentile of the lag in seconds. */
async function metrics(address) {
  const text = await (await fetch(`http://${address}/metrics`)).text();
  const value = (name) => Number(new RegExp(`^${name} (\\S+)$`, 'm').exec(text)?.[1]);
  const buckets = [...text.matchAll(/^parakeet_lag_seconds_bucket\{le="([\d.]+)"\} (\d+)$/gm)];
  const wanted = 0.95 * value('parakeet_lag_seconds_count');
  let [below, counted] = [0, 0];
  for (const [, limit, count] of buckets) {
    const share = (wanted - counted) / (Number(count) - counted);
    if (Number(count) >= wanted)
      return {
        memory: value('process_resident_memory_bytes') / 2 ** 20,
        lag: below + share * (limit - below),
      };
    [below, counted] = [Number(limit), Number(count)];
  }
  return { memory: value('process_resident_memory_bytes') / 2 ** 20, lag: Number.POSITIVE_INFINITY };
}

function print(row) {
  const rows = [
    ['sockets at real speed', String(row.streams)],
    ['live streams that the engine holds', row.engine === null ? 'not measured' : String(row.engine)],
    ['lag, 95th percentile', `${row.lagMs.toFixed(0)} ms`],
    ['end of a sentence to its final result, median', `${row.wordDelayMs.p50?.toFixed(0)} ms`],
    ['the same, 95th percentile', `${row.wordDelayMs.p95?.toFixed(0)} ms`],
    ["the server's memory", `${row.memoryMiB.toFixed(0)} MiB`],
    ['its growth in the second half', `${row.memoryGrowthMiB.toFixed(1)} MiB`],
    ['final results', String(row.finals)],
    ['connections that failed', String(row.failed)],
  ];
  console.log(`parakeet serve, ${row.seconds} s, ${row.cores} cores`);
  for (const [name, value] of rows) console.log(name.padEnd(50) + value);
}
