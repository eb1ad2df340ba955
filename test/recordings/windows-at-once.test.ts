/** Windows of one recording that are transcribed at the same time, as on a GPU: the result is that of one after the other. */
import { setTimeout as sleep } from 'node:timers/promises';
import { expect, test } from 'vitest';
import type { LoadedModel } from '../../src/model/loaded-model.js';
import { planWindows } from '../../src/recordings/window-plan.js';
import { Windows } from '../../src/recordings/windows.js';

const info = {
  sampleRate: 100,
  hop: 1,
  subsamplingFactor: 10,
  attention: [-1, -1] as [number, number],
  contexts: [],
  prompts: {},
  device: 'gpu',
} as const;
const silence = { gate: false, hangover: 1, flush: 0, emissionDelay: 0 };

/** A model that hears a token in every frame, its number; later windows answer sooner. */
function fakeModel(fails?: number) {
  const seen = { now: 0, most: 0, windows: 0 };
  const transcribe = async (samples: Float32Array) => {
    const window = seen.windows++;
    seen.now++;
    seen.most = Math.max(seen.most, seen.now);
    // The engine copies the samples at once.
    const frames = Math.floor(samples.length / 10);
    const first = Math.round((samples[0] ?? 0) / 10);
    await sleep(Math.max(1, 30 - 5 * window));
    seen.now--;
    if (window === fails) throw new Error('the third window');
    const numbers = Int32Array.from({ length: frames }, (_, i) => i);
    return {
      tokens: {
        ids: numbers.map((i) => first + i),
        starts: numbers,
        durations: numbers.map(() => 1),
        confidences: new Float32Array(frames).fill(1),
      },
      computeSeconds: 1,
    };
  };
  const model = {
    info,
    addon: { cancel() {} },
    jobs: new Set(),
    native: { transcribe },
  } as unknown as LoadedModel;
  return { model, seen };
}

async function hear(atOnce: number, fails?: number, piece = 70) {
  const { model, seen } = fakeModel(fails);
  const plan = { ...planWindows(info, { duration: 10, overlap: 2 }, silence), atOnce };
  const windows = new Windows(model, plan, { head: 'tdt' }, undefined);
  const samples = Float32Array.from({ length: 6000 }, (_, i) => i);
  const ids: number[] = [];
  let error: unknown;
  try {
    for (let at = 0; at < samples.length; at += piece) {
      await windows.push(samples.subarray(at, at + piece));
      ids.push(...windows.take().ids);
    }
    await windows.finish();
  } catch (caught) {
    error = caught;
  }
  ids.push(...windows.take().ids);
  return { ids, most: seen.most, heard: windows.heard, error };
}

test('as many as the device takes, in their order', async () => {
  const [one, four] = [await hear(1), await hear(4)];
  expect(one.ids).toEqual(Array.from({ length: 600 }, (_, i) => i));
  expect(four.ids).toEqual(one.ids);
  expect(four.heard).toEqual(one.heard);
  expect([one.most, four.most]).toEqual([1, 4]);
});

test.each([7, 200, 799, 800, 801, 1000, 1001, 5999, 6000])('pieces of %i samples', async (piece) => {
  const { ids, heard } = await hear(2, undefined, piece);
  expect(ids).toEqual(Array.from({ length: 600 }, (_, i) => i));
  expect(heard.windows).toBe(8);
});

test('one that fails is reported in its turn: what was heard before it stays', async () => {
  const { ids, error } = await hear(4, 2);
  expect(error).toEqual(new Error('the third window'));
  expect(ids.slice(0, 150)).toEqual(Array.from({ length: 150 }, (_, i) => i));
});

test('a GPU takes half an hour of windows at once, a CPU one', () => {
  expect(planWindows(info, { duration: 120 }, silence).atOnce).toBe(16);
  expect(planWindows({ ...info, device: 'cpu' }, { duration: 120 }, silence).atOnce).toBe(1);
});
