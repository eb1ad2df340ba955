// Test signals for the golden models. To random weights, all sound is alike: what matters is that no step is ill-conditioned.
import { random } from '../../bench/mixes.mjs';
import { goldenArray, readGolden } from './goldens.js';

/** Uniform noise in [-level, level), the same for each seed. */
export function noise(length: number, level: number, seed = 1): Float32Array {
  const next = random(seed);
  return Float32Array.from({ length }, () => level * (2 * next() - 1));
}

/**
 * Nine seconds of the golden audio with a noise floor. Without one it has stretches so near to digital silence that the last bit
 * of a float32 decides whether a frame is silent, and features whose deviation is nothing but rounding.
 */
export function testSignal(): Float32Array {
  const floor = noise(144_000, 0.01);
  return goldenArray(readGolden('tdt', 'long'), 'audio').data.map(
    (sample, i) => sample + (floor[i] as number),
  );
}

/** `before` samples of digital silence, the signal, `after` samples of it. */
export function surrounded(signal: Float32Array, before: number, after: number): Float32Array {
  const out = new Float32Array(before + signal.length + after);
  out.set(signal, before);
  return out;
}
