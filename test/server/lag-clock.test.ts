/** How late finals are, from the times at which their sound came. */
import { expect, test } from 'vitest';
import { LagClock } from '../../src/server/lag-clock.js';

/** 100 ms of 16-bit sound at 16 kHz. */
const PIECE = 3200;
const INPUT = { format: 's16le', sampleRate: 16_000 } as const;

test('from the arrival of the sound that is needed, the lookahead included', () => {
  const clock = new LagClock(INPUT, 1);
  for (let n = 1; n <= 30; n++) clock.arrived(PIECE, 100 * n);
  // Up to 0.5 s is final with the sound up to 1.5 s, which came at 1500.
  expect(clock.final(0.5, 1700)).toBeCloseTo(0.2);
  expect(clock.final(1.5, 4500)).toBeCloseTo(2);
});

test('sound that waited before it was taken counts from its arrival', () => {
  const clock = new LagClock(INPUT, 0);
  clock.arrived(10 * PIECE, 1000);
  clock.arrived(10 * PIECE, 2000);
  expect(clock.final(0.5, 6000)).toBeCloseTo(5);
  expect(clock.final(1.5, 7000)).toBeCloseTo(5);
});

test('sound that is sent faster than it is spoken counts from when it would have been spoken', () => {
  const clock = new LagClock(INPUT, 0);
  for (let n = 0; n < 600; n++) clock.arrived(PIECE, 1000);
  expect(clock.final(0.05, 1500)).toBeCloseTo(0.5);
  expect(clock.final(30, 20_000)).toBe(0);
  expect(clock.final(50, 53_000)).toBeCloseTo(2, 0);
});

test('small pieces are counted together, and never too early', () => {
  const clock = new LagClock(INPUT, 0);
  for (let n = 1; n <= 1000; n++) clock.arrived(32, n);
  expect(clock.final(0.5, 600)).toBeGreaterThanOrEqual(0);
  expect(clock.final(0.9, 2000)).toBeCloseTo(1.1, 1);
});

test('finals at the end, and of containers, have no known lag', () => {
  const clock = new LagClock(INPUT, 1);
  clock.arrived(PIECE, 0);
  expect(clock.final(0.1, 10)).toBeUndefined();
  const container = new LagClock({}, 0);
  container.arrived(PIECE, 0);
  expect(container.final(0, 1000)).toBeUndefined();
});
