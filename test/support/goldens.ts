// The golden models and their reference outputs (small random-weight models of the four architectures).
// Only a way to find and read them; what must hold is said in the tests.
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { readSafetensors, type Tensor } from './safetensors.js';

export const ARCHITECTURES = ['tdt', 'tdt-ctc', 'rnnt', 'ctc'] as const;
export type Architecture = (typeof ARCHITECTURES)[number];

/** One token as the golden files have it; times in seconds. */
interface GoldenToken {
  id: number;
  text: string;
  start: number;
  duration: number;
  confidence: number;
}

export interface Golden {
  arrays: Map<string, Tensor>;
  /** Token lists by way of decoding: `greedy`, `ctc_greedy`, `beam …`. */
  tokens: Record<string, GoldenToken[]>;
}

/** The folder of a golden model: `config.json` and `model.safetensors`. */
export function goldenFolder(architecture: Architecture): string {
  return fileURLToPath(new URL(`../goldens/${architecture}`, import.meta.url));
}

/** `long` is there for `tdt` only. */
export function readGolden(architecture: Architecture, name: 'short' | 'long'): Golden {
  const folder = goldenFolder(architecture);
  return {
    arrays: readSafetensors(`${folder}/${name}.safetensors`),
    tokens: JSON.parse(readFileSync(`${folder}/${name}.json`, 'utf8')) as Record<string, GoldenToken[]>,
  };
}

/** A golden array that must be there. */
export function goldenArray(golden: Golden, name: string): Tensor {
  const tensor = golden.arrays.get(name);
  if (tensor === undefined) throw new Error(`No golden array ${name}`);
  return tensor;
}

/** Largest absolute difference of two arrays of one length. */
export function maxDifference(actual: ArrayLike<number>, expected: ArrayLike<number>): number {
  if (actual.length !== expected.length)
    throw new Error(`Lengths ${actual.length} and ${expected.length} differ`);
  let largest = 0;
  for (let i = 0; i < actual.length; i++) {
    const difference = Math.abs((actual[i] as number) - (expected[i] as number));
    // A NaN must not pass for zero.
    if (!(difference <= largest)) largest = difference;
  }
  return largest;
}
