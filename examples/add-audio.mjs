/**
 * Samples from anywhere (a game, a synthesiser, a socket) into a live transcript, without streams.
 *
 *     node examples/add-audio.mjs talk.wav
 */
import { createReadStream } from 'node:fs';
import { loadModel } from 'parakeet-stream';
import { decode, resample } from 'parakeet-stream/stages';

const [sound] = process.argv.slice(2);
if (sound === undefined) throw new Error('Usage: node examples/add-audio.mjs SOUND');

const model = await loadModel();
const live = model.live();
for await (const { channels } of createReadStream(sound)
  .pipe(decode())
  .pipe(resample(model.info.sampleRate))) {
  await live.addAudio(channels[0]);
}
await live.finish();
console.log(live.result.text);
await live.close();
await model.close();
