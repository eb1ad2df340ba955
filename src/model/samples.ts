/** The check of samples that a caller hands in. Those of sound files are checked where they are decoded. */
import { AudioError } from '../errors.js';

/** @throws {@link AudioError} for NaN and infinite samples; `first` is the place of `samples` in the whole. */
export function mustBeFinite(samples: Float32Array, rate: number, first = 0): void {
  // A plain loop: an hour of audio has 58 million of them, and JavaScript's thread has other things to do.
  for (let i = 0; i < samples.length; i++) {
    const sample = samples[i] as number;
    if (Number.isFinite(sample)) continue;
    const at = first + i;
    throw new AudioError(
      'ERR_PARAKEET_INVALID_AUDIO',
      `Expected finite samples but sample ${at} (${(at / rate).toFixed(3)} s) is ${sample}`,
    );
  }
}
