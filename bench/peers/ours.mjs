/**
 * Our side of bench/encoder.mjs, in a process of its own as the peers are: the same jobs (bench/peers/serve.py), and besides
 * seconds what only we can report: CPU by part, memory, load time. PARAKEET_ADDON picks the build.
 *
 *     node bench/peers/ours.mjs MODEL_FOLDER DTYPE THREADS
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { monitorEventLoopDelay } from 'node:perf_hooks';
import { createInterface } from 'node:readline';
import { loadModel } from 'parakeet-stream';
import { productSeconds } from '../layer-products.mjs';

const [folder, dtype, threads] = process.argv.slice(2);
const began = performance.now();
const model = await loadModel(folder, { dtype, threads: Number(threads) });
const { addon, native, info } = model;
say({
  ready: true,
  loadSeconds: (performance.now() - began) / 1000,
  loadedMiB: memory().resident,
  loadPeakMiB: memory().peak,
});

const work = {
  async encoder({ input, rows, output }) {
    const data = floats(input);
    const start = performance.now();
    const encoded = await native.encode(data, rows, [-1, -1], 0);
    const seconds = (performance.now() - start) / 1000;
    if (output) writeFileSync(output, new Uint8Array(encoded.data.buffer));
    return seconds;
  },
  async endToEnd({ input }) {
    const samples = floats(input);
    const start = performance.now();
    await model.transcribe(samples);
    return (performance.now() - start) / 1000;
  },
  async stream({ input, push, chunk, latency }) {
    const samples = floats(input);
    const options = latency ? { latency } : { contextSize: [256, 256], chunk };
    const start = performance.now();
    const live = model.transcribeStream(options);
    for (let at = 0; at < samples.length; at += push) await live.addAudio(samples.subarray(at, at + push));
    const seconds = (performance.now() - start) / 1000;
    await live.close();
    return seconds;
  },
};

/** Seconds that the bare products of the layers' weights with `rows` frames need, at their best in some tenths of a second. */
function bound({ rows }) {
  return productSeconds(addon, info, dtype, rows, { seconds: 0.03 });
}

async function watched(job) {
  addon.profile(true);
  const delay = monitorEventLoopDelay({ resolution: 1 });
  delay.enable();
  const cpu = process.cpuUsage();
  const thread = performance.eventLoopUtilization();
  await work[job.what]({ ...job, output: undefined });
  const { user, system } = process.cpuUsage(cpu);
  delay.disable();
  const loop = performance.eventLoopUtilization(thread);
  const parts = addon.profile();
  addon.profile(false);
  return {
    cpuSeconds: (user + system) / 1e6,
    parts: { ...parts, javascript: loop.active / 1000 },
    eventLoopMs: delay.max / 1e6,
    ...memory(),
  };
}

for await (const line of createInterface({ input: process.stdin })) {
  const job = JSON.parse(line);
  if (job.what === 'bound') {
    say({ seconds: await bound(job) });
    continue;
  }
  const seconds = await work[job.what](job);
  // Observing takes time itself: the first run is timed, a second one observed.
  say({ seconds, ...(job.watched ? await watched(job) : {}) });
}
await model.close();

function floats(file) {
  const bytes = readFileSync(file);
  return new Float32Array(bytes.buffer, bytes.byteOffset, bytes.byteLength / 4).slice();
}

/** MiB; Linux only tells the peak. */
function memory() {
  const resident = Math.round(process.memoryUsage.rss() / 2 ** 20);
  return { resident, peak: Math.round(process.resourceUsage().maxRSS / 1024) };
}

function say(object) {
  process.stdout.write(`${JSON.stringify(object)}\n`);
}
