/**
 * Fits a calibration to words that are known to be right or wrong, and says how wrong its probabilities are. Only numbers: where the words come
 * from is in measured-words.ts.
 */
import { type Calibration, logit, probabilityOf } from '../model/confidence.js';

/** A word that was heard. */
export interface MeasuredWord {
  /** The measured confidences of its tokens without punctuation, at least one. */
  values: readonly number[];
  right: boolean;
}

type Fitted = Pick<Calibration, 'scale' | 'offset'>;

/** How a calibration weighs against one that changes nothing, in words: so much that it stays finite if no word is wrong. */
const PRIOR = 0.1;
const MOST_ROUNDS = 100;
const SMALLEST_PART = 1e-4;
const BINS = 10;

/** The likeliest calibration, if a word is right exactly when all its tokens are; found by Fisher's scoring. */
export function fitCalibration(words: readonly MeasuredWord[]): Fitted {
  let best: Fitted = { scale: 1, offset: 0 };
  let likelihood = logLikelihood(best, words);
  for (let round = 0; round < MOST_ROUNDS; round++) {
    const [offset, scale] = stepFrom(best, words);
    let part = 1;
    let next = best;
    // A step that goes too far is halved.
    for (; part > SMALLEST_PART; part /= 2) {
      next = { scale: Math.max(0, best.scale + part * scale), offset: best.offset + part * offset };
      if (logLikelihood(next, words) > likelihood) break;
    }
    if (part <= SMALLEST_PART) break;
    best = next;
    likelihood = logLikelihood(best, words);
  }
  return best;
}

function logLikelihood(fitted: Fitted, words: readonly MeasuredWord[]): number {
  const prior = -(PRIOR / 2) * ((fitted.scale - 1) ** 2 + fitted.offset ** 2);
  return words.reduce((sum, word) => {
    const probability = Math.min(1 - 1e-12, Math.max(1e-12, wordProbability(fitted, word)));
    return sum + Math.log(word.right ? probability : 1 - probability);
  }, prior);
}

/** What is to be added to offset and scale: the gradient of the likelihood by its expected curvature. */
function stepFrom(fitted: Fitted, words: readonly MeasuredWord[]): [offset: number, scale: number] {
  let [g0, g1] = [-PRIOR * fitted.offset, -PRIOR * (fitted.scale - 1)];
  let [h00, h01, h11] = [PRIOR, 0, PRIOR];
  for (const word of words) {
    let [u0, u1] = [0, 0];
    for (const value of word.values) {
      const doubt = 1 - probabilityOf(fitted, value);
      u0 += doubt;
      u1 += doubt * logit(value);
    }
    const probability = wordProbability(fitted, word);
    const odds = probability / Math.max(1e-12, 1 - probability);
    const pull = word.right ? 1 : -odds;
    g0 += pull * u0;
    g1 += pull * u1;
    h00 += odds * u0 * u0;
    h01 += odds * u0 * u1;
    h11 += odds * u1 * u1;
  }
  const determinant = h00 * h11 - h01 * h01;
  return [(h11 * g0 - h01 * g1) / determinant, (h00 * g1 - h01 * g0) / determinant];
}

/** The probability that a word is right. */
export function wordProbability(calibration: Fitted, { values }: MeasuredWord): number {
  return values.reduce((product, value) => product * probabilityOf(calibration, value), 1);
}

/**
 * Expected calibration error (Guo et al. 2017), 0 to 1: how far the share of right words is from the mean probability, in ten equal ranges of
 * it, weighted by their words.
 */
export function calibrationError(words: readonly { probability: number; right: boolean }[]): number {
  const bins = Array.from({ length: BINS }, () => 0);
  for (const { probability, right } of words) {
    const bin = Math.min(BINS - 1, Math.floor(probability * BINS));
    bins[bin] = (bins[bin] as number) + probability - (right ? 1 : 0);
  }
  return bins.reduce((sum, difference) => sum + Math.abs(difference), 0) / Math.max(1, words.length);
}

/** The area under the curve of receiver operating characteristics: how often a right word has a higher value than a wrong one. */
export function areaUnderCurve(words: readonly { probability: number; right: boolean }[]): number {
  const sorted = [...words].sort((a, b) => a.probability - b.probability);
  let ranks = 0;
  for (let from = 0; from < sorted.length; ) {
    let to = from;
    while (to < sorted.length && sorted[to]?.probability === sorted[from]?.probability) to++;
    // Equal values share their mean rank.
    for (let i = from; i < to; i++) if (sorted[i]?.right) ranks += (from + 1 + to) / 2;
    from = to;
  }
  const right = sorted.filter((word) => word.right).length;
  return (ranks - (right * (right + 1)) / 2) / (right * (sorted.length - right));
}
