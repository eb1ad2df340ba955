/**
 * The word error rate itself: a wrong measure would make every other figure wrong.
 */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { editDistance, plainWords, strictWords, wordErrorRate } from '../../src/verify/word-error-rate.js';

describe('words', () => {
  test('case, punctuation and hyphens do not count in the plain rate', () => {
    expect(plainWords("Don't — he said — go to twenty-eight, “Main” St.!")).toEqual(
      "don't he said go to twenty eight main st".split(' '),
    );
    expect(plainWords("DON’T 'quoted'")).toEqual(["don't", 'quoted']);
    expect(plainWords(' … ')).toEqual([]);
  });
  test('they count in the strict rate', () => {
    expect(strictWords(' He  said, go. ')).toEqual(['He', 'said,', 'go.']);
  });
});

describe('edit distance', () => {
  test.each([
    ['', '', 0],
    ['a b c', 'a b c', 0],
    ['a b c', '', 3],
    ['', 'a b', 2],
    ['a b c', 'a x c', 1],
    ['a b c', 'a c', 1],
    ['a c', 'a b c', 1],
    ['a b c d', 'b c d e', 2],
  ])('%j against %j is %d', (said, heard, distance) => {
    expect(editDistance(strictWords(said), strictWords(heard))).toBe(distance);
  });

  test('is a metric', () => {
    const words = fc.array(fc.constantFrom('a', 'b', 'c'), { maxLength: 8 });
    fc.assert(
      fc.property(words, words, words, (x, y, z) => {
        expect(editDistance(x, y)).toBe(editDistance(y, x));
        expect(editDistance(x, z)).toBeLessThanOrEqual(editDistance(x, y) + editDistance(y, z));
        expect(editDistance(x, y) === 0).toBe(x.join() === y.join());
      }),
    );
  });
});

test('the rate is taken over all words, not over the recordings', () => {
  const rate = wordErrorRate([
    { said: 'One two three.', heard: 'one two three' },
    { said: 'Four', heard: 'for' },
  ]);
  expect(rate).toEqual({ wer: 25, strict: 75, words: 4 });
  expect(wordErrorRate([])).toEqual({ wer: 0, strict: 0, words: 0 });
});
