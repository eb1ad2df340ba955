/**
 * The engine's speed on this machine against its peers and against the bound, in one run: random weights at the real sizes.
 *
 *     npm run -s bench:encoder -- [--json] [--model 110m,0.6b-v3] [--dtype float32,bfloat16,int8]
 *                                 [--what encoder,endToEnd,stream] [--seconds 10,30] [--push 0.1,0.5,1] [--rounds 3]
 *                                 [--threads 2] [--peers onnxInt8,sherpaInt8,… | none] [--loud] [--quick]
 *
 * Ours and the peers take turns, round after round; a figure is the median. `x` is seconds of audio per second, `ratio` how many
 * times faster we are, `shareOfBound` the time that oneDNN itself needs for the encoder's weights over the time that we need.
 *
 * Peers, `null` where they are not installed:
 *   mlx                                our encoder on MLX's own operations: `node scripts/install.mjs --plain-mlx` builds it
 *   parakeetMlx, parakeetMlxOpenblas   parakeet-mlx 0.7.0 in bfloat16; the second with libopenblas.so.0 loaded before it
 *   onnxFloat32, onnxInt8              ONNX Runtime, on the same weights; int8: products only, per channel
 *   sherpaInt8                         sherpa-onnx, audio to text
 * They run in PARAKEET_BENCH_PYTHON (default python3), with `pip install parakeet-mlx==0.7.0 onnx onnxruntime sherpa-onnx`.
 * `--quick`: the 110m size, ten seconds, one round, no peers, unless other options say so; less than a minute.
 * `--what stream` feeds our streams and parakeet-mlx's (context 256/256, steps of a second) and takes minutes.
 */
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { presets } from 'parakeet-stream';
import { Peer } from './peers/peer.mjs';
import { findOpenblas, python } from './peers.mjs';
import { median } from './quantile.mjs';
import { cacheFolder, randomModel, sizes } from './random-model.mjs';

const here = path.dirname(fileURLToPath(import.meta.url));
const root = path.dirname(here);
const { values } = parseArgs({
  options: {
    json: { type: 'boolean' },
    loud: { type: 'boolean' },
    quick: { type: 'boolean' },
    peers: { type: 'string' },
    model: { type: 'string' },
    dtype: { type: 'string', default: 'float32,bfloat16,int8' },
    what: { type: 'string', default: 'encoder,endToEnd' },
    seconds: { type: 'string' },
    push: { type: 'string', default: '0.1,0.5,1' },
    rounds: { type: 'string' },
    threads: { type: 'string', default: String(os.availableParallelism()) },
  },
});
const list = (text) => text.split(',').filter(Boolean);
for (const what of list(values.what)) {
  if (!['encoder', 'endToEnd', 'stream'].includes(what))
    throw new Error(`Expected encoder, endToEnd or stream for --what but received ${what}`);
}
const usual = values.quick
  ? { peers: 'none', model: '110m', seconds: '10', rounds: '1' }
  : { peers: 'all', model: '110m,0.6b-v3', seconds: '10,30', rounds: '3' };
for (const [option, value] of Object.entries(usual)) values[option] ??= value;
const rounds = Number(values.rounds);
const { threads, loud } = values;

/** 12.5 frames a second, 100 mel frames a second. */
const FRAMES = 12.5;
const MEL_FRAMES = 100;
/** Seconds that a stream is fed: twice the lookahead of contextSize [256, 256]. */
const STREAM_SECONDS = 42;
/** Frames of a step of the streams: one second. */
const STREAM_CHUNK = 13;

/** What each peer can be asked. */
const abilities = {
  mlx: ['encoder'],
  parakeetMlx: ['encoder', 'endToEnd'],
  parakeetMlxOpenblas: ['encoder', 'endToEnd', 'stream'],
  onnxFloat32: ['encoder'],
  onnxInt8: ['encoder'],
  sherpaInt8: ['endToEnd'],
};

const work = mkdtempSync(path.join(os.tmpdir(), 'parakeet-bench-'));
const rows = [];
const details = [];
try {
  for (const name of list(values.model)) await measureModel(name);
} finally {
  rmSync(work, { recursive: true, force: true });
}
if (values.json) console.log(JSON.stringify(rows));
else printAll();

async function measureModel(name) {
  const folder = randomModel(name);
  const ours = new Map();
  for (const dtype of list(values.dtype)) {
    const [command, args, env] = ourCommand(folder, dtype);
    const peer = await Peer.start(command, args, { env, loud: true });
    if (peer === null) throw new Error(`Expected ${dtype} to load; see the message above`);
    ours.set(dtype, peer);
  }
  const peers = await startPeers(name, folder);
  for (const what of list(values.what)) {
    const lengths = what === 'stream' ? [STREAM_SECONDS] : list(values.seconds).map(Number);
    const pushes = what === 'stream' ? list(values.push).map(Number) : [null];
    for (const seconds of lengths) {
      for (const push of pushes) await measure({ name, what, seconds, push, ours, peers });
    }
  }
  if (list(values.what).includes('stream')) await measurePresets(name, ours);
  for (const peer of [...ours.values(), ...Object.values(peers)]) await peer?.close();
}

/** All sides of one kind of job take turns. */
async function measure({ name, what, seconds, push, ours, peers }) {
  const job = makeJob(name, what, seconds, push);
  const able = Object.entries(peers).filter(([peer]) => abilities[peer].includes(what));
  const times = new Map([...ours.keys(), ...able.map(([peer]) => peer)].map((side) => [side, []]));
  const answers = new Map();
  const bounds = new Map(what === 'encoder' ? [...ours.keys()].map((dtype) => [dtype, []]) : []);
  const boundJob = { what: 'bound', rows: Math.round(seconds * FRAMES) };
  if (what === 'encoder') await compare(name, job, ours, able);
  // The reference's streams take minutes: once is enough for a ratio of ten.
  const turns = what === 'stream' ? 1 : rounds;
  for (let turn = 0; turn < turns; turn++) {
    for (const [side, peer] of [...ours, ...able]) {
      if (peer === null) continue;
      // ONNX Runtime's threads spin for a while when idle: nothing else is measured meanwhile.
      await sleep(300);
      const answer = await peer.run({ ...job, watched: turn === turns - 1 });
      if (answer === undefined) continue;
      times.get(side).push(answer.seconds);
      answers.set(side, answer);
      // At the same time: on a shared machine the speed of the cores varies.
      if (bounds.has(side)) bounds.get(side).push((await peer.run(boundJob)).seconds);
    }
  }
  for (const [dtype, peer] of ours) {
    const own = median(times.get(dtype));
    const ratio = Object.fromEntries(
      Object.keys(abilities).map((side) => {
        const theirs = times.get(side);
        return [side, theirs?.length ? round(median(theirs) / own) : null];
      }),
    );
    const row = { model: name, dtype, what, seconds, push, x: round(seconds / own), ratio };
    rows.push({ ...row, shareOfBound: bounds.has(dtype) ? round(median(bounds.get(dtype)) / own) : null });
    details.push({ ...row, answer: answers.get(dtype), ready: peer.ready });
  }
}

/** A peer must compute the same thing. */
async function compare(name, job, ours, able) {
  const frames = async (peer) => {
    const output = path.join(work, 'frames.f32');
    if ((await peer.run({ ...job, output })) === undefined) return undefined;
    const bytes = readFileSync(output);
    rmSync(output);
    return new Float32Array(bytes.buffer, bytes.byteOffset, bytes.byteLength / 4);
  };
  const expected = await frames(ours.values().next().value);
  for (const [side, peer] of able) {
    if (peer === null) continue;
    const actual = await frames(peer);
    if (actual === undefined) throw new Error(`Expected frames from ${side} but it ended; see --loud`);
    let error = 0;
    let size = 0;
    for (let i = 0; i < expected.length; i++) {
      error += (actual[i] - expected[i]) ** 2;
      size += expected[i] ** 2;
    }
    const relative = Math.sqrt(error / size);
    if (!values.json) console.log(`${name}: ${side} strays from ours by ${(100 * relative).toFixed(2)} %`);
    if (actual.length !== expected.length || !(relative < 0.25)) {
      throw new Error(`Expected ${side} to compute what we do, but its frames stray by ${relative}`);
    }
  }
}

/** Cost of the live presets, pushes of 100 ms. */
async function measurePresets(name, ours) {
  for (const [dtype, peer] of ours) {
    for (const [latency, { chunk, lookahead }] of Object.entries(presets)) {
      const { input } = makeJob(name, 'stream', 20, 0.1);
      const { seconds } = await peer.run({ what: 'stream', input, push: 1600, latency });
      details.push({
        model: name,
        dtype,
        latency,
        framesPerFrame: (chunk + lookahead) / chunk,
        x: round(20 / seconds),
      });
    }
  }
}

function makeJob(name, what, seconds, push) {
  const rows = seconds * MEL_FRAMES;
  const values = new Float32Array(what === 'encoder' ? rows * sizes[name].features : seconds * 16_000);
  let state = 1;
  for (let i = 0; i < values.length; i++) {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    const noise = state / 2 ** 31 - 1;
    values[i] = what === 'encoder' ? 1.7 * noise : 0.1 * noise * (1 + Math.sin(i / 1500));
  }
  const input = path.join(work, `${what}-${seconds}-${name}.f32`);
  if (!existsSync(input)) writeFileSync(input, new Uint8Array(values.buffer));
  return {
    what,
    input,
    rows,
    chunk: STREAM_CHUNK,
    ...(push === null ? {} : { push: Math.round(push * 16_000) }),
  };
}

function ourCommand(folder, dtype, env = {}) {
  return [process.execPath, [path.join(here, 'peers', 'ours.mjs'), folder, dtype, threads], env];
}

async function startPeers(name, folder) {
  const graphs = path.join(cacheFolder, `${name}-onnx`);
  const script = (file, ...args) => [python(), [path.join(here, 'peers', file), ...args]];
  // On Linux, `pip install parakeet-mlx` brings MLX without its library; ours is the same version.
  const library = [path.join(root, 'vendor', 'mlx', 'lib'), process.env.LD_LIBRARY_PATH]
    .filter(Boolean)
    .join(':');
  const mlxEnv = { LD_LIBRARY_PATH: library, OPENBLAS_NUM_THREADS: threads };
  const plain = path.join(root, 'build-mlx', 'Release', 'parakeet.node');
  const openblas = findOpenblas();
  const commands = {
    mlx: existsSync(plain) ? ourCommand(folder, 'float32', { PARAKEET_ADDON: plain }) : null,
    parakeetMlx: [...script('parakeet_mlx_peer.py', folder), mlxEnv],
    parakeetMlxOpenblas: openblas
      ? [...script('parakeet_mlx_peer.py', folder), { ...mlxEnv, LD_PRELOAD: openblas }]
      : null,
    onnxFloat32: script('onnx_peer.py', folder, graphs, 'float32', threads),
    onnxInt8: script('onnx_peer.py', folder, graphs, 'int8', threads),
    sherpaInt8: script('sherpa_peer.py', folder, graphs, threads),
  };
  const wanted = (peer) => values.peers === 'all' || list(values.peers).includes(peer);
  const started = {};
  for (const [peer, command] of Object.entries(commands))
    started[peer] = command && wanted(peer) ? await start(command) : null;
  return started;
}

function start([command, args, env]) {
  return Peer.start(command, args, { env, loud });
}

function round(value) {
  return Number(value.toPrecision(3));
}

function printAll() {
  const peers = Object.keys(abilities);
  console.log(
    `\nseconds of audio per second (x), and how many times faster than each peer; ${threads} threads`,
  );
  console.log(['model', 'dtype', 'what', 's', 'push', 'x', 'bound', ...peers].map(cell).join(''));
  for (const { model, dtype, what, seconds, push, x, shareOfBound, ratio } of rows) {
    const share = shareOfBound === null ? '–' : `${Math.round(100 * shareOfBound)} %`;
    const others = peers.map((peer) => (ratio[peer] === null ? '–' : `${ratio[peer]} ×`));
    console.log([model, dtype, what, seconds, push ?? '–', x, share, ...others].map(cell).join(''));
  }
  console.log(
    '\nmilliseconds of CPU per second of audio, by part; memory in MiB; the event loop at its worst, in ms',
  );
  const parts = ['mel', 'subsampling', 'feedForward', 'attention', 'convolution', 'decoder', 'javascript'];
  const memory = ['all', 'load s', 'loaded', 'loading', 'steady', 'loop ms'];
  console.log(['model', 'dtype', 'what', 's', ...parts, ...memory].map(cell).join(''));
  for (const { model, dtype, what, seconds, answer, ready } of details.filter((one) => one.answer)) {
    const costs = parts.map((part) => (1000 * answer.parts[part]) / seconds).map((ms) => ms.toFixed(2));
    const all = ((1000 * answer.cpuSeconds) / seconds).toFixed(1);
    const rest = [ready.loadSeconds.toFixed(2), ready.loadedMiB, ready.loadPeakMiB, answer.resident];
    console.log(
      [model, dtype, what, seconds, ...costs, all, ...rest, answer.eventLoopMs.toFixed(1)].map(cell).join(''),
    );
  }
  const presets = details.filter((one) => one.latency);
  if (presets.length > 0) console.log('\nlive presets: frames encoded for each frame that becomes final');
  for (const { model, dtype, latency, framesPerFrame, x } of presets) {
    console.log([model, dtype, latency, framesPerFrame.toFixed(2), `x ${x}`].map(cell).join(''));
  }
}

function cell(value) {
  const text = String(value);
  return text.padEnd(Math.max(12, text.length + 1));
}
