// Run by a test in a process of its own: ten worker threads at once load a model, run it and end; three of them are terminated while
// the engine works for them, one of those while it loads. Argument: the model's folder. Prints what became of each. Must end by itself.
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
    if (index !== 1) await new Promise((resolve) => worker.once('message', resolve));
    await sleep(Math.random() * (index === 1 ? 400 : 60));
    await worker.terminate();
  }
  const code = await ended;
  return `${index} ${cut ? 'cut' : `${last} ${code}`}`;
}

console.log((await Promise.all(Array.from({ length: 10 }, (_, index) => run(index)))).join('\n'));
