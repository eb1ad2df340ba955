// Measures of confidence as formulas, from the probabilities of all tokens. Tsallis and Rényi as in NeMo's asr_confidence_utils with entropy_norm 'exp'.
import { entropy } from './matrix.js';

const ALPHA = 1 / 3;

export type Measure = keyof typeof MEASURES;

export const MEASURES = {
  entropy: (p: readonly number[]) => 1 - entropy(p) / Math.log(p.length),
  'max-probability': (p: readonly number[]) => (Math.max(...p) * p.length - 1) / (p.length - 1),
  // e^−S for S = (Σ p^α − 1) / (1 − α), brought to [0, 1] by its least value, that of equal probabilities.
  tsallis: (p: readonly number[]) => {
    const negative = (q: readonly number[]) =>
      Math.exp(-(q.reduce((sum, x) => sum + x ** ALPHA, 0) - 1) / (1 - ALPHA));
    const least = negative(p.map(() => 1 / p.length));
    return (negative(p) - least) / (1 - least);
  },
  // e^−R for R = ln Σ p^α / (1 − α), likewise.
  renyi: (p: readonly number[]) => {
    const negative = Math.exp(-Math.log(p.reduce((sum, x) => sum + x ** ALPHA, 0)) / (1 - ALPHA));
    return (negative - 1 / p.length) / (1 - 1 / p.length);
  },
  margin: (p: readonly number[]) => {
    const [first = 0, second = 0] = [...p].sort((a, b) => b - a);
    return first - second;
  },
};
