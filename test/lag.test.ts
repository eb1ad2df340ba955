import { describe, expect, test } from 'vitest';
import { LagMeter } from '../src/lag.js';

/** Audio in real time, 100 ms a write, for so many seconds. */
function live(seconds: number): LagMeter {
  const meter = new LagMeter();
  for (let i = 1; i <= seconds * 10; i++) meter.arrived(i / 10, i * 100);
  return meter;
}

describe('the lag of a live source', () => {
  test('is the time from the arrival of what was needed', () => {
    const meter = live(20);
    expect(meter.heard(1, 1000)).toBeUndefined();
    expect(meter.heard(2, 2400)).toBeUndefined();
    expect(meter.max).toBeCloseTo(0.4);
  });

  test('is told past a second, when it has doubled, and when it is made up for', () => {
    const meter = live(30);
    expect(meter.heard(1, 2500)).toEqual({ type: 'lag', seconds: 1.5 });
    expect(meter.heard(2, 4000)).toBeUndefined();
    expect(meter.heard(3, 6200)).toEqual({ type: 'lag', seconds: 3.2 });
    expect(meter.heard(10, 11_000)).toBeUndefined();
    expect(meter.heard(20, 20_100)).toEqual({ type: 'lag', seconds: 0 });
    expect(meter.heard(21, 21_100)).toBeUndefined();
    expect(meter.max).toBeCloseTo(3.2);
  });

  test('a stream of whose audio nothing more is known says nothing', () => {
    expect(live(5).heard(7, 20_000)).toBeUndefined();
    expect(new LagMeter().heard(0, 20_000)).toBeUndefined();
  });
});

test('a source that is faster than the clock has no lag, however slow the machine', () => {
  const meter = new LagMeter();
  for (let i = 1; i <= 100; i++) meter.arrived(i, 1000 + i * 10);
  expect(meter.heard(5, 90_000)).toBeUndefined();
  expect(meter.max).toBe(0);
});
