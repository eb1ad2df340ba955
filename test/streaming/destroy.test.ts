/** Streams that are given up while the engine works for them: nobody else, and no later work, may suffer. */
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { bundledModel } from '../../src/bundled-model.js';
import { loadModel } from '../../src/load-model.js';
import type { Model } from '../../src/model.js';
import { noise } from '../support/signals.js';

let model: Model;
beforeAll(async () => {
  model = await loadModel(bundledModel());
});
afterAll(() => model.close());

test('closed in the middle of steps, over and over, beside others that go on', {
  timeout: 60_000,
}, async () => {
  const samples = noise(16_000 * 2, 0.1);
  let finished = 0;
  // Each batch frame limit alone: a step that runs by itself is the one that is given up between its layers.
  model.addon.setBatchFrames(1);
  try {
    const giveUp = async (delay: number) => {
      const live = model.transcribeStream({ latency: 'low' });
      const adding = live.addAudio(samples).catch(() => {});
      await new Promise((resolve) => setTimeout(resolve, delay));
      await live.close();
      await adding;
    };
    const goOn = async () => {
      const live = model.transcribeStream({ latency: 'low' });
      await live.addAudio(samples);
      await live.finish();
      finished++;
    };
    for (let round = 0; round < 25; round++) {
      await Promise.all([giveUp(round % 13), giveUp((round * 7) % 29), giveUp((round * 3) % 17), goOn()]);
    }
  } finally {
    model.addon.setBatchFrames(256);
  }
  expect(finished).toBe(25);
  // The engine's thread counts down a moment after it has given its answer.
  await vi.waitFor(() =>
    expect(model.addon.counts()).toEqual({ models: 1, sessions: 0, queued: 0, calls: 0 }),
  );
});
