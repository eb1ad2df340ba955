/**
 * How sure the model is of a token: measures of the distribution that it was chosen from, which the engine computes (native/model/confidence.cpp),
 * and the calibration that makes probabilities of them. What words and sentences get is in src/text/confidence.ts; making a calibration, in src/calibrate.
 *
 * The optional `confidence.json` of a model folder has the calibrations, one for each head:
 * `{ "heads": { "tdt": { "measure": "entropy", "scale": 0.83, "offset": -1.03 } } }`.
 */
import { readFile } from 'node:fs/promises';
import type { ConfidenceMeasure, NativeHead } from '../engine/addon.js';
import { ModelError } from '../errors.js';
import { oneOf } from '../options.js';

export const MEASURES = [
  'entropy',
  'max-probability',
  'tsallis',
  'renyi',
  'margin',
] as const satisfies ConfidenceMeasure[];
const HEADS = ['tdt', 'rnnt', 'ctc'] as const;
/** How far from 0 and 1 a measured value counts. */
const EDGE = 1e-6;
const MOST = 100;

/** The part of {@link DecodingOptions} about confidence. */
export interface ConfidenceOptions {
  /**
   * What the confidence of tokens is. `'calibrated'`: the probability that the token is right, of a model whose folder has a
   * `confidence.json` (the bundled one; others by `parakeet models calibrate`). Else a measure of the distribution that the token was chosen
   * from, which orders the words but is no probability: `'entropy'` (1 − entropy / maximum entropy, as in parakeet-mlx), `'max-probability'`,
   * `'tsallis'` and `'renyi'` (NeMo's, with α = 1/3 and its exponential normalisation) or `'margin'` (between the two likeliest tokens).
   * @defaultValue `'calibrated'` for a model that is, else `'entropy'`
   */
  confidence?: 'calibrated' | ConfidenceMeasure | undefined;
}

/** From a measured value to the probability that a token is right: σ(`scale` · logit(value) + `offset`). */
export interface Calibration {
  measure: ConfidenceMeasure;
  /** Above 0. */
  scale: number;
  offset: number;
}

/** By head. */
export type Calibrations = Readonly<Partial<Record<NativeHead, Calibration>>>;

/** @throws {@link ArgumentError} */
export function checkConfidence({ confidence }: ConfidenceOptions): void {
  if (confidence !== undefined) oneOf('decoding.confidence', confidence, ['calibrated', ...MEASURES]);
}

/** ln(p / (1 − p)) of a measured value. */
export function logit(value: number): number {
  const inside = Math.min(1 - EDGE, Math.max(EDGE, value));
  return Math.log(inside / (1 - inside));
}

/** The probability that a token with this measured value is right. */
export function probabilityOf({ scale, offset }: Omit<Calibration, 'measure'>, value: number): number {
  return 1 / (1 + Math.exp(-(scale * logit(value) + offset)));
}

/**
 * Reads a `confidence.json`; `undefined` when there is none.
 *
 * @throws {@link ModelError} `ERR_PARAKEET_INVALID_CONFIG` for anything else.
 */
export async function readCalibrations(file: string): Promise<Calibrations | undefined> {
  const text = await readFile(file, 'utf8').catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return undefined;
    throw invalid(file, error.message);
  });
  if (text === undefined) return undefined;
  let json: { heads?: unknown } | null;
  try {
    json = JSON.parse(text) as typeof json;
  } catch (error) {
    throw invalid(file, (error as Error).message);
  }
  const heads = json?.heads;
  if (typeof heads !== 'object' || heads === null) throw invalid(file, 'heads is no object');
  const found: Partial<Record<NativeHead, Calibration>> = {};
  for (const [name, value] of Object.entries(heads)) {
    const head = HEADS.find((one) => one === name);
    const { measure, scale, offset } = (value ?? {}) as Partial<Record<keyof Calibration, unknown>>;
    const known = MEASURES.find((one) => one === measure);
    if (head === undefined) throw invalid(file, `heads has '${name}', which is none of ${HEADS.join(', ')}`);
    if (known === undefined) throw invalid(file, `heads.${head}.measure is none of ${MEASURES.join(', ')}`);
    if (!isWithin(scale, 0) || !isWithin(offset, -MOST))
      throw invalid(file, `heads.${head}.scale and offset are no numbers from 0 and −${MOST} to ${MOST}`);
    found[head] = { measure: known, scale, offset };
  }
  return found;
}

function isWithin(value: unknown, least: number): value is number {
  return typeof value === 'number' && value >= least && value <= MOST;
}

function invalid(file: string, why: string): ModelError {
  return new ModelError(
    'ERR_PARAKEET_INVALID_CONFIG',
    `Expected a calibration of confidence in ${file}, but ${why}. The file may be left out.`,
  );
}
