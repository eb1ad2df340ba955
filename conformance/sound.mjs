/** Sounds that the promises are held against: a recording, and what is made of arithmetic. */
import { fileURLToPath } from 'node:url';
import { random } from '../bench/mixes.mjs';
import { readSamples } from '../bench/recordings.mjs';

/** Two seconds and a half of synthetic speech: "He gave the sign to start." */
const RECORDING = new URL('../test/audio/af_sky_10.flac', import.meta.url);

/** The recording as mono samples. */
export const recording = (sampleRate) => readSamples(fileURLToPath(RECORDING), sampleRate);

export const silence = (length) => new Float32Array(length);
export const constant = (length, level) => new Float32Array(length).fill(level);

/** Uniform noise, the same in each run. */
export function noise(length, level) {
  const next = random(1);
  return Float32Array.from({ length }, () => level * (2 * next() - 1));
}

/** Sizes between `least` and `most`, the same in each run. */
export function changing(count, least, most) {
  const next = random(2);
  return Array.from({ length: count }, () => least + Math.floor(next() * (most - least)));
}

/** The recording up to its last 10 ms that are a tenth as loud as its loudest. */
export function cutAfterLastSound(samples, sampleRate) {
  const piece = sampleRate / 100;
  const energies = Array.from({ length: Math.floor(samples.length / piece) }, (_, i) =>
    samples.subarray(i * piece, (i + 1) * piece).reduce((sum, sample) => sum + sample * sample, 0),
  );
  const limit = 0.01 * Math.max(...energies);
  return samples.slice(0, (energies.findLastIndex((energy) => energy >= limit) + 1) * piece);
}
