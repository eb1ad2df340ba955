/**
 * Options of a stream's encoder in frames, for the stage `encode` and for parakeet-mlx's terms, and the numbers that the engine takes.
 * Options in seconds are in latency.ts.
 */

import type { NativeEncoderOptions, NativeModelInfo } from '../engine/addon.js';
import { expected, finite, flag, integer, known, oneOf } from '../options.js';
import { contextOf, isCacheAware, resolveContext } from './cache-aware.js';
import { checkLanguage, inLanguage } from './language.js';
import {
  type AgreementSeconds,
  checkLatency,
  DEFAULT_SILENCE,
  framesOf,
  type Latency,
  type LatencyPreset,
  latencyPresets,
  MOST_DRAFTS,
  type SettledSilence,
  settleLatency,
} from './latency.js';

/** Most steps of the grid that `lagPolicy: 'growSteps'` takes at once. */
const MOST_GROWN = 4;
/** Largest value of these options: 13 minutes of frames. More would be a mistake that costs memory. */
const MAX_FRAMES = 10_000;

/** How the mel frames are normalised. */
export type Normalization =
  | 'running'
  | 'none'
  | { mean: ArrayLike<number>; std: ArrayLike<number>; frames?: number | undefined };

/** Options of a stream's encoder. Frames are encoder frames, 80 ms for Parakeet. */
export interface StreamingOptions {
  /**
   * Preset for `chunk`, `lookahead` and `left`. Of a cache-aware model, the preset or the seconds of one of its contexts.
   * @defaultValue `'balanced'`
   */
  latency?: LatencyPreset | number | undefined;
  /**
   * Frames that become final at each step, at least 1.
   * @defaultValue the preset's
   */
  chunk?: number | undefined;
  /**
   * Frames of right context before a frame is final, at least 0. Not with `contextSize`.
   * @defaultValue the preset's
   */
  lookahead?: number | undefined;
  /**
   * Frames of left context, at least 0. Not with `contextSize`.
   * @defaultValue the preset's, 128
   */
  left?: number | undefined;
  /**
   * Tokens that several drafts in a row agree on are final before their lookahead is there: `drafts`, 2 to 10, and `lookahead`, the frames
   * that the last of them must have seen after the token's first one, and the `confidence` that each must have in it, 0 to 1. `false` for
   * never.
   * @defaultValue the preset's; without one, `false`
   */
  agreement?: { drafts: number; lookahead: number; confidence: number } | false | undefined;
  /**
   * Local attention as in parakeet-mlx: each frame attends to `[left, right]` frames. Sets
   * `lookahead = min(depth, layers) × (right + (kernel − 1) / 2)`. Of a cache-aware model, one of its contexts.
   * @defaultValue none; `lookahead` and `left` decide
   */
  contextSize?: readonly [left: number, right: number] | undefined;
  /**
   * Layers whose right context is exact, at least 1; only with `contextSize`.
   * @defaultValue 1
   */
  depth?: number | undefined;
  /**
   * With `contextSize`: attend to all that is cached and to the whole step instead of the band.
   * @defaultValue false
   */
  keepOriginalAttention?: boolean | undefined;
  /**
   * Statistics that normalise the mel frames: those of the speech of the last seconds, none, or given ones (`mean` and `std` with one value
   * per mel feature). Given ones with `frames` (1 to 10,000) are only initial values: the statistics continue as if so many mel frames with
   * these values had been received before, at the level of the first speech. `'running'` begins with those of the model folder's
   * `streaming.json`, if it has one.
   * @defaultValue `'running'`
   */
  normalization?: Normalization | undefined;
  /**
   * Frames after the last sound within which a token of the flush may begin, at least 0.
   * @defaultValue 4
   */
  emissionDelay?: number | undefined;
  /**
   * The model sleeps while nobody speaks: pauses longer than `speechHangover` cost almost nothing, and what follows is transcribed without
   * earlier context. Sound counts as speech when it is 6.5 dB louder than the room. Without the gate, only digital silence before the first
   * sound is skipped.
   * @defaultValue false
   */
  silenceGate?: boolean | undefined;
  /**
   * Seconds of quiet after which speech is over (`speechEnd`, `silenceGate`), 0.1 to 10.
   * @defaultValue 0.8
   */
  speechHangover?: number | undefined;
  /**
   * What happens when the machine is slower than speech. In any case drafts are left out and finals come later. `'keep'`: nothing else; the
   * transcript does not change. `'growSteps'`: up to four waiting steps are taken as one, which costs less and has more lookahead; the
   * transcript then depends on the machine's speed, and `stats.stepsGrown` counts it. No audio and no final is ever dropped.
   * @defaultValue `'keep'`
   */
  lagPolicy?: 'keep' | 'growSteps' | undefined;
  /**
   * The language that is spoken, for a model that is told it: one of `info.prompts`.
   * @defaultValue `'auto'`: the model finds out
   */
  language?: string | undefined;
}

/** The names of {@link StreamingOptions}. */
export const streamingOptionKeys = [
  'latency',
  'chunk',
  'lookahead',
  'left',
  'agreement',
  'contextSize',
  'depth',
  'keepOriginalAttention',
  'normalization',
  'emissionDelay',
  'silenceGate',
  'speechHangover',
  'lagPolicy',
  'language',
] as const;

/** Options of a live stream's encoder, in seconds. */
export interface LiveTuning {
  latency?: Latency | undefined;
  normalization?: Normalization | undefined;
  lagPolicy?: StreamingOptions['lagPolicy'];
  language?: string | undefined;
}

/** The same in the model's frames. @throws {@link ArgumentError} */
export function streamingOf(
  info: NativeModelInfo,
  { latency, normalization, lagPolicy, language }: LiveTuning,
  silence: SettledSilence,
): StreamingOptions {
  return {
    ...framesOfLatency(info, latency),
    normalization,
    lagPolicy,
    language,
    silenceGate: silence.gate,
    speechHangover: silence.hangover,
    emissionDelay: framesOf(info, silence.emissionDelay),
  };
}

/** Checks everything that can be checked without the model. @throws {@link ArgumentError} */
function checkStreaming(options: StreamingOptions): void {
  if (typeof options.latency === 'number') checkLatency(options.latency);
  else oneOf('latency', options.latency ?? 'balanced', latencyPresets);
  if (options.chunk !== undefined) integer('chunk', options.chunk, 1, MAX_FRAMES);
  if (options.lookahead !== undefined) integer('lookahead', options.lookahead, 0, MAX_FRAMES);
  if (options.left !== undefined) integer('left', options.left, 0, MAX_FRAMES);
  if (options.depth !== undefined) integer('depth', options.depth, 1);
  checkAgreement(options.agreement);
  if (options.emissionDelay !== undefined) integer('emissionDelay', options.emissionDelay, 0, MAX_FRAMES);
  flag('keepOriginalAttention', options.keepOriginalAttention ?? false);
  flag('silenceGate', options.silenceGate ?? false);
  finite('speechHangover', options.speechHangover ?? DEFAULT_SILENCE.hangover, 0.1, 10);
  oneOf('lagPolicy', options.lagPolicy ?? 'keep', ['keep', 'growSteps']);
  if (options.contextSize === undefined) {
    if (options.depth !== undefined) {
      throw expected(
        'contextSize beside depth',
        'contextSize',
        undefined,
        'Without it, lookahead says how far a frame sees.',
      );
    }
  } else {
    const [left, right] = pair(options.contextSize);
    integer('contextSize[0]', left, 0, MAX_FRAMES);
    integer('contextSize[1]', right, 0, MAX_FRAMES);
    for (const option of ['lookahead', 'left'] as const) {
      if (options[option] !== undefined) {
        throw expected(
          `no value beside contextSize, which sets it,`,
          option,
          options[option],
          'Leave out one of the two.',
        );
      }
    }
  }
  checkNormalization(options.normalization);
  checkLanguage(options.language);
}

function checkAgreement(agreement: StreamingOptions['agreement'] = false): void {
  if (agreement === false) return;
  known('agreement', agreement, ['drafts', 'lookahead', 'confidence']);
  integer('agreement.drafts', agreement.drafts, 2, MOST_DRAFTS);
  integer('agreement.lookahead', agreement.lookahead, 0, MAX_FRAMES);
  finite('agreement.confidence', agreement.confidence, 0, 1);
}

/** Checks what needs no model. @throws {@link ArgumentError} */
export function checkNormalization(normalization: Normalization = 'running'): void {
  if (typeof normalization === 'object' && normalization !== null)
    known('normalization', normalization, ['mean', 'std', 'frames']);
  else oneOf('normalization', normalization, ['running', 'none']);
}

function framesOfLatency(info: NativeModelInfo, latency: Latency | undefined): StreamingOptions {
  if (isCacheAware(info)) return { contextSize: contextOf(info, latency) };
  const { chunk, lookahead, left, agreement } = settleLatency(latency);
  return {
    agreement: agreementFrames(info, agreement),
    chunk: Math.max(1, framesOf(info, chunk)),
    lookahead: framesOf(info, lookahead),
    left:
      typeof latency === 'object' && latency.left !== undefined
        ? framesOf(info, left)
        : usualLeft(info, left),
  };
}

function agreementFrames(info: NativeModelInfo, agreement: AgreementSeconds | undefined) {
  return agreement && { ...agreement, lookahead: framesOf(info, agreement.lookahead) };
}

/** Frames of left context when none is asked for. */
function usualLeft(info: NativeModelInfo, seconds: number): number {
  return Math.min(framesOf(info, seconds), info.chunkLeft ?? Number.POSITIVE_INFINITY);
}

/**
 * The encoder's numbers for a model.
 *
 * @param historySeconds Seconds of audio that can be transcribed again, besides what the steps need.
 * @throws {@link ArgumentError}
 */
export function resolveStreaming(
  info: NativeModelInfo,
  options: StreamingOptions = {},
  historySeconds = 0,
): NativeEncoderOptions {
  checkStreaming(options);
  const common = {
    emissionDelay: options.emissionDelay ?? framesOf(info, DEFAULT_SILENCE.emissionDelay),
    hangover: melFrames(info, options.speechHangover ?? DEFAULT_SILENCE.hangover),
    gate: options.silenceGate ?? false,
    history: melFrames(info, historySeconds),
    grow: options.lagPolicy === 'growSteps' ? MOST_GROWN : 1,
  };
  if (isCacheAware(info)) return { ...common, ...resolveContext(info, options) };
  inLanguage(info, options.language, info.attention);
  const preset = settleLatency(options.latency);
  const own = {
    ...common,
    chunk: options.chunk ?? Math.max(1, framesOf(info, preset.chunk)),
    agreement: (options.agreement ?? agreementFrames(info, preset.agreement)) || undefined,
    normalization: statistics(options.normalization ?? 'running', info),
    recall: [-1, -1] as [number, number],
  };
  if (options.contextSize === undefined) {
    const left = options.left ?? usualLeft(info, preset.left);
    const context: [number, number] = options.keepOriginalAttention ? [-1, -1] : [left, -1];
    return {
      ...own,
      lookahead: options.lookahead ?? framesOf(info, preset.lookahead),
      context,
      cache: left,
    };
  }
  const [left, right] = options.contextSize;
  // Each layer adds `right` frames of attention and half the kernel of its depthwise convolution.
  const depth = Math.min(options.depth ?? 1, info.layers);
  const lookahead = depth * (right + (info.convKernel - 1) / 2);
  return {
    ...own,
    lookahead,
    context: options.keepOriginalAttention ? [-1, -1] : [left, right],
    cache: left,
  };
}

/** The number of mel frames in so many seconds. */
export function melFrames(info: Pick<NativeModelInfo, 'sampleRate' | 'hop'>, seconds: number): number {
  return Math.round((seconds * info.sampleRate) / info.hop);
}

function pair(value: unknown): readonly [unknown, unknown] {
  if (Array.isArray(value) && value.length === 2) return value as unknown as [unknown, unknown];
  throw expected('[left, right]', 'contextSize', value);
}

function statistics(
  wanted: Normalization,
  { features, prior }: NativeModelInfo,
): NativeEncoderOptions['normalization'] {
  const normalization = wanted === 'running' && prior ? prior : wanted;
  if (typeof normalization === 'string') return normalization;
  const check = (name: 'mean' | 'std', positive: boolean) => {
    const values = Float32Array.from(normalization[name] ?? []);
    if (values.length !== features || !values.every((v) => Number.isFinite(v) && (!positive || v > 0))) {
      throw expected(
        `${features} ${positive ? 'positive' : 'finite'} numbers, one per mel feature,`,
        `normalization.${name}`,
        normalization[name],
      );
    }
    return values;
  };
  const { frames } = normalization;
  const given = { mean: check('mean', false), std: check('std', true) };
  return frames === undefined
    ? given
    : { ...given, frames: integer('normalization.frames', frames, 1, MAX_FRAMES) };
}
