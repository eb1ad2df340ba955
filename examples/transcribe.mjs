/**
 * A sound file to text, with the times of its sentences, in one promise.
 *
 *     node examples/transcribe.mjs talk.wav
 */
import { loadModel } from 'parakeet-stream';

const [sound] = process.argv.slice(2);
if (sound === undefined) throw new Error('Usage: node examples/transcribe.mjs SOUND');

const model = await loadModel();
const result = await model.transcribe(sound);
for (const { start, end, text, confidence } of result.sentences) {
  console.log(`${start.toFixed(2)}–${end.toFixed(2)} s (${Math.round(100 * confidence)} %)  ${text}`);
}
await model.close();
