/**
 * sherpa-onnx's streaming recogniser, through `npm install --no-save sherpa-onnx-node@1.13.8`, on the model in CONFORMANCE_SHERPA_MODEL: one
 * of models/make_streaming_ctc.py, with random weights, or another streaming CTC model in NeMo's shape (model.onnx, tokens.txt).
 */
import { createRequire } from 'node:module';
import path from 'node:path';
import { recording } from '../sound.mjs';

const require = createRequire(import.meta.url);

export default async function sherpa() {
  const { OnlineRecognizer } = require('sherpa-onnx-node');
  const { version } = require('sherpa-onnx-node/package.json');
  const folder = process.env.CONFORMANCE_SHERPA_MODEL;
  if (!folder) throw new Error('Expected a folder in CONFORMANCE_SHERPA_MODEL');
  const sampleRate = 16_000;
  const recognizer = new OnlineRecognizer({
    featConfig: { sampleRate, featureDim: 80 },
    modelConfig: {
      nemoCtc: { model: path.join(folder, 'model.onnx') },
      tokens: path.join(folder, 'tokens.txt'),
      numThreads: 1,
    },
  });
  return {
    name: `sherpa-onnx-node ${version}`,
    module: import.meta.url,
    sampleRate,
    speech: await recording(sampleRate),
    untrained: process.env.CONFORMANCE_SHERPA_TRAINED !== '1',
    open() {
      const stream = recognizer.createStream();
      const run = () => {
        while (recognizer.isReady(stream)) recognizer.decode(stream);
      };
      const tokens = () => {
        const { tokens: texts, timestamps } = recognizer.getResult(stream);
        // It gives no ends: a token is as long as a frame.
        return texts.map((text, i) => ({ text, start: timestamps[i], end: timestamps[i] }));
      };
      return {
        async push(samples) {
          stream.acceptWaveform({ samples, sampleRate });
          run();
        },
        finals: tokens,
        async finish() {
          // What its examples do: silence that fills the last window.
          stream.acceptWaveform({ samples: new Float32Array(sampleRate), sampleRate });
          stream.inputFinished();
          run();
          return tokens();
        },
        // Nothing can be closed: the garbage collector frees it.
        close: async () => {},
      };
    },
    close: async () => {},
  };
}
