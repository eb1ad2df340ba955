import { afterAll, beforeAll, expect, test } from 'vitest';
import { loadModel } from '../../src/load-model.js';
import type { Model } from '../../src/model.js';
import { goldenArray, goldenFolder, maxDifference, readGolden } from '../support/goldens.js';

let model: Model;
beforeAll(async () => {
  model = await loadModel(goldenFolder('tdt'), { threads: 1, dtype: 'float32' });
});
afterAll(() => model.close());

test('log-mel, encoder frames and text by hand are those of the goldens and of transcribe', async () => {
  const golden = readGolden('tdt', 'short');
  const audio = goldenArray(golden, 'audio').data;
  const mel = await model.computeLogMel(audio);
  expect(maxDifference(mel.data, goldenArray(golden, 'log_mel').data)).toBeLessThan(1e-3);
  const encoded = await model.encodeLogMel(mel);
  expect(encoded).toMatchObject({ width: model.info.dModel });
  expect(maxDifference(encoded.data, goldenArray(golden, 'encoded').data)).toBeLessThan(1e-2);
  const features = { ...mel, data: goldenArray(golden, 'features').data };
  const exact = await model.encodeLogMel(features, { normalize: false });
  expect(maxDifference(exact.data, goldenArray(golden, 'encoded').data)).toBeLessThan(1e-4);
  const result = await model.generate(mel);
  const whole = await model.transcribe(audio, { silence: { flush: 0 } });
  expect(result.tokens.map(({ id }) => id)).toEqual(whole.tokens.map(({ id }) => id));
  expect(result.tokens.length).toBeGreaterThan(0);
  const [one, two] = await model.generate([mel, mel]);
  expect(one).toEqual(result);
  expect(two).toEqual(result);
});

test('what makes no sense is refused', async () => {
  const mel = await model.computeLogMel(new Float32Array(8000), 0.5);
  expect(mel.frames).toBe(100);
  await expect(model.computeLogMel([0] as unknown as Float32Array)).rejects.toThrow(/Float32Array/);
  await expect(model.computeLogMel(new Float32Array([Number.NaN]))).rejects.toMatchObject({
    code: 'ERR_PARAKEET_INVALID_AUDIO',
  });
  await expect(model.encodeLogMel({ ...mel, frames: 3 })).rejects.toThrow(/mel features/);
  await expect(model.encodeLogMel({ ...mel, data: mel.data.map(() => Number.NaN) })).rejects.toThrow(
    /finite/,
  );
  await expect(model.encodeLogMel(mel, { attention: [1] as never })).rejects.toThrow(/attention/);
  await expect(model.generate(mel, { sentences: { maxWords: 0 } })).rejects.toThrow(/sentences\.maxWords/);
  await expect(model.generate(mel, { signal: AbortSignal.abort() })).rejects.toMatchObject({
    name: 'AbortError',
  });
});
