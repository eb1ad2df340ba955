/**
 * How tokens are chosen: the options, checked once and resolved for the engine. The searches are native (native/model/*_beam.cpp); phrases
 * become a tree in boost-tree.ts.
 */

import type { NativeDecoding, NativeHead, NativeModelInfo } from '../engine/addon.js';
import { expected, finite, integer, known, oneOf } from '../options.js';
import { type BoostPhrase, checkBoost, checkFirstUppercase } from './boost.js';
import { boostTreeOrNone } from './boost-tree.js';
import { type Calibration, type ConfidenceOptions, checkConfidence } from './confidence.js';
import {
  checkLanguageModel,
  type LanguageModelOptions,
  LM_OPTIONS,
  resolveLanguageModel,
} from './language-model.js';

/** How tokens are chosen. */
export interface DecodingOptions extends LanguageModelOptions, ConfidenceOptions {
  /**
   * `'greedy'` takes the most likely token at each frame; `'beam'` keeps several hypotheses and takes the most likely one as a whole.
   * @defaultValue `'greedy'`; where nothing else is said and the bundled model is used on a CPU, `'beam'` with `lm: true` for `transcribe`, `mode: 'file'`
   * and `latency: 'accurate'`
   */
  type?: 'greedy' | 'beam' | undefined;
  /**
   * The decoding head of a hybrid model: `'tdt'` is more accurate, `'ctc'` is cheaper.
   * @defaultValue the model's best
   */
  head?: 'tdt' | 'rnnt' | 'ctc' | undefined;
  /**
   * Beam: hypotheses that are kept, 1 to 64.
   * @defaultValue 5
   */
  beamSize?: number | undefined;
  /**
   * Beam: which hypotheses compete. `'frame'`: those at the same frame. `'parakeet-mlx'`, of TDT and RNNT: those with as many steps, at different
   * frames, token for token as parakeet-mlx searches.
   * @defaultValue `'frame'`; with `patience` or `durationReward`, which only parakeet-mlx's search has, `'parakeet-mlx'`
   */
  search?: 'frame' | 'parakeet-mlx' | undefined;
  /**
   * Beam: the best hypothesis has the largest score / tokens^`lengthPenalty`, 0 to 10.
   * @defaultValue 1; 0 for TDT with `search: 'frame'`
   */
  lengthPenalty?: number | undefined;
  /**
   * `search: 'parakeet-mlx'`: it ends when `beamSize` × `patience` hypotheses have reached the end; 0.01 to 100.
   * @defaultValue 1
   */
  patience?: number | undefined;
  /**
   * `search: 'parakeet-mlx'`: weight of the duration's log-probability in the score, 0 to 1; the rest is the token's.
   * @defaultValue 0.7
   */
  durationReward?: number | undefined;
  /**
   * Phrases that are likelier here than the model can know: names, terms; or less likely. `setBoost` replaces them while a stream runs.
   * @defaultValue none
   */
  boost?: readonly BoostPhrase[] | undefined;
  /**
   * How much likelier it is that the first letter of the transcript is a capital, as a natural logarithm: −20 to 20. Of a recording in windows, the
   * first letter of each window.
   * @defaultValue 0
   */
  firstUppercase?: number | undefined;
}

/** Options of the beam, and of parakeet-mlx's search alone. */
const BEAM = ['beamSize', 'search', 'lengthPenalty', 'patience', 'durationReward'] as const;
const PARAKEET_MLX = ['patience', 'durationReward'] as const;
const MOST_HYPOTHESES = 64;
const CONFIDENCE = 'decoding.confidence';

/** The heads that a model of each architecture has, the best first. */
const HEADS: Record<NativeModelInfo['architecture'], readonly NativeHead[]> = {
  tdt: ['tdt'],
  'tdt-ctc': ['tdt', 'ctc'],
  rnnt: ['rnnt'],
  ctc: ['ctc'],
};

/** The heads of a model, the best first. */
export function headsOf(architecture: NativeModelInfo['architecture']): readonly NativeHead[] {
  return HEADS[architecture];
}

/** Checks what needs no model. @throws {@link ArgumentError} */
export function checkDecoding(decoding: DecodingOptions | undefined): void {
  if (decoding === undefined) return;
  known('decoding', decoding, [
    'type',
    'head',
    'boost',
    'firstUppercase',
    'confidence',
    ...BEAM,
    ...LM_OPTIONS,
  ]);
  checkLanguageModel(decoding);
  checkConfidence(decoding);
  if (decoding.boost !== undefined) checkBoost(decoding.boost, 'decoding.boost');
  checkFirstUppercase(decoding.firstUppercase);
  const type = oneOf('decoding.type', decoding.type ?? 'greedy', ['greedy', 'beam']);
  if (decoding.head !== undefined) oneOf('decoding.head', decoding.head, ['tdt', 'rnnt', 'ctc']);
  const stray = BEAM.find((key) => decoding[key] !== undefined);
  if (type === 'greedy' && stray !== undefined)
    throw expected("type: 'beam' beside it", `decoding.${stray}`, decoding[stray]);
  const search = oneOf('decoding.search', searchOf(decoding), ['frame', 'parakeet-mlx']);
  const foreign = PARAKEET_MLX.find((key) => decoding[key] !== undefined);
  if (search === 'frame' && foreign !== undefined)
    throw expected("search: 'parakeet-mlx' beside it", `decoding.${foreign}`, decoding[foreign]);
  beamOf(decoding, 'tdt');
}

function searchOf(decoding: DecodingOptions): NonNullable<DecodingOptions['search']> {
  const foreign = PARAKEET_MLX.some((key) => decoding[key] !== undefined);
  return decoding.search ?? (foreign ? 'parakeet-mlx' : 'frame');
}

function beamOf(decoding: DecodingOptions, head: NativeHead): NonNullable<NativeDecoding['beam']> {
  const { beamSize = 5, patience = 1, durationReward = 0.7 } = decoding;
  const search = searchOf(decoding);
  const { lengthPenalty = head === 'tdt' && search === 'frame' ? 0 : 1 } = decoding;
  return {
    search,
    size: integer('decoding.beamSize', beamSize, 1, MOST_HYPOTHESES),
    lengthPenalty: finite('decoding.lengthPenalty', lengthPenalty, 0, 10),
    patience: finite('decoding.patience', patience, 0.01, 100),
    durationReward: finite('decoding.durationReward', durationReward, 0, 1),
  };
}

/**
 * How the confidences of this model's tokens become probabilities; `undefined` for those that stay as they are measured.
 *
 * @throws {@link ArgumentError} for `'calibrated'` where there is no calibration.
 */
export function calibrationOf(
  { architecture, calibrations }: Pick<NativeModelInfo, 'architecture' | 'calibrations'>,
  decoding: DecodingOptions | undefined,
): Calibration | undefined {
  const { confidence, head = HEADS[architecture][0] as NativeHead } = decoding ?? {};
  if (confidence !== undefined && confidence !== 'calibrated') return undefined;
  const found = calibrations?.[head];
  if (confidence === 'calibrated' && !found) {
    const remedy = 'See parakeet models calibrate.';
    throw expected(
      `a measure for the head '${head}', which is not calibrated`,
      CONFIDENCE,
      confidence,
      remedy,
    );
  }
  return found;
}

function measureOf(confidence: DecodingOptions['confidence'], calibration: Calibration | undefined) {
  if (calibration) return calibration.measure;
  return confidence === undefined || confidence === 'calibrated' ? 'entropy' : confidence;
}

/**
 * The engine's decoder options for this model.
 *
 * @throws {@link ArgumentError} when the model has no such head or no such confidence, or cannot spell a phrase. @throws {@link ModelError} for a language model
 * that cannot be used.
 */
export function resolveDecoding(
  info: Pick<NativeModelInfo, 'architecture' | 'vocabulary' | 'languageModel' | 'calibrations'>,
  decoding: DecodingOptions | undefined,
): NativeDecoding {
  checkDecoding(decoding);
  const heads = HEADS[info.architecture];
  const head = decoding?.head ?? (heads[0] as NativeHead);
  if (!heads.includes(head))
    throw expected(`a head that the model has (${heads.join(', ')})`, 'decoding.head', head);
  if (decoding?.search === 'parakeet-mlx' && head === 'ctc')
    throw expected("search: 'frame' for the head 'ctc'", 'decoding.search', decoding.search);
  const search = decoding?.type === 'beam' ? searchOf(decoding) : 'greedy';
  return {
    head,
    ...(decoding?.type === 'beam' && { beam: beamOf(decoding, head) }),
    boost: boostTreeOrNone(info.vocabulary, decoding?.boost, decoding?.firstUppercase),
    lm: resolveLanguageModel(info.vocabulary, info.languageModel, decoding ?? {}, { search, head }),
    confidence: measureOf(decoding?.confidence, calibrationOf(info, decoding)),
  };
}
