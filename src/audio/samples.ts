/**
 * Samples as arrays: the check of those that a caller passes in (those of sound files are checked where they are decoded), and joining
 * pieces.
 */
import { AudioError } from '../errors.js';

/** @throws {@link AudioError} for NaN and infinite samples; `first` is the position of `samples` in the whole. */
export function mustBeFinite(samples: Float32Array, rate: number, first = 0): void {
  // A plain loop for speed: an hour of audio has 58 million samples.
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

/** One piece after the other. */
export function joined(pieces: readonly Float32Array[]): Float32Array {
  const all = new Float32Array(pieces.reduce((sum, piece) => sum + piece.length, 0));
  let at = 0;
  for (const piece of pieces) {
    all.set(piece, at);
    at += piece.length;
  }
  return all;
}
