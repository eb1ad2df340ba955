// What the definition of a stream promises, shown on the reference itself: otherwise agreeing with it would prove little.
import { describe, expect, test } from 'vitest';
import { goldenArray, goldenFolder, maxDifference, readGolden } from '../support/goldens.js';
import { logMel, statistics } from './mel.js';
import { readReferenceModel } from './model.js';
import { exactLookahead, runOffline, runSteps, type StepperOptions } from './stepper.js';

const model = readReferenceModel(goldenFolder('tdt'));
const audio = goldenArray(readGolden('tdt', 'long'), 'audio').data;
const mel = logMel(audio, model.mel);
const fixed = statistics(mel, mel.rows, false) as NonNullable<ReturnType<typeof statistics>>;
const frame = model.mel.hop * model.encoder.subsamplingFactor;

const base: StepperOptions = {
  head: 'tdt',
  chunk: 3,
  lookahead: 4,
  context: [4, -1],
  cache: 4,
  normalization: 'running',
  flush: 0,
  emissionDelay: 4,
};

describe('the reference stepper', () => {
  const exact = {
    ...base,
    context: [4, 2] as const,
    normalization: fixed,
    lookahead: exactLookahead(model, 2),
  };

  test('equals local attention offline when the lookahead is deep enough', () => {
    const live = runSteps(model, audio, exact);
    const offline = runOffline(model, audio, exact);
    expect(live.steps.length).toBeGreaterThan(20);
    expect(maxDifference(live.encoded.data, offline.encoded.data)).toBeLessThan(1e-9);
    expect(live.tokens).toEqual(offline.tokens);
    expect(live.tokens.length).toBeGreaterThan(10);
  });

  test('is no longer equal with one frame less', () => {
    const live = runSteps(model, audio, { ...exact, lookahead: exact.lookahead - 1 });
    const offline = runOffline(model, audio, exact);
    expect(maxDifference(live.encoded.data, offline.encoded.data)).toBeGreaterThan(1e-6);
  });

  test.each([0, 1600])('equals it for each length from 1 to 40 mel frames, flush %i', (flush) => {
    const small = { ...exact, chunk: 1, context: [2, 0] as const, cache: 2, flush, lookahead: 0 };
    small.lookahead = exactLookahead(model, 0, 3);
    for (let frames = 1; frames <= 40; frames++) {
      const samples = audio.slice(20_000, 20_000 + frames * model.mel.hop);
      const live = runSteps(model, samples, small);
      const offline = runOffline(model, samples, small);
      expect(maxDifference(live.encoded.data, offline.encoded.data), `${frames} frames`).toBeLessThan(1e-9);
      expect(live.tokens, `${frames} frames`).toEqual(offline.tokens);
    }
  });

  test('equals full attention offline when the only step is the last', () => {
    const options = { ...base, chunk: 1000, context: [-1, -1] as const, normalization: fixed };
    expect(runSteps(model, audio, options).tokens).toEqual(runOffline(model, audio, options).tokens);
  });

  test('gives the same tokens, later, after more leading silence', () => {
    const step = base.chunk * frame;
    const quiet = (steps: number): Float32Array => {
      const samples = new Float32Array(steps * step + 40_000);
      samples.set(audio.subarray(0, 40_000), steps * step);
      return samples;
    };
    const near = runSteps(model, quiet(1), base);
    const far = runSteps(model, quiet(9), base);
    expect(near.tokens.length).toBeGreaterThan(3);
    expect(far.tokens).toEqual(
      near.tokens.map((token) => ({ ...token, start: token.start + 8 * base.chunk })),
    );
  });

  test('silence has no tokens, and every step still counts', () => {
    const { steps, tokens } = runSteps(model, new Float32Array(48_000), { ...base, flush: 8000 });
    expect(tokens).toEqual([]);
    expect(steps.reduce((sum, step) => sum + step.final, 0)).toBe(Math.ceil(350 / 8));
  });

  test('no token begins later than the emission delay after the last sound', () => {
    const options = { ...base, normalization: fixed, flush: 32_000, emissionDelay: 2 };
    const last = Math.ceil(Math.floor(40_000 / 160) / 8) - 1;
    const tokens = (emissionDelay: number) =>
      runSteps(model, audio.slice(0, 40_000), { ...options, emissionDelay }).tokens;
    expect(Math.max(...tokens(2).map((token) => token.start))).toBeLessThanOrEqual(last + 2);
    expect(Math.max(...tokens(1000).map((token) => token.start))).toBeGreaterThan(last + 2);
  });
});
