import { describe, expect, test } from 'vitest';
import { measuredWords } from '../../src/calibrate/measured-words.js';
import type { Token } from '../../src/events.js';
import { CALIBRATED } from '../../src/text/confidence.js';
import { sentenceOf } from '../../src/text/sentence-splitter.js';
import { rightWords } from '../../src/verify/word-error-rate.js';

function tokens(...rows: [text: string, confidence: number][]): Token[] {
  return rows.map(([text, confidence], id) => ({
    id,
    text,
    confidence,
    start: id,
    end: id + 1,
    duration: 1,
  }));
}

describe('the words heard', () => {
  test('are right or wrong by the words said, whatever their case and punctuation', () => {
    const heard = tokens([' The', 0.9], [' c', 0.8], ['at', 0.7], [',', 0.2], [' sits', 0.6], ['.', 0.1]);
    expect(measuredWords(heard, 'THE CAT SAT')).toEqual([
      { values: [0.9], right: true },
      { values: [0.8, 0.7], right: true },
      { values: [0.6], right: false },
    ]);
  });

  test('with a hyphen are right if all parts are', () => {
    const heard = tokens([' twenty', 0.9], ['-', 0.5], ['five', 0.8], [' men', 0.7]);
    expect(measuredWords(heard, 'twenty five men').map(({ right }) => right)).toEqual([true, true]);
    expect(measuredWords(heard, 'twenty nine men').map(({ right }) => right)).toEqual([false, true]);
  });

  test('that nobody said are wrong, and words that were left out wrong none', () => {
    expect(rightWords(['a', 'b', 'c'], ['a', 'x', 'b', 'c'])).toEqual([true, false, true, true]);
    expect(rightWords(['a', 'b', 'c'], ['a', 'c'])).toEqual([true, true]);
    expect(rightWords([], ['a'])).toEqual([false]);
    expect(rightWords(['a'], [])).toEqual([]);
  });
});

test('a calibrated word is right if all its tokens are, without punctuation; a sentence has the mean of its words', () => {
  const sentence = sentenceOf(
    tokens([' c', 0.8], ['at', 0.5], [',', 0.1], [' sits', 0.6], ['.', 0.1]),
    CALIBRATED,
  );
  expect(sentence.words.map(({ confidence }) => Number(confidence.toFixed(6)))).toEqual([0.4, 0.6]);
  expect(sentence.confidence).toBeCloseTo(0.5, 9);
  // Punctuation alone has its own.
  expect(sentenceOf(tokens([' …', 0.3]), CALIBRATED).words[0]?.confidence).toBeCloseTo(0.3, 9);
});
