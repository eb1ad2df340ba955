/**
 * The optional `streaming.json` of a model folder: initial statistics of a stream, before it has enough audio of its own.
 * `{ "normalization": { "frames": 100, "mean": […], "std": […] } }`, one value per mel feature. Only the shape of the means counts: their
 * level is that of the first sound. `scripts/make-prior.mjs` makes one.
 */
import { readFile } from 'node:fs/promises';
import type { NativeModelInfo } from '../engine/addon.js';
import { ModelError } from '../errors.js';

/** Most mel frames that a prior may count for: 100 s. */
const MOST_FRAMES = 10_000;

/**
 * Reads it; `undefined` when there is none.
 *
 * @throws {@link ModelError} `ERR_PARAKEET_INVALID_CONFIG` for one that does not fit a model with so many features.
 */
export async function readPrior(file: string, features: number): Promise<NativeModelInfo['prior']> {
  const text = await readFile(file, 'utf8').catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return undefined;
    throw invalid(file, error.message);
  });
  if (text === undefined) return undefined;
  let json: { normalization?: { frames?: unknown; mean?: unknown; std?: unknown } } | null;
  try {
    json = JSON.parse(text) as typeof json;
  } catch (error) {
    throw invalid(file, (error as Error).message);
  }
  const { frames, mean, std } = json?.normalization ?? {};
  if (!Number.isInteger(frames) || (frames as number) < 1 || (frames as number) > MOST_FRAMES) {
    throw invalid(file, `normalization.frames is no integer from 1 to ${MOST_FRAMES}`);
  }
  if (!isNumbers(mean, features) || !isNumbers(std, features) || std.some((value) => value <= 0)) {
    throw invalid(
      file,
      `normalization.mean and std are not ${features} numbers each (those of std above zero)`,
    );
  }
  return { frames: frames as number, mean, std };
}

function isNumbers(value: unknown, count: number): value is number[] {
  return Array.isArray(value) && value.length === count && value.every((one) => Number.isFinite(one));
}

function invalid(file: string, why: string): ModelError {
  return new ModelError(
    'ERR_PARAKEET_INVALID_CONFIG',
    `Expected a prior for the statistics of streams in ${file}, but ${why}. The file may be left out.`,
  );
}
