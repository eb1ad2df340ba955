/**
 * Many streams on one model, their steps batched by the engine: each must give what it gives alone. With random weights every
 * token is near a tie, so these find what the bundled model would forgive.
 */
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { bundledModel } from '../../src/bundled-model.js';
import { loadModel } from '../../src/load-model.js';
import type { Model } from '../../src/model.js';
import type { StepperOptions } from '../reference/stepper.js';
import { ARCHITECTURES } from '../support/goldens.js';
import { loadNativeGolden, type NativeGolden } from '../support/native-golden.js';
import { type NativeRun, placed, runNative } from '../support/native-stream.js';
import { samplesOf } from '../support/samples.js';
import { testSignal } from '../support/signals.js';

const RATE = 16_000;

describe.each(ARCHITECTURES)('native %s streams', (architecture) => {
  let golden: NativeGolden;
  beforeAll(async () => {
    golden = await loadNativeGolden(architecture);
  });
  afterAll(() => golden.native.close());

  test('of different starts, lengths, pushes and options run in batches and give what each gives alone', async () => {
    const audio = testSignal();
    const streams = Array.from({ length: 12 }, (_, i) => {
      const options: StepperOptions = {
        head: golden.head,
        chunk: 1 + (i % 4),
        lookahead: i % 5,
        agreement: i % 2 === 0 ? { drafts: 2, lookahead: i % 3, confidence: 0 } : undefined,
        context: i % 3 === 0 ? [6, 2] : [8, -1],
        cache: i % 4 === 3 ? 0 : 8,
        normalization: i % 2 === 0 ? 'running' : 'none',
        flush: 4000,
        emissionDelay: 4,
      };
      return {
        samples: audio.slice(i * 777, audio.length - i * 1234),
        options,
        sizes: [1000 + 611 * i, 4000],
      };
    });
    const alone: NativeRun[] = [];
    for (const { samples, options, sizes } of streams)
      alone.push(await runNative(golden, samples, options, sizes));
    const before = golden.addon.batches();
    const together = await Promise.all(
      streams.map(({ samples, options, sizes }) => runNative(golden, samples, options, sizes)),
    );
    const after = golden.addon.batches();
    expect(after.steps - before.steps).toBeGreaterThan(after.batches - before.batches);
    let tokens = 0;
    together.forEach((run, i) => {
      expect(placed(run.tokens)).toEqual(placed(alone[i]?.tokens ?? []));
      expect(run.steps.map((step) => placed(step.draftTokens))).toEqual(
        alone[i]?.steps.map((step) => placed(step.draftTokens)),
      );
      tokens += run.tokens.length;
    });
    expect(tokens).toBeGreaterThan(50);
  });

  test('setBatchFrames(1) runs every step by itself', async () => {
    golden.addon.setBatchFrames(1);
    try {
      const before = golden.addon.batches();
      const options: StepperOptions = {
        head: golden.head,
        chunk: 2,
        lookahead: 1,
        context: [8, -1],
        cache: 8,
        normalization: 'running',
        flush: 0,
        emissionDelay: 4,
      };
      await Promise.all([1, 2, 3, 4].map(() => runNative(golden, testSignal(), options, [8000])));
      const after = golden.addon.batches();
      expect(after.batches - before.batches).toBe(after.steps - before.steps);
    } finally {
      golden.addon.setBatchFrames(256);
    }
  });
});

describe('the bundled model', () => {
  let model: Model;
  const recordings: Float32Array[] = [];
  beforeAll(async () => {
    model = await loadModel(bundledModel(), { dtype: 'float32' });
    for (const file of ['jfk.flac', 'bf_emma_06.flac', 'am_michael_05.flac'])
      recordings.push(await samplesOf(file));
  });
  afterAll(() => model.close());

  /** The `i`th of many streams: its own stretch of a recording, its own pushes. */
  function stretch(i: number): { samples: Float32Array; push: number } {
    const recording = recordings[i % recordings.length] as Float32Array;
    const start = (i * 4321) % (recording.length / 2);
    return {
      samples: recording.slice(start, start + RATE * (1.6 + (i % 5) * 0.3)),
      push: 700 + 331 * (i % 7),
    };
  }

  async function run(i: number, on = model): Promise<[id: number, start: number][]> {
    const { samples, push } = stretch(i);
    const live = on.transcribeStream({ latency: i % 2 ? 'low' : 'balanced' });
    for (let at = 0; at < samples.length; at += push) await live.addAudio(samples.subarray(at, at + push));
    await live.finish();
    return live.finalizedTokens.map(({ id, start }) => [id, start]);
  }

  test.each([2, 7, 32])('%d streams at once give what each gives alone', async (count) => {
    const alone = [];
    for (let i = 0; i < count; i++) alone.push(await run(i));
    expect(await Promise.all(Array.from({ length: count }, (_, i) => run(i)))).toEqual(alone);
    expect(alone.flat().length).toBeGreaterThan(4 * count);
  });

  // Activations are quantised row by row, so that not even these see who else is in the batch.
  test.each(['bfloat16', 'int8', 'int4'] as const)(
    'seven streams at once in %s give what each gives alone',
    async (dtype) => {
      const narrow = await loadModel(bundledModel(), { dtype });
      try {
        const alone = [];
        for (let i = 0; i < 7; i++) alone.push(await run(i, narrow));
        expect(await Promise.all(Array.from({ length: 7 }, (_, i) => run(i, narrow)))).toEqual(alone);
      } finally {
        await narrow.close();
      }
    },
  );

  test('a thousand streams that came and went leave nothing', { timeout: 120_000 }, async () => {
    const samples = (recordings[0] as Float32Array).slice(0, 0.9 * RATE);
    const wave = (count: number) =>
      Promise.all(
        Array.from({ length: count }, async (_, i) => {
          const live = model.transcribeStream({ latency: 'low' });
          await live.addAudio(samples);
          if (i % 3 === 0) await live.finish();
          else await live.close();
        }),
      );
    await wave(50);
    const before = model.addon.memory().active;
    for (let i = 0; i < 20; i++) await wave(50);
    // The engine's thread counts down a moment after it has given its answer.
    await vi.waitFor(() =>
      expect(model.addon.counts()).toEqual({ models: 1, sessions: 0, queued: 0, calls: 0 }),
    );
    // Positions that the encoder keeps are a few rows more or less.
    expect(model.addon.memory().active - before).toBeLessThan(2 ** 20);
  });

  test('a stream that is closed in the middle, and one with bad input, take no other with them', async () => {
    const alone = [await run(0), await run(1), await run(2)];
    const closed = model.transcribeStream({ latency: 'balanced' });
    const broken = model.transcribeStream({ latency: 'balanced' });
    const adding = [
      closed.addAudio((recordings[0] as Float32Array).slice(0, 3 * RATE)),
      broken.addAudio((recordings[1] as Float32Array).slice(0, 2 * RATE)),
      broken.addAudio(new Float32Array(100).fill(Number.NaN)),
    ];
    const outcomes = Promise.allSettled(adding);
    const others = Promise.all([run(0), run(1), run(2)]);
    await new Promise((resolve) => setTimeout(resolve, 20));
    await closed.close();
    const [, second, third] = await outcomes;
    expect(second).toMatchObject({ status: 'fulfilled' });
    expect(third).toMatchObject({ status: 'rejected', reason: { code: 'ERR_PARAKEET_INVALID_AUDIO' } });
    expect(await others).toEqual(alone);
    await broken.close();
    expect(model.addon.counts().sessions).toBe(0);
  });
});
