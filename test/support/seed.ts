/**
 * One seed for all random cases of a run, printed at its beginning: `PARAKEET_SEED=N npm test` repeats it. Tests that name a seed of their own are
 * the same in every run.
 */
import fc from 'fast-check';

/** The run's seed, set by global-setup.ts where the environment has none. */
export const seed = Number(process.env.PARAKEET_SEED);

if (process.env.PARAKEET_SEED) fc.configureGlobal({ ...fc.readConfigureGlobal(), seed });
