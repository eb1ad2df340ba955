// Fitting a calibration, on words whose probabilities are known, and the two figures that judge one.
import { describe, expect, test } from 'vitest';
import {
  areaUnderCurve,
  calibrationError,
  fitCalibration,
  type MeasuredWord,
  wordProbability,
} from '../../src/calibrate/fit.js';
import { probabilityOf } from '../../src/model/confidence.js';
import { noise } from '../support/signals.js';

const TRUE = { scale: 0.6, offset: -0.8 };

/** Words of one to four tokens, each right with the probability that `TRUE` gives its measured value. */
function wordsOf(count: number, seed: number): MeasuredWord[] {
  const numbers = noise(10 * count, 1, seed);
  let at = 0;
  const draw = () => ((numbers[at++] as number) + 1) / 2;
  return Array.from({ length: count }, () => {
    const values = Array.from({ length: 1 + Math.floor(draw() * 4) }, () => 1 - draw() ** 4 / 2);
    return { values, right: values.every((value) => draw() < probabilityOf(TRUE, value)) };
  });
}
const judged = (words: readonly MeasuredWord[], by = fitCalibration(words)) =>
  words.map((word) => ({ probability: wordProbability(by, word), right: word.right }));

describe('a calibration', () => {
  test('is found again in the words that it made', () => {
    const { scale, offset } = fitCalibration(wordsOf(20_000, 1));
    expect(scale).toBeCloseTo(TRUE.scale, 1);
    expect(offset).toBeCloseTo(TRUE.offset, 0);
  });

  test('holds for words that it was not made from', () => {
    const fitted = fitCalibration(wordsOf(1000, 2));
    const others = wordsOf(4000, 3);
    expect(calibrationError(judged(others, fitted))).toBeLessThan(0.05);
    // What was measured is no probability.
    expect(calibrationError(judged(others, { scale: 1, offset: 0 }))).toBeGreaterThan(0.1);
  });

  test.each([true, false])('stays finite when all words are right: %s', (right) => {
    const words = wordsOf(300, 4).map(({ values }) => ({ values, right }));
    const { scale, offset } = fitCalibration(words);
    expect(scale).toBeGreaterThanOrEqual(0);
    expect(Math.abs(offset)).toBeLessThan(100);
    expect(calibrationError(judged(words))).toBeLessThan(0.05);
  });
});

test('the calibration error is the weighted distance of what was expected from what was right', () => {
  const words = [
    { probability: 0.95, right: true },
    { probability: 0.95, right: false },
    { probability: 0.25, right: false },
    { probability: 0.25, right: false },
  ];
  expect(calibrationError(words)).toBeCloseTo((2 * 0.45 + 2 * 0.25) / 4, 9);
  expect(calibrationError([])).toBe(0);
});

test('the area under the curve is how often a right word is the surer one, equals counting half', () => {
  const of = (right: readonly number[], wrong: readonly number[]) =>
    areaUnderCurve([
      ...right.map((probability) => ({ probability, right: true })),
      ...wrong.map((probability) => ({ probability, right: false })),
    ]);
  expect(of([0.9, 0.8], [0.1])).toBe(1);
  expect(of([0.1], [0.9])).toBe(0);
  expect(of([0.5, 0.7], [0.5, 0.6])).toBe((0.5 + 0 + 1 + 1) / 4);
});
