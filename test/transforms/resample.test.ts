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
});

/** Level of the tone that is in `samples`, how late it is, and the level of all that is not the tone. */
function analyse(samples: Float32Array, frequency: number, rate: number) {
  const [from, to] = [Math.floor(samples.length * 0.25), Math.ceil(samples.length * 0.75)];
  const step = (2 * Math.PI * frequency) / rate;
  let [ss, sc, cc, xs, xc] = [0, 0, 0, 0, 0];
  for (let i = from; i < to; i++) {
    const [s, c, x] = [Math.sin(step * i), Math.cos(step * i), samples[i] as number];
    ss += s * s;
    sc += s * c;
    cc += c * c;
    xs += x * s;
    xc += x * c;
  }
  const determinant = ss * cc - sc * sc;
  const a = (xs * cc - xc * sc) / determinant;
  const b = (xc * ss - xs * sc) / determinant;
  let rest = 0;
  for (let i = from; i < to; i++) {
    rest += ((samples[i] as number) - a * Math.sin(step * i) - b * Math.cos(step * i)) ** 2;
  }
  return {
    gain: 20 * Math.log10(Math.hypot(a, b)),
    late: -Math.atan2(b, a) / step,
    rest: 10 * Math.log10(rest / (to - from) / 0.5),
  };
}

describe('a sweep: ripple at most 0.1 dB, aliases and images at least 90 dB down, no delay', () => {
  test.each([
    ...[8000, 11_025, 12_000, 22_050, 24_000, 32_000, 37_800, 44_056, 44_100, 47_999, 48_000, 64_000].map(
      (from) => [from, 16_000] as const,
    ),
    [88_200, 16_000],
    [96_000, 16_000],
    [176_400, 16_000],
    [192_000, 16_000],
    [16_000, 8000],
    [16_000, 48_000],
    [44_100, 48_000],
  ] as const)('%i to %i Hz', async (from, to) => {
    const edge = Math.min(from, to) / 2;
    for (const share of [0.01, 0.1, 0.3, 0.5, 0.7, 0.8, 0.85, 0.88, 0.9]) {
      const tone = share * edge;
      const out = await convert(sine(tone, 0.25, from, 1), from, to);
      const { gain, late, rest } = analyse(out, tone, to);
      expect(Math.abs(gain), `ripple at ${tone} Hz`).toBeLessThan(0.1);
      expect(Math.abs(late), `delay at ${tone} Hz`).toBeLessThan(0.01);
      expect(rest, `images and aliases of ${tone} Hz`).toBeLessThan(-90);
    }
    // Above the lower rate's half nothing may be left, wherever it would fold to.
    if (from < to) return;
    const above = Array.from({ length: 24 }, (_, i) => edge * 1.001 + ((from / 2 - edge) * i) / 24);
    for (const tone of above) {
      const out = await convert(sine(tone, 0.25, from, 1), from, to);
      expect(decibels(out), `alias of ${tone} Hz`).toBeLessThan(-90);
    }
  });

  test('what is constant stays what it is, at every shift', async () => {
    for (const from of [44_100, 48_000, 11_025, 44_056]) {
      const out = await convert(new Float32Array(from / 4).fill(0.5), from, 16_000);
      for (const sample of out.subarray(800, out.length - 800)) expect(sample).toBeCloseTo(0.5, 5);
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
  test.each([3, 5, 6, 7, 8])(
    '%i channels: the centre counts most, constants stay, nothing clips',
    async (count) => {
      const only = (at: number) => Array.from({ length: count }, (_, i) => (i === at ? 1 : 0));
      expect(await mix(new Array<number>(count).fill(1))).toBeCloseTo(1, 6);
      const weights = await Promise.all(
        Array.from({ length: count }, (_, i) => mix(only(i)) as Promise<number>),
      );
      expect(Math.max(...weights)).toBe(weights[2]);
      expect(Math.min(...weights)).toBeGreaterThanOrEqual(0);
      expect(weights[3] === 0).toBe(count >= 6);
    },
  );
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
  [16_000, { quality: 'best' }],
])('resample(%j, %j) is refused at once', (rate, options) => {
  expect(() => resample(rate, options as ResampleOptions)).toThrow(
    expect.objectContaining({ code: 'ERR_PARAKEET_INVALID_ARGUMENT' }),
  );
});
