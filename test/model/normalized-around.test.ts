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

/** The mean over the bands of ln(power), without the guard. */
const loudness = (row: Float32Array) =>
  row.reduce((sum, value) => sum + Math.log(Math.max(0, Math.exp(value) - 2 ** -24) + 1e-12), 0) / row.length;

const mean = (values: readonly number[]) => values.reduce((sum, value) => sum + value, 0) / values.length;

/** The rows, and for each the indices of the 16 s of sound around it. */
function rowsOf({ data, frames, features }: LogMelFrames) {
  const rows = Array.from({ length: frames }, (_, m) => data.subarray(m * features, (m + 1) * features));
  const sounding = rows.flatMap((row, m) => (row.some((value) => Math.abs(value - FLOOR) > 1e-4) ? [m] : []));
  const around = (m: number) => {
    const at = sounding.findIndex((one) => one >= m);
    const middle = at < 0 ? sounding.length : at;
    const begin = Math.max(0, Math.min(middle - FRAMES / 2, sounding.length - FRAMES));
    return sounding.slice(begin, begin + FRAMES);
  };
  return { rows, around };
}

/** Each frame as if the sound around it were at least as loud as −9.3. */
function levelled(mel: LogMelFrames): LogMelFrames {
  const { rows, around } = rowsOf(mel);
  const levels = rows.map(loudness);
  const data = rows.flatMap((row, m) => {
    const gain = -9.3 - mean(around(m).map((one) => levels[one] as number));
    const louder = (value: number) =>
      Math.log(Math.max(0, Math.exp(value) - 2 ** -24) * Math.exp(gain) + 2 ** -24);
    return [...(gain > 0 ? row.map(louder) : row)];
  });
  return { ...mel, data: Float32Array.from(data) };
}

function normalized(mel: LogMelFrames): LogMelFrames {
  const { rows, around } = rowsOf(mel);
  const data = rows.flatMap((row, m) => {
    const others = around(m).map((one) => rows[one] as Float32Array);
    return Array.from(row, (value, f) => {
      const average = mean(others.map((one) => one[f] as number));
      const squares = others.reduce((sum, one) => sum + ((one[f] as number) - average) ** 2, 0);
      return (value - average) / (Math.sqrt(squares / (others.length - 1)) + 1e-5);
    });
  });
  return { ...mel, data: Float32Array.from(data) };
}

test('each frame by the 16 s of sound around it, digital silence left out, quiet sound levelled', async () => {
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
  const mel = normalized(levelled(await model.computeLogMel(samples)));
  const expected = await model.generate(mel, { normalize: false });
  // `generate` decodes greedily.
  const heard = await model.transcribe(samples, { silence: { flush: 0 }, decoding: { type: 'greedy' } });
  expect(expected.tokens.length).toBeGreaterThan(40);
  expect(heard.tokens.map(({ id }) => id)).toEqual(expected.tokens.map(({ id }) => id));
  heard.tokens.forEach(({ confidence }, i) => {
    expect(Math.abs(confidence - (expected.tokens[i]?.confidence ?? 0))).toBeLessThan(1e-3);
  });
});
