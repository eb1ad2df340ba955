/**
 * A program of its own for the promise `threads-and-exit`: a worker thread and the main thread transcribe at once, then both end with a
 * stream open. The process must end by itself.
 */
import { isMainThread, parentPort, Worker } from 'node:worker_threads';

const module = process.argv[2];
const { default: adapterOf } = await import(module);
const adapter = await adapterOf();

const session = adapter.open();
for (let at = 0; at < adapter.speech.length; at += 8000)
  await session.push(adapter.speech.slice(at, at + 8000));
const text = (await session.finish()).map((token) => token.text).join('');
const open = adapter.open();
await open.push(adapter.speech);

if (isMainThread) {
  const worker = new Worker(new URL(import.meta.url), { argv: [module] });
  worker.once('message', (heard) => console.log('worker', heard === text && text !== '' ? 'same' : heard));
} else {
  parentPort.postMessage(text);
}
