// Run by a test in a process of its own: ends the process while the engine works. Arguments: a model's folder, what runs
// ('load', 'transcribe', 'stream' or 'worker'), milliseconds until the exit, the exit code.
import { Worker } from 'node:worker_threads';
import { loadModel } from '../../dist/index.js';

const [folder, what, milliseconds, code] = process.argv.slice(2);

const noise = Float32Array.from({ length: 16_000 * 30 }, () => Math.random() - 0.5);
const nothing = () => {};

/** Ends the process from inside JavaScript that does not wait for anything, so that the engine is at work. */
function exitSoon() {
  const until = performance.now() + Number(milliseconds);
  while (performance.now() < until);
  process.exit(Number(code));
}

if (what === 'load') {
  loadModel(folder).catch(nothing);
  setTimeout(() => process.exit(Number(code)), Number(milliseconds));
} else if (what === 'worker') {
  const worker = new Worker(new URL('./run-in-worker.mjs', import.meta.url), {
    workerData: { folder, rounds: 1e9 },
  });
  worker.once('message', () => setTimeout(() => process.exit(Number(code)), Number(milliseconds)));
} else {
  const model = await loadModel(folder);
  if (what === 'transcribe') {
    for (let i = 0; i < 3; i++) model.transcribe(noise).catch(nothing);
  } else {
    for (let i = 0; i < 3; i++) model.transcribeStream({ latency: 'low' }).addAudio(noise).catch(nothing);
  }
  // The audio is on its way to the engine after a turn of the loop or two.
  setImmediate(() => setImmediate(exitSoon));
}
