// How a whole recording is normalised: each frame by the sixteen seconds of sound around it (native/model/normalization.h), here
// written down as it is meant.
import path from 'node:path';
import { expect, test } from 'vitest';
import { readSamples } from '../../bench/recordings.mjs';
import { type LogMelFrames, loadModel } from '../../src/index.js';

const audio = path.join(import.meta.dirname, '..', 'audio');
const FRAMES = 1600;
/** ln 2⁻²⁴: a frame of nothing else is digital silence. */
const FLOOR = Math.log(2 ** -24);

function normalized({ data, frames, features }: LogMelFrames): LogMelFrames {
  const row = (m: number) => data.subarray(m * features, (m + 1) * features);
  const sounding = Array.from({ length: frames }, (_, m) => m).filter((m) =>
    row(m).some((value) => Math.abs(value - FLOOR) > 1e-4),
  );
  const out = new Float32Array(data.length);
  for (let m = 0; m < frames; m++) {
    const at = sounding.findIndex((one) => one >= m);
    const middle = at < 0 ? sounding.length : at;
    const begin = Math.max(0, Math.min(middle - FRAMES / 2, sounding.length - FRAMES));
    const around = sounding.slice(begin, begin + FRAMES).map(row);
    for (let f = 0; f < features; f++) {
      const mean = around.reduce((sum, one) => sum + (one[f] as number), 0) / around.length;
      const squares = around.reduce((sum, one) => sum + ((one[f] as number) - mean) ** 2, 0);
      const deviation = Math.sqrt(squares / (around.length - 1));
      out[m * features + f] = ((row(m)[f] as number) - mean) / (deviation + 1e-5);
    }
  }
  return { data: out, frames, features };
}

test('each frame by the 16 s of sound around it, digital silence left out', async () => {
  await using model = await loadModel(undefined, { dtype: 'float32' });
  const pieces = await Promise.all(
    ['jfk.flac', 'librispeech-dev-clean_2412-153948-0000.flac'].map((name) =>
      readSamples(path.join(audio, name), model.info.sampleRate),
    ),
  );
  const [first, second] = pieces as [Float32Array, Float32Array];
  // Other loudness and two seconds of nothing between: whole-recording statistics would be others.
  const silence = 2 * model.info.sampleRate;
  const samples = new Float32Array(first.length + silence + second.length);
  samples.set(first.map((value) => value / 8));
  samples.set(second, first.length + silence);
  const mel = normalized(await model.logMel(samples));
  const expected = await model.generate(mel, { normalize: false });
  const heard = await model.transcribe(samples, { flushSilence: 0 });
  expect(expected.tokens.length).toBeGreaterThan(40);
  expect(heard.tokens.map(({ id }) => id)).toEqual(expected.tokens.map(({ id }) => id));
  heard.tokens.forEach(({ confidence }, i) => {
    expect(Math.abs(confidence - (expected.tokens[i]?.confidence ?? 0))).toBeLessThan(1e-3);
  });
});
