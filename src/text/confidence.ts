/** What the confidences of tokens say of the words and the sentences that they are parts of. */
import type { Token, Word } from '../events.js';

/** How words and sentences get their confidence. */
export interface ConfidenceRule {
  /** Of the tokens of a word, or of what is written for them. */
  ofWord(tokens: readonly Token[]): number;
  /** Of all tokens of a sentence, and its words. */
  ofSentence(tokens: readonly Token[], words: readonly Word[]): number;
}

/** Of tokens as they were measured, as parakeet-mlx does: the geometric mean. */
export const MEASURED: ConfidenceRule = { ofWord: geometricMean, ofSentence: geometricMean };

/**
 * Of probabilities: a word is right if all its tokens are, of which punctuation is no part; a sentence has the share of its words that can be
 * expected to be right.
 */
export const CALIBRATED: ConfidenceRule = {
  ofWord: (tokens) => spokenOf(tokens).reduce((product, { confidence }) => product * confidence, 1),
  ofSentence: (tokens, words) =>
    words.length === 0
      ? geometricMean(tokens)
      : words.reduce((sum, { confidence }) => sum + confidence, 0) / words.length,
};

/** @param calibration Whether there is one. */
export function ruleOf(calibration: object | undefined): ConfidenceRule {
  return calibration ? CALIBRATED : MEASURED;
}

/** The tokens with a letter or a digit; all if none has one. */
export function spokenOf<T extends { text: string }>(tokens: readonly T[]): readonly T[] {
  const spoken = tokens.filter(({ text }) => /[\p{L}\p{M}\p{N}]/u.test(text));
  return spoken.length > 0 ? spoken : tokens;
}

/** The geometric mean of confidences; 1e-10 keeps a single zero from making it zero. */
export function geometricMean(tokens: readonly Pick<Token, 'confidence'>[]): number {
  const sum = tokens.reduce((total, token) => total + Math.log(token.confidence + 1e-10), 0);
  return Math.min(1, Math.exp(sum / tokens.length));
}
