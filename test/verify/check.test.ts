/** The numbers that `parakeet verify` judges by: nothing strange may pass for a small difference. */
import { expect, test } from 'vitest';
import type { Token } from '../../src/events.js';
import {
  changedWords,
  check,
  largestDifference,
  relativeDifference,
  tokenDifference,
} from '../../src/verify/check.js';

const token = (id: number, start: number, confidence: number): Token => ({
  id,
  text: `${id}`,
  start,
  end: start,
  duration: 0,
  confidence,
});

test('a value at its limit passes, one above it and one that is no number do not', () => {
  const passed = (value: number) => check('encoder', 'difference', value, 0.5).passed;
  expect([0, 0.5, 0.51, Number.NaN, Number.POSITIVE_INFINITY].map(passed)).toEqual([
    true,
    true,
    false,
    false,
    false,
  ]);
  expect(JSON.parse(JSON.stringify(check('encoder', '', Number.NaN, 1))).value).toBe(Number.MAX_VALUE);
});

test('the largest difference', () => {
  expect(largestDifference([1, 2, 3], [1, 2.5, 2.75])).toBe(0.5);
  expect(largestDifference([1], [1, 2])).toBe(Number.POSITIVE_INFINITY);
  expect(largestDifference([], [])).toBe(Number.POSITIVE_INFINITY);
  expect(largestDifference([1, Number.NaN, 1], [1, 1, 1])).toBe(Number.POSITIVE_INFINITY);
});

test('the relative difference', () => {
  expect(relativeDifference([3, 4.5], [3, 4])).toBeCloseTo(0.1);
  expect(relativeDifference([1], [1, 2])).toBe(Number.POSITIVE_INFINITY);
  expect(relativeDifference([Number.NaN], [1])).toBeNaN();
});

test('words that changed', () => {
  expect(changedWords(['One, two', 'three four'], ['one too', 'three four five'])).toBe(50);
  expect(changedWords(['', ''], ['', ''])).toBe(0);
  expect(changedWords([''], ['hm hm'])).toBe(200);
});

test('tokens', () => {
  const tokens = [token(1, 0, 0.5), token(2, 0.08, 0.9)];
  expect(tokenDifference(tokens, [token(1, 0, 0.5), token(2, 0.08, 0.8)])).toBeCloseTo(0.1);
  expect(tokenDifference(tokens, [token(1, 0, 0.5), token(3, 0.08, 0.9)])).toBe(1);
  expect(tokenDifference(tokens, [token(1, 0, 0.5), token(2, 0.16, 0.9)])).toBe(1);
  expect(tokenDifference(tokens, tokens.slice(1))).toBe(1);
  expect(tokenDifference([], [])).toBe(0);
});
