/** Channels to one: the weighted mean, and where they cancel the strongest; the same for any split. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { Mixer } from '../../src/audio/mix.js';
import { sine } from '../support/wav-file.js';

const RATE = 16_000;
const voice = sine(300, 1.5, RATE).map((value, i) => value * Math.abs(Math.sin(i / 1500)));
const other = sine(170, 1.5, RATE, 0.3);

function mixed(channels: Float32Array[], sizes: number[] = [RATE]): Float32Array {
  const mixer = new Mixer(channels.length, RATE);
  const out: number[] = [];
  for (let at = 0, i = 0; at < (channels[0] as Float32Array).length; i++) {
    const size = sizes[i % sizes.length] as number;
    out.push(...mixer.mix(channels.map((channel) => channel.subarray(at, at + size))));
    at += size;
  }
  return Float32Array.from(out);
}

function energy(samples: Float32Array): number {
  return samples.reduce((sum, value) => sum + value * value, 0);
}

describe('channels that cancel', () => {
  test.each([
    ['one of a pair inverted', voice, voice.map((value) => -value)],
    ['inverted and a little quieter', voice, voice.map((value) => -0.9 * value)],
    ['inverted and a little louder', voice.map((value) => 0.9 * value), voice.map((value) => -value)],
  ])('%s: one of them is heard', (_, left, right) => {
    const mono = mixed([left, right]);
    expect(energy(mono)).toBeGreaterThan(0.8 * energy(voice));
  });

  test('a pair among six', () => {
    const silent = new Float32Array(voice.length);
    const mono = mixed([voice, voice.map((value) => -value), silent, silent, silent, silent]);
    expect(energy(mono)).toBeGreaterThan(0.8 * energy(voice));
  });

  test('the mean comes back when the channels no longer do', () => {
    const right = voice.map((value, i) => (i < RATE / 2 ? -value : value));
    const long = (samples: Float32Array) =>
      Float32Array.from({ length: 4 * RATE }, (_, i) => samples[i % samples.length] as number);
    const left = long(voice);
    const later = Float32Array.from(left, (value, i) =>
      i < voice.length ? (right[i] as number) : -0.2 * value,
    );
    const mono = mixed([left, later]);
    const at = 4 * RATE - 100;
    expect(mono[at]).toBeCloseTo(((left[at] as number) + (later[at] as number)) / 2, 6);
  });
});

test.each([
  ['the same twice', voice, voice],
  ['one silent', voice, new Float32Array(voice.length)],
  ['two voices', voice, other],
  ['one much quieter and inverted', voice, voice.map((value) => -0.1 * value)],
])('%s: the mean, exactly', (_, left, right) => {
  const mono = mixed([left, right]);
  expect(mono).toEqual(left.map((value, i) => 0.5 * value + 0.5 * (right[i] as number)));
});

test('any split gives the same samples', () => {
  const right = voice.map((value, i) => (i % 9000 < 4000 ? -value : (other[i] as number)));
  const whole = mixed([voice, right]);
  fc.assert(
    fc.property(fc.array(fc.integer({ min: 1, max: 3000 }), { minLength: 1, maxLength: 8 }), (sizes) => {
      expect(mixed([voice, right], sizes)).toEqual(whole);
    }),
    { numRuns: 20 },
  );
});
