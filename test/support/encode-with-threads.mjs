// Run by a test in a process of its own, since the first model loaded decides the threads: writes the encoder's frames of a fixed
// signal to stdout, as float32.
import { loadModel } from 'parakeet-stream';

const model = await loadModel(undefined, { dtype: 'float32', threads: Number(process.argv[2]) });
const samples = new Float32Array(8 * model.info.sampleRate);
for (let i = 0; i < samples.length; i++) samples[i] = 0.1 * Math.sin(0.05 * i + 3e-6 * i * i);
const mel = await model.native.logMel(samples);
const features = await model.native.normalize(mel.data, mel.rows);
const encoded = await model.native.encode(features.data, features.rows, [-1, -1], 0);
await model.close();
process.stdout.write(new Uint8Array(encoded.data.buffer, encoded.data.byteOffset, encoded.data.byteLength));
