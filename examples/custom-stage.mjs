/**
 * A stage of one's own between two of ours: words that the model is unsure of are put in brackets.
 *
 *     node examples/custom-stage.mjs talk.wav
 */
import { createReadStream } from 'node:fs';
import { pipeline } from 'node:stream/promises';
import { loadModel, txtWriter } from 'parakeet-stream';
import { decode, encode, logMel, resample, sentences, tokenDecode } from 'parakeet-stream/stages';

const [sound] = process.argv.slice(2);
if (sound === undefined) throw new Error('Usage: node examples/custom-stage.mjs SOUND');

const model = await loadModel();
await pipeline(
  createReadStream(sound),
  decode(),
  resample(model.info.sampleRate),
  logMel(model),
  encode(model, { latency: 'low' }),
  tokenDecode(model),
  sentences({ maxWords: 12 }),
  bracketDoubts,
  txtWriter(process.stdout),
);
await model.close();

async function* bracketDoubts(events) {
  for await (const event of events) {
    if (event.type === 'sentence') {
      const words = event.sentence.words.map(({ text, confidence }) =>
        confidence < 0.7 ? `[${text}]` : text,
      );
      yield { ...event, sentence: { ...event.sentence, text: words.join(' ') } };
    } else {
      yield event;
    }
  }
}
