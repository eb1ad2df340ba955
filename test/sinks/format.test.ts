import { describe, expect, test } from 'vitest';
import { formatSpan, formatTimestamp } from '../../src/sinks/format.js';

describe('formatTimestamp', () => {
  test.each([
    [0, '00:00:00,000'],
    [59.9996, '00:01:00,000'],
    [3599.999, '00:59:59,999'],
    [3661.5, '01:01:01,500'],
    [360_000, '100:00:00,000'],
    [-0.001, '00:00:00,000'],
  ])('%f s is %s', (seconds, text) => {
    expect(formatTimestamp(seconds)).toBe(text);
    expect(formatTimestamp(seconds, '.')).toBe(text.replace(',', '.'));
  });

  test('a cue always lasts', () => {
    expect(formatSpan({ start: 1, end: 1, text: '' }, ',')).toBe('00:00:01,000 --> 00:00:01,001');
  });
});
