/** Sounds that the promises are held against: a recording, and what is made of arithmetic. */
import { createReadStream } from 'node:fs';
import { decode, resample } from 'parakeet-stream/stages';

/** Two seconds and a half of synthetic speech: "He gave the sign to start." */
const RECORDING = new URL('../test/audio/af_sky_10.flac', import.meta.url);

/** The recording as mono samples. */
export async function recording(sampleRate) {
  const chunks = [];
  const line = createReadStream(RECORDING).pipe(decode()).pipe(resample(sampleRate));
  for await (const { channels } of line) chunks.push(channels[0]);
  return concat(...chunks);
}

/** @param {...Float32Array} parts */
export function concat(...parts) {
  const all = new Float32Array(parts.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const part of parts) {
    all.set(part, at);
    at += part.length;
  }
  return all;
}

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

/** Mulberry32: numbers in [0, 1). */
export function random(seed) {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = Math.imul(state ^ (state >>> 15), state | 1);
    t = (t + Math.imul(t ^ (t >>> 7), t | 61)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
}
