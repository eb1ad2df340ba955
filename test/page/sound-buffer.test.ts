/** The sound that a page keeps while its connection is broken: the last minute, each sample at its number. */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { KEPT_SECONDS, SoundBuffer } from '../../src/page/live/sound-buffer.js';

/** Everything from a number on, as it is sent. */
function read(buffer: SoundBuffer, from: number): number[] {
  const out: number[] = [];
  for (let at = from; at < buffer.end; ) {
    const samples = buffer.from(at);
    expect(samples.length).toBeGreaterThan(0);
    out.push(...samples);
    at += samples.length;
  }
  return out;
}

test('gives every sample at its number, and silence for what is no longer kept', () => {
  fc.assert(
    fc.property(fc.array(fc.integer({ min: 1, max: 50 }), { maxLength: 40 }), fc.nat(300), (sizes, from) => {
      const buffer = new SoundBuffer(2);
      const kept = 2 * KEPT_SECONDS;
      let value = 0;
      for (const size of sizes) buffer.add(Int16Array.from({ length: size }, () => ++value));
      expect(buffer.end).toBe(value);
      expect(buffer.end - buffer.first).toBeLessThanOrEqual(kept);
      // At most the oldest piece more than necessary is forgotten.
      expect(buffer.end - buffer.first).toBeGreaterThanOrEqual(Math.min(value, kept - 50));
      const expected = Array.from({ length: Math.max(0, value - from) }, (_, i) => {
        const number = from + i;
        return number < buffer.first ? 0 : number + 1;
      });
      expect(read(buffer, from)).toEqual(expected);
    }),
  );
});

test('is empty at its end', () => {
  const buffer = new SoundBuffer(16_000);
  expect(buffer.from(0)).toHaveLength(0);
  buffer.add(new Int16Array(10));
  expect(buffer.from(10)).toHaveLength(0);
});

test('gives at most a message at once', () => {
  const buffer = new SoundBuffer(48_000);
  buffer.add(new Int16Array(200_000));
  expect(buffer.from(0)).toHaveLength(48_000);
});
