/** A check as a number and its upper limit; and how such numbers are computed. */
import type { Token } from '../events.js';
import { editDistance, plainWords } from './word-error-rate.js';

/** One check of {@link verifyModel}. */
export interface VerifyCheck {
  name:
    | 'log-mel'
    | 'encoder'
    | 'tokens'
    | 'confidences'
    | 'dtype-frames'
    | 'dtype-words'
    | 'stream-exact'
    | 'stream-words'
    | 'silence-finite'
    | 'silence-words';
  /** What the value means. */
  what: string;
  value: number;
  /** The largest value that passes. */
  limit: number;
  passed: boolean;
}

export function check(name: VerifyCheck['name'], what: string, value: number, limit: number): VerifyCheck {
  // NaN is never within bounds; JSON has no infinity.
  const shown = Number.isFinite(value) ? value : Number.MAX_VALUE;
  return { name, what, value: shown, limit, passed: shown <= limit };
}

/** The largest absolute difference; infinite for arrays of different lengths and for what is not a number. */
export function largestDifference(a: ArrayLike<number>, b: ArrayLike<number>): number {
  if (a.length !== b.length || a.length === 0) return Number.POSITIVE_INFINITY;
  let largest = 0;
  for (let i = 0; i < a.length; i++) {
    const difference = Math.abs((a[i] as number) - (b[i] as number));
    if (!(difference <= largest)) largest = Number.isNaN(difference) ? Number.POSITIVE_INFINITY : difference;
  }
  return largest;
}

/** The root mean square of `a − b` relative to that of `b`. */
export function relativeDifference(a: ArrayLike<number>, b: ArrayLike<number>): number {
  if (a.length !== b.length) return Number.POSITIVE_INFINITY;
  let difference = 0;
  let size = 0;
  for (let i = 0; i < b.length; i++) {
    difference += ((a[i] as number) - (b[i] as number)) ** 2;
    size += (b[i] as number) ** 2;
  }
  return Math.sqrt(difference / size);
}

/** Percent of the words of `before` that must be substituted, deleted or inserted to get `after`. */
export function changedWords(before: readonly string[], after: readonly string[]): number {
  let changes = 0;
  let total = 0;
  before.forEach((text, i) => {
    const words = plainWords(text);
    changes += editDistance(words, plainWords(after[i] ?? ''));
    total += words.length;
  });
  // Any words where there were none before count as 100 %.
  return (100 * changes) / Math.max(1, total);
}

/** The largest difference between two lists of confidences; 1 when they are not the same tokens at the same times. */
export function tokenDifference(a: readonly Token[], b: readonly Token[]): number {
  const same =
    a.length === b.length &&
    a.every(({ id, start }, i) => id === b[i]?.id && Math.abs(start - b[i].start) < 1e-6);
  if (!same) return 1;
  if (a.length === 0) return 0;
  const confidences = (tokens: readonly Token[]) => tokens.map((token) => token.confidence);
  return largestDifference(confidences(a), confidences(b));
}
