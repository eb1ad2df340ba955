// Streams that must equal something exactly: another split of the same audio, and the offline pass with local attention.
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { NativeAttention } from '../../src/engine/addon.js';
import { logMel, type Statistics, statistics } from '../reference/mel.js';
import { exactLookahead, type StepperOptions } from '../reference/stepper.js';
import type { FrameToken } from '../reference/transducer.js';
import { ARCHITECTURES, maxDifference } from '../support/goldens.js';
import { loadNativeGolden, type NativeGolden } from '../support/native-golden.js';
import { frameTokens, placed, runNative } from '../support/native-stream.js';
import { testSignal } from '../support/signals.js';

const audio = testSignal();
const NO_LIMIT = 1000;
/** What float32 in another order of sums may change of a confidence. */
const CLOSE = 1e-5;

describe.each(ARCHITECTURES)('a native %s stream', (architecture) => {
  let golden: NativeGolden;
  let fixed: Statistics;
  let base: StepperOptions;
  beforeAll(async () => {
    golden = await loadNativeGolden(architecture);
    const mel = logMel(audio, golden.reference.mel);
    fixed = statistics(mel, mel.rows, false) as Statistics;
    base = {
      head: golden.head,
      chunk: 4,
      lookahead: 3,
      context: [8, -1],
      cache: 8,
      normalization: 'running',
      flush: 4000,
      emissionDelay: 4,
    };
  });
  afterAll(() => golden.native.close());

  /** The engine's offline pass over the same audio and silence, normalised by the same statistics. */
  async function offline(
    samples: Float32Array,
    context: NativeAttention,
    flush: number,
  ): Promise<FrameToken[]> {
    const { native } = golden;
    const padded = new Float32Array(samples.length + flush);
    padded.set(samples);
    const mel = await native.logMel(padded);
    if (mel.rows === 0) return [];
    const { mean, std } = fixed;
    const features = mel.data.map(
      (value, i) => (value - (mean[i % mel.columns] as number)) / ((std[i % mel.columns] as number) + 1e-5),
    );
    const encoded = await native.encode(features, mel.rows, context, 0);
    return frameTokens(await native.decode(encoded.data, encoded.rows, { head: golden.head }, 0));
  }

  const splits: [string, number[]][] = [
    ['one sample', [1]],
    ['a hop', [160]],
    ['odd sizes', [37, 1601, 5, 12_345]],
    ['more than a step', [30_000]],
  ];
  test.each(splits)(
    'split into pushes of %s gives the tokens and drafts of one push',
    async (_name, sizes) => {
      // A push is a round trip to the engine's thread: one sample at a time gets a shorter signal.
      const samples = audio.slice(30_000, sizes[0] === 1 ? 39_000 : 54_000);
      const whole = await runNative(golden, samples, base, [samples.length]);
      const split = await runNative(golden, samples, base, sizes);
      expect(whole.tokens.length).toBeGreaterThan(2);
      expect(split.steps.map(({ finalTokens, draftTokens }) => [finalTokens, draftTokens])).toEqual(
        whole.steps.map(({ finalTokens, draftTokens }) => [finalTokens, draftTokens]),
      );
    },
  );

  test.each([
    [0, 1],
    [1600, 2],
  ])(
    'as deep as the model equals local attention for each length to 40 mel frames (flush %i, chunk %i)',
    async (flush, chunk) => {
      const context: NativeAttention = [2, 0];
      const lookahead = exactLookahead(golden.reference, context[1]);
      const exact = {
        ...base,
        chunk,
        lookahead,
        context,
        cache: 2,
        normalization: fixed,
        flush,
        emissionDelay: NO_LIMIT,
      };
      let found = 0;
      for (let frames = 1; frames <= 40; frames++) {
        const samples = audio.slice(20_000, 20_000 + frames * 160);
        const live = await runNative(golden, samples, exact, [700]);
        const expected = placed(await offline(samples, context, flush));
        expect(placed(live.tokens), `${frames} frames`).toEqual(expected);
        found += expected.length;
      }
      expect(found).toBeGreaterThan(10);
    },
  );

  test.each([
    [[4, 2], 4, 3],
    [[16, 1], 16, 1],
    [[0, 0], 0, 8],
  ] as [NativeAttention, number, number][])(
    'as deep as the model equals local attention %o for long audio',
    async (context, cache, chunk) => {
      const lookahead = exactLookahead(golden.reference, context[1]);
      const exact = {
        ...base,
        chunk,
        lookahead,
        context,
        cache,
        normalization: fixed,
        emissionDelay: NO_LIMIT,
      };
      const live = await runNative(golden, audio, exact, [10_000]);
      const expected = await offline(audio, context, exact.flush);
      expect(expected.length).toBeGreaterThan(15);
      expect(placed(live.tokens)).toEqual(placed(expected));
      // A frame of lookahead less moves no token of these models, but each last frame of a step a little.
      const confidences = (tokens: FrameToken[]) => tokens.map((token) => token.confidence);
      expect(maxDifference(confidences(live.tokens), confidences(expected))).toBeLessThan(CLOSE);
    },
  );

  test('tokens never begin before one that is final, and no final one is said twice', async () => {
    const { steps, tokens } = await runNative(golden, audio, base, [5000]);
    tokens.slice(1).forEach((token, i) => {
      expect(token.start).toBeGreaterThanOrEqual((tokens[i] as FrameToken).start);
    });
    let end = 0;
    for (const step of steps) {
      expect(step.firstFrame).toBe(end);
      end += step.final;
    }
    expect(end).toBe(Math.ceil(Math.floor((audio.length + base.flush) / 160) / 8));
  });
});
