// Goes on from a snapshot in a process of its own: the model's folder, the snapshot's file, the rest of the audio (float32); prints
// the tokens as JSON.
import { readFileSync } from 'node:fs';
import { loadModel } from 'parakeet-stream';

const [folder, snapshot, audio] = process.argv.slice(2);
const model = await loadModel(folder, { threads: 1 });
const live = model.transcribeStream({ from: readFileSync(snapshot) });
const bytes = readFileSync(audio);
await live.addAudio(new Float32Array(bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.length)));
console.log(JSON.stringify((await live.finish()).tokens));
await model.close();
