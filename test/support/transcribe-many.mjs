/** Transcribes recordings into a folder, for tests that kill it: node transcribe-many.mjs FOLDER RECORDING… */
import { localQueue, transcribeMany } from '../../dist/many/index.js';

const [folder, ...recordings] = process.argv.slice(2);
const queue = localQueue({ journal: folder });
const windows = { duration: 4, overlap: 1 };
for await (const { status } of transcribeMany(recordings, { queue, windows, outputs: { to: folder } }))
  process.stdout.write(`${status}\n`);
await queue.close();
