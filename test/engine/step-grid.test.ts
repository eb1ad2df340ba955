// Only a push that can make a step due asks the engine (native/engine/step_grid.h). That no step is missed by that is tested without
// Node (native/test/grid_test.cpp).
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { NativeEncoderOptions } from '../../src/engine/addon.js';
import { loadModel } from '../../src/load-model.js';
import type { Model } from '../../src/model.js';
import { goldenFolder } from '../support/goldens.js';
import { expectNothingAliveAtTheEnd } from '../support/nothing-alive.js';

expectNothingAliveAtTheEnd();

let model: Model;
beforeAll(async () => {
  model = await loadModel(goldenFolder('tdt'), { threads: 1 });
});
afterAll(() => model.close());

const options = (more: Partial<NativeEncoderOptions>): NativeEncoderOptions => ({
  chunk: 2,
  lookahead: 1,
  context: [8, -1],
  cache: 8,
  normalization: 'running',
  emissionDelay: 4,
  hangover: 16,
  gate: false,
  history: 0,
  grow: 1,
  recall: [-1, -1],
  ...more,
});

/** Mel frames of noise, or of digital silence. */
const mel = (frames: number, loud: boolean) =>
  new Float32Array(frames * model.info.features).map((_, i) =>
    loud ? -4 + 3 * Math.sin(i * i) : Math.log(2 ** -24),
  );

test('a push that completes no step is answered at once', async () => {
  const encoder = model.native.createEncoder(options({}));
  const factor = model.info.subsamplingFactor;
  expect(encoder.step()).toBeNull();
  encoder.push(mel(3 * factor - 1, true));
  expect(encoder.step()).toBeNull();
  encoder.push(mel(1, true));
  expect(await encoder.step()).toMatchObject({ firstFrame: 0, final: 2, draft: 1 });
  expect(encoder.step()).toBeNull();
  encoder.flush(0);
  expect(await encoder.step()).toMatchObject({ firstFrame: 2, final: 1, draft: 0 });
  expect(encoder.step()).toBeNull(); // and not a promise: the flush is done
  encoder.finish(3 * factor * model.info.hop);
  expect(await encoder.step()).toMatchObject({ firstFrame: 3, final: 0, draft: 0 });
  expect(encoder.step()).toBeNull();
  await encoder.close();
});

test('frames can be given with the question', async () => {
  const encoder = model.native.createEncoder(options({}));
  const factor = model.info.subsamplingFactor;
  expect(encoder.step(mel(3 * factor - 1, true))).toBeNull();
  expect(await encoder.step(mel(1, true))).toMatchObject({ firstFrame: 0, final: 2, draft: 1 });
  expect(() => encoder.push({ rows: 1, data: () => mel(1, true) })).toThrow(/Float32Array/);
  await expect(encoder.step(new Float32Array(1))).rejects.toThrow(/features but received 1 values/);
  await encoder.close();
});

test('a restored stream knows where it is: pushes that complete no step are answered at once', async () => {
  const factor = model.info.subsamplingFactor;
  const saved = model.native.createEncoder(options({ lookahead: 0 }));
  saved.push(mel(factor, true));
  const state = await saved.save();
  await saved.close();
  const second = model.native.createEncoder(options({ lookahead: 0 }));
  const loading = second.load(state);
  const unknown = second.step(); // Where it is, is not known yet.
  expect(unknown).toBeInstanceOf(Promise);
  await loading;
  expect(await unknown).toBeNull();
  expect(second.step(mel(factor - 1, true))).toBeNull();
  expect(await second.step(mel(1, true))).toMatchObject({ firstFrame: 0, final: 2 });
  expect(second.step()).toBeNull();
  await second.close();
});

test('a stream that is restored in the middle of a flush goes on with it', async () => {
  const factor = model.info.subsamplingFactor;
  const first = model.native.createEncoder(options({}));
  first.push(mel(2 * factor, true));
  first.flush(0);
  const state = await first.save();
  await first.close();
  const second = model.native.createEncoder(options({}));
  await second.load(state);
  expect(await second.step()).toMatchObject({ firstFrame: 0, final: 2 });
  expect(second.step()).toBeNull();
  await second.close();
});

test('what is closed says so', async () => {
  const encoder = model.native.createEncoder(options({}));
  await encoder.close();
  await expect(encoder.step()).rejects.toMatchObject({ name: 'AbortError' });
});
