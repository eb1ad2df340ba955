/** A worker as a process, for tests that kill it: node queue-worker.mjs URL TAKEOVER. A line for each job that is over. */
import { loadModel } from '../../dist/index.js';
import { startWorker } from '../../dist/many/index.js';

const [url, takeover, dtype = 'auto'] = process.argv.slice(2);
const model = await loadModel(undefined, { dtype });
const onJob = ({ kind, status }) => process.stdout.write(`${kind} ${status}\n`);
const worker = await startWorker({ url, model, takeover: Number(takeover), onJob });
process.stdout.write('ready\n');
process.once('SIGTERM', async () => {
  await worker.stop();
  await model.close();
});
