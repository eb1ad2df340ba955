/** The word error rate that `parakeet verify` measures with, for the benchmarks and tests. */
export {
  editCounts,
  editDistance,
  plainWords,
  strictWords,
  wordErrorRate,
} from '../dist/verify/word-error-rate.js';
