// The native log-mel against its formulas, frame by frame: every length of the Fourier transform (an odd power of two ends with
// a step of its own), every share of a register that is left for the last frames, every piece of a long signal.
import { afterEach, describe, expect, test } from 'vitest';
import type { NativeFrames } from '../../src/engine/addon.js';
import { logMel } from '../reference/mel.js';
import type { MelConfig } from '../reference/model.js';
import { maxDifference } from '../support/goldens.js';
import { loadNativeGolden, type NativeGolden } from '../support/native-golden.js';
import { pieces } from '../support/native-stream.js';
import { noise } from '../support/signals.js';

let golden: NativeGolden | undefined;
afterEach(async () => {
  await golden?.native.close();
  golden = undefined;
});

async function load(mel: Partial<MelConfig> = {}): Promise<NativeGolden> {
  golden = await loadNativeGolden('tdt', 'float32', { mel });
  return golden;
}

/** Noise that falls from full scale to below the logarithm's floor. */
function fading(length: number): Float32Array {
  return noise(length, 1).map((sample, i) => sample * 10 ** ((-7 * i) / length));
}

async function streamed({ native }: NativeGolden, samples: Float32Array, sizes: number[], flush: number) {
  const mel = native.createMel(80);
  const chunks: NativeFrames[] = [];
  for (const piece of pieces(samples, sizes)) chunks.push(await mel.push(piece));
  chunks.push(await mel.finish(flush));
  await mel.close();
  return chunks.flatMap((chunk) => [...chunk.data()]);
}

describe('log-mel frames', () => {
  test.each([
    { fftSize: 64, window: 64, hop: 20 },
    { fftSize: 128, window: 100, hop: 50 },
    { fftSize: 256, window: 200, hop: 160 },
    { fftSize: 512, window: 400, hop: 160 },
    { fftSize: 1024, window: 400, hop: 160 },
    { fftSize: 2048, window: 2000, hop: 160 },
  ])('of a transform of $fftSize samples are as the formulas say', async (mel) => {
    const { native, reference } = await load(mel);
    const samples = fading(mel.hop * 103);
    const expected = logMel(samples, reference.mel);
    const actual = await native.logMel(samples);
    expect([actual.rows, actual.columns]).toEqual([expected.rows, expected.columns]);
    expect(maxDifference(actual.data, expected.data)).toBeLessThanOrEqual(1e-4);
  });

  test('are the same to the last bit, one at a time, in any company and in pieces of a long signal', async () => {
    const own = await load();
    const samples = fading(160 * 500 + 77);
    const whole = [...(await own.native.logMel(samples)).data];
    for (const sizes of [[160], [1, 3200, 33], [1000], [samples.length]])
      expect(await streamed(own, samples, sizes, 0)).toEqual(whole);
  });

  test('come in the order of the pushes, of which a few samples are heard at once where nothing is queued', async () => {
    const own = await load();
    const samples = fading(160 * 700 + 31);
    const whole = [...(await own.native.logMel(samples)).data];
    const mel = own.native.createMel(80);
    // The session is made by its thread.
    const first = mel.push(samples.subarray(0, 320));
    expect(first).toBeInstanceOf(Promise);
    await first;
    await mel.close();
    for (const sizes of [[4800], [320], [320, 16_000, 320, 320], [16_000, 100]]) {
      const session = own.native.createMel(80);
      const made = [await session.push(new Float32Array(0))];
      const asked = [...pieces(samples, sizes)].map((piece) => session.push(piece));
      const small = sizes.every((size) => size <= 4800);
      expect(asked.every((frames) => !(frames instanceof Promise))).toBe(small);
      asked.push(session.finish(0));
      made.push(...(await Promise.all(asked)));
      await session.close();
      const all = made.flatMap((frames) => [...frames.data()]);
      expect(all.length).toBe(whole.length);
      expect(maxDifference(all, whole)).toBe(0);
      await expect(Promise.resolve(session.push(samples.subarray(0, 320)))).rejects.toMatchObject({
        code: expect.stringMatching(/^ERR_PARAKEET_(CLOSED|ABORTED)$/),
      });
    }
  });

  test.each([0, 1, 80, 200, 401])('of %i samples and a flush', async (length) => {
    const own = await load();
    const samples = fading(length);
    const flushed = new Float32Array(length + 1600);
    flushed.set(samples);
    const expected = logMel(flushed, own.reference.mel);
    const actual = await streamed(own, samples, [64], 1600);
    expect(actual.length).toBe(expected.data.length);
    expect(maxDifference(actual, expected.data)).toBeLessThanOrEqual(1e-4);
  });

  test('of a signal that is no number are no numbers', async () => {
    const { native } = await load();
    const samples = noise(1600, 0.1);
    samples[800] = Number.NaN;
    const { data, columns } = await native.logMel(samples);
    expect(data.subarray(5 * columns, 6 * columns).every(Number.isNaN)).toBe(true);
    expect(data.subarray(0, 3 * columns).some(Number.isNaN)).toBe(false);
  });
});
