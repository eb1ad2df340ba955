/** The word error rate that `parakeet verify` measures with, for the benchmarks and tests. */
export { editDistance, plainWords, strictWords, wordErrorRate } from '../dist/verify/word-error-rate.js';
