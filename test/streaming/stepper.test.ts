// The native stream, with its caches, against the reference stepper, which has none: random signals, options and pushes.
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { logMel, type Statistics, statistics } from '../reference/mel.js';
import { runSteps, type StepperOptions, type Steps } from '../reference/stepper.js';
import { ARCHITECTURES } from '../support/goldens.js';
import { loadNativeGolden, type NativeGolden } from '../support/native-golden.js';
import { type NativeRun, placed, runNative } from '../support/native-stream.js';
import { noise, surrounded, testSignal } from '../support/signals.js';

const audio = testSignal();
const burst = noise(12_000, 1);

describe.each(ARCHITECTURES)('a native %s stream agrees with the reference stepper', (architecture) => {
  let golden: NativeGolden;
  let fixed: Statistics;
  beforeAll(async () => {
    golden = await loadNativeGolden(architecture);
    const mel = logMel(audio, golden.reference.mel);
    fixed = statistics(mel, mel.rows, false) as Statistics;
  });
  afterAll(() => golden.native.close());

  const options = fc.record({
    from: fc.integer({ min: 0, max: 100_000 }),
    length: fc.integer({ min: 0, max: 24_000 }),
    silenceBefore: fc.constantFrom(0, 0, 100, 5000, 20_000),
    silenceAfter: fc.constantFrom(0, 0, 3000, 12_000),
    chunk: fc.integer({ min: 1, max: 9 }),
    lookahead: fc.integer({ min: 0, max: 12 }),
    agreement: fc.option(
      fc.record({
        drafts: fc.integer({ min: 2, max: 4 }),
        lookahead: fc.integer({ min: 0, max: 5 }),
        confidence: fc.constantFrom(0, 0, 0.05),
      }),
      { nil: undefined },
    ),
    left: fc.integer({ min: -1, max: 8 }),
    right: fc.integer({ min: -1, max: 4 }),
    cache: fc.integer({ min: 0, max: 12 }),
    normalization: fc.constantFrom('running' as const, 'running' as const, 'fixed' as const, 'none' as const),
    prior: fc.boolean(),
    // Loud noise in the middle, which the statistics leave out, and how loud all of it is.
    burst: fc.boolean(),
    gain: fc.constantFrom(1, 1, 0.1),
    flush: fc.constantFrom(0, 0, 1000, 8000),
    emissionDelay: fc.integer({ min: 0, max: 5 }),
    ctc: fc.boolean(),
    sizes: fc.array(fc.oneof(fc.integer({ min: 1, max: 500 }), fc.integer({ min: 500, max: 40_000 })), {
      minLength: 1,
      maxLength: 5,
    }),
  });

  test('tokens and drafts, for random options and pushes', async () => {
    await fc.assert(
      fc.asyncProperty(options, async (chosen) => {
        const { reference } = golden;
        const part = audio.slice(chosen.from, chosen.from + chosen.length);
        if (chosen.burst) part.set(burst.subarray(0, part.length / 2), part.length / 4);
        const samples = surrounded(
          part.map((sample) => sample * chosen.gain),
          chosen.silenceBefore,
          chosen.silenceAfter,
        );
        const settings: StepperOptions = {
          head: chosen.ctc && architecture === 'tdt-ctc' ? 'ctc' : golden.head,
          chunk: chosen.chunk,
          lookahead: chosen.lookahead,
          agreement: chosen.agreement,
          context: [chosen.left, chosen.right],
          cache: chosen.cache,
          normalization: chosen.normalization === 'fixed' ? fixed : chosen.normalization,
          ...(chosen.prior && { prior: { ...fixed, frames: 50 } }),
          flush: chosen.flush,
          emissionDelay: chosen.emissionDelay,
        };
        const expected = runSteps(reference, samples, settings);
        const actual = await runNative(golden, samples, settings, chosen.sizes);
        expect(describeSteps(actual)).toEqual(describeSteps(expected));
      }),
      { numRuns: 40, seed: 4 },
    );
  });
});

/** Each step on a line, so that a difference is one line. */
function describeSteps(run: NativeRun | Steps): string[] {
  return run.steps.map(
    (step) =>
      `${step.firstFrame}+${step.final} ${JSON.stringify(placed(step.finalTokens))} draft ${JSON.stringify(placed(step.draftTokens))}`,
  );
}
