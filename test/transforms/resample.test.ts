/**
 * The resample stage: length, delay, splits, aliases, mixing, changes of rate.
 */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { AudioChunk } from '../../src/events.js';
import { type ResampleOptions, resample } from '../../src/transforms/resample.js';
import { joined, through } from '../support/streams.js';
import { sine } from '../support/wav-file.js';

/** `samples` in chunks of `size`. */
function chunks(samples: Float32Array, sampleRate: number, size: number | number[]): AudioChunk[] {
  const sizes = [size].flat();
  const out: AudioChunk[] = [];
  for (let at = 0, i = 0; at < samples.length; i++) {
    const length = sizes[i % sizes.length] as number;
    out.push({ channels: [samples.subarray(at, at + length)], sampleRate });
    at += length;
  }
  return out;
}

async function convert(
  samples: Float32Array,
  from: number,
  to: number,
  size: number | number[] = 4800,
  options?: ResampleOptions,
) {
  const { items, error } = await through(chunks(samples, from, size), resample(to, options));
  expect(error).toBeUndefined();
  expect(items.every((chunk) => chunk.channels.length === 1 && chunk.sampleRate === to)).toBe(true);
  expect(items.every((chunk) => (chunk.channels[0] as Float32Array).length * 10 <= to)).toBe(true);
  return joined(items)[0] ?? new Float32Array(0);
}

/** Level of `samples` relative to a full-scale sine, without their first and last tenth. */
function decibels(samples: Float32Array): number {
  const inner = samples.subarray(samples.length / 10, samples.length * 0.9);
  const power = inner.reduce((sum, sample) => sum + sample * sample, 0) / inner.length;
  return 10 * Math.log10(power / 0.5);
}

describe('equal rates', () => {
  test('mono passes bit by bit, in chunks of at most 100 ms', async () => {
    const samples = sine(440, 1, 16_000);
    expect(await convert(samples, 16_000, 16_000, 9999)).toEqual(samples);
  });
});

describe('other rates', () => {
  test.each([
    [48_000, 16_000],
    [44_100, 16_000],
    [22_050, 16_000],
    [8000, 16_000],
    [11_025, 16_000],
    [96_000, 16_000],
    [16_000, 8000],
  ])('%i to %i Hz: the length is exact and a tone comes out as the tone, without delay', async (from, to) => {
    for (const seconds of [0.5, 0.33337, 0.001]) {
      const samples = sine(1000, seconds, from);
      const out = await convert(samples, from, to);
      expect(out.length).toBe(Math.round((samples.length * to) / from));
      const expected = sine(1000, seconds + 1, to);
      // The edges ring, since a tone that is cut off is no tone.
      for (let i = 400; i < out.length - 400; i++) {
        expect(Math.abs((out[i] as number) - (expected[i] as number))).toBeLessThan(1e-4);
      }
    }
  });

  test('any split gives identical samples', async () => {
    const samples = sine(700, 0.2, 44_100);
    const whole = await convert(samples, 44_100, 16_000, samples.length);
    expect(await convert(samples, 44_100, 16_000, 1)).toEqual(whole);
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.integer({ min: 1, max: 3000 }), { minLength: 1, maxLength: 8 }),
        async (sizes) => {
          expect(await convert(samples, 44_100, 16_000, sizes)).toEqual(whole);
        },
      ),
      { numRuns: 15 },
    );
  });

  test('aliases of tones above 8 kHz lie below −90 dB; speech up to 7 kHz is kept within 0.1 dB', async () => {
    for (const from of [48_000, 44_100]) {
      for (const tone of [8100, 8300, 9000, 12_000, 15_900, 20_000]) {
        expect(decibels(await convert(sine(tone, 0.5, from, 1), from, 16_000))).toBeLessThan(-90);
      }
      for (const tone of [100, 3000, 7000]) {
        expect(Math.abs(decibels(await convert(sine(tone, 0.5, from, 1), from, 16_000)))).toBeLessThan(0.1);
      }
    }
  });

  test('the lower qualities reject aliases too', async () => {
    for (const quality of ['medium', 'fast'] as const) {
      expect(
        decibels(await convert(sine(12_000, 0.5, 48_000, 1), 48_000, 16_000, 4800, { quality })),
      ).toBeLessThan(-80);
    }
  });
});

describe('mixing', () => {
  const mix = async (levels: number[], sampleRate = 16_000) => {
    const channels = levels.map((level) => new Float32Array(100).fill(level));
    const { items } = await through([{ channels, sampleRate }], resample(16_000));
    return joined(items)[0]?.[50];
  };
  test('stereo is the mean', async () => {
    expect(await mix([0.5, 0.25])).toBeCloseTo(0.375, 6);
  });
  test('5.1 favours the centre, ignores the low-frequency channel, and cannot clip', async () => {
    expect(await mix([1, 1, 1, 1, 1, 1])).toBeCloseTo(1, 6);
    expect(await mix([0, 0, 0, 1, 0, 0])).toBe(0);
    const [front, centre] = [await mix([1, 0, 0, 0, 0, 0]), await mix([0, 0, 1, 0, 0, 0])];
    expect(centre as number).toBeGreaterThan(front as number);
  });
  test('a change of channels in the middle is followed', async () => {
    const half = new Float32Array(10).fill(0.5);
    const { items } = await through(
      [
        { channels: [half], sampleRate: 16_000 },
        { channels: [half, new Float32Array(10)], sampleRate: 16_000 },
      ],
      resample(16_000),
    );
    expect(joined(items)[0]).toEqual(Float32Array.from({ length: 20 }, (_, i) => (i < 10 ? 0.5 : 0.25)));
  });
});

test('a change of rate in the middle loses nothing', async () => {
  const { items } = await through(
    [
      ...chunks(sine(500, 0.3, 48_000), 48_000, 4800),
      ...chunks(sine(500, 0.2, 16_000), 16_000, 1600),
      ...chunks(sine(500, 0.1, 8000), 8000, 800),
    ],
    resample(16_000),
  );
  expect(joined(items)[0]).toHaveLength(9600);
});

test('an impossible rate is a typed error', async () => {
  const { error } = await through(chunks(new Float32Array(10), 3, 10), resample(16_000));
  expect(error).toMatchObject({
    code: 'ERR_PARAKEET_INVALID_AUDIO',
    message: expect.stringMatching(/received 3\b/),
  });
});

test('no input, no output', async () => {
  expect(await through([], resample(16_000))).toEqual({ items: [], error: undefined });
});

test.each([
  [0, {}],
  [16_000.5, {}],
  [16_000, { quality: 'superb' }],
])('resample(%j, %j) is refused at once', (rate, options) => {
  expect(() => resample(rate, options as ResampleOptions)).toThrow(
    expect.objectContaining({ code: 'ERR_PARAKEET_INVALID_ARGUMENT' }),
  );
});
