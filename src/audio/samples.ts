/**
 * Samples as arrays: the check of those that a caller passes in (those of sound files are checked where they are decoded), and joining
 * pieces.
 */
import { AudioError } from '../errors.js';

/** @throws {@link AudioError} for NaN and infinite samples; `first` is the position of `samples` in the whole. */
export function mustBeFinite(samples: Float32Array, rate: number, first = 0): void {
  if (allFinite(samples)) return;
  const found = samples.findIndex((sample) => !Number.isFinite(sample));
  const at = first + found;
  throw new AudioError(
    'ERR_PARAKEET_INVALID_AUDIO',
    `Expected finite samples but sample ${at} (${(at / rate).toFixed(3)} s) is ${samples[found]}`,
  );
}

/** Whether no sample is NaN or infinite. An hour of audio has 58 million samples. */
export function allFinite(samples: Float32Array): boolean {
  // x · 0 is NaN for those and a zero for all others. Four sums, so that an addition need not wait for the one before it.
  let [a, b, c, d] = [0, 0, 0, 0];
  const whole = samples.length - (samples.length % 4);
  for (let i = 0; i < whole; i += 4) {
    a += (samples[i] as number) * 0;
    b += (samples[i + 1] as number) * 0;
    c += (samples[i + 2] as number) * 0;
    d += (samples[i + 3] as number) * 0;
  }
  for (let i = whole; i < samples.length; i++) a += (samples[i] as number) * 0;
  return a + b + c + d === 0;
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
