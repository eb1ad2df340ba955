// A worker thread of a test: loads a model, runs it `rounds` times, frees it. Says 'loaded' and 'done'.
import { parentPort, workerData } from 'node:worker_threads';
import { loadModel } from '../../dist/index.js';

const { folder, rounds } = workerData;
const noise = Float32Array.from({ length: 16_000 * 2 }, () => Math.random() - 0.5);

const model = await loadModel(folder);
parentPort.postMessage('loaded');
for (let round = 0; round < rounds; round++) {
  await model.transcribe(noise);
  const live = model.transcribeStream({ latency: 'low' });
  await live.addAudio(noise);
  await live.close();
}
await model.close();
parentPort.postMessage('done');
