// Only a push that can make a step due asks the engine (native/engine/step_grid.h), and no step is missed by that.
import fc from 'fast-check';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { NativeEncoder, NativeEncoderOptions, NativeTicket } from '../../src/engine/addon.js';
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
  expect(await encoder.step()).toBeNull();
  expect(encoder.step()).toBeNull(); // and not a promise: the flush is done
  await encoder.close();
});

test('what is closed says so', async () => {
  const encoder = model.native.createEncoder(options({}));
  await encoder.close();
  await expect(encoder.step()).rejects.toMatchObject({ name: 'AbortError' });
});

/** All steps that are due. */
async function steps(encoder: NativeEncoder): Promise<Omit<NativeTicket, 'computeSeconds'>[]> {
  const all = [];
  for (;;) {
    const step = await encoder.step();
    if (!step) return all;
    const { computeSeconds: _, ...rest } = step;
    all.push(rest);
  }
}

test('no step is missed, whatever is pushed, flushed and slept through', async () => {
  const act = fc.oneof(
    { weight: 8, arbitrary: fc.record({ frames: fc.nat(30), loud: fc.boolean() }) },
    { weight: 1, arbitrary: fc.constant('flush' as const) },
  );
  const kinds = fc.record({
    chunk: fc.integer({ min: 1, max: 5 }),
    lookahead: fc.nat(4),
    gate: fc.boolean(),
    grow: fc.integer({ min: 1, max: 3 }),
  });
  await fc.assert(
    fc.asyncProperty(kinds, fc.array(act, { maxLength: 20 }), async (kind, acts) => {
      const encoder = model.native.createEncoder(options(kind));
      // Restored sessions ask the engine every time.
      const asking = model.native.createEncoder(options(kind));
      await asking.load(await asking.save());
      let frames = 0;
      for (const one of [...acts, 'end' as const]) {
        for (const each of [encoder, asking]) {
          if (one === 'end') each.finish(frames * model.info.hop);
          else if (one === 'flush') each.flush(8);
          else each.push(mel(one.frames, one.loud));
        }
        if (typeof one === 'object') frames += one.frames;
        expect(await steps(encoder)).toEqual(await steps(asking));
      }
      await Promise.all([encoder.close(), asking.close()]);
    }),
    { numRuns: 40 },
  );
});
