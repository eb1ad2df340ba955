// Run by a test in a process of its own: a hundred worker threads, ten at a time, load a model, run it and end; some are
// terminated while the engine works for them, some of those while it loads. Argument: the model's folder. Prints the outcome of
// each. Must exit by itself.
import { setTimeout as sleep } from 'node:timers/promises';
import { Worker } from 'node:worker_threads';

const folder = process.argv[2];

async function run(index) {
  const cut = index % 3 === 1;
  const worker = new Worker(new URL('./run-in-worker.mjs', import.meta.url), {
    workerData: { folder, rounds: cut ? 1e9 : 2 },
  });
  let last = 'nothing';
  worker.on('message', (message) => {
    last = message;
  });
  const ended = new Promise((resolve, reject) => worker.once('exit', resolve).once('error', reject));
  if (cut) {
    const loading = index % 9 === 1;
    if (!loading) await new Promise((resolve) => worker.once('message', resolve));
    await sleep(Math.random() * (loading ? 400 : 60));
    await worker.terminate();
  }
  const code = await ended;
  return `${index} ${cut ? 'cut' : `${last} ${code}`}`;
}

const ends = [];
let next = 0;
const loop = async () => {
  for (let index = next++; index < 100; index = next++) ends[index] = await run(index);
};
await Promise.all(Array.from({ length: 10 }, loop));
console.log(ends.join('\n'));
