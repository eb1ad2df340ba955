/**
 * The parts of a transcription, for programs that build their own: samples to log-mel frames, those to encoder frames, and those to text.
 * Typed arrays in and out, row-major; no streams.
 */

import { mustBeFinite } from './audio/samples.js';
import type { NativeContext } from './engine/addon.js';
import { runJob } from './engine/jobs.js';
import type { TranscriptResult } from './events.js';
import { isCacheAware } from './model/cache-aware.js';
import { calibrationOf, type DecodingOptions, resolveDecoding } from './model/decoding.js';
import { inLanguage } from './model/language.js';
import type { LoadedModel } from './model/loaded-model.js';
import { TokenPlacer } from './model/token-placer.js';
import { expected, finite, flag, known, optionalSignal } from './options.js';
import { attentionOf, checkAttention } from './recordings/window-plan.js';
import { ruleOf } from './text/confidence.js';
import { checkSentences, type SentenceOptions } from './text/sentence-options.js';
import { splitSentences, textOf } from './text/sentence-splitter.js';

/** Log-mel frames: `frames × features` natural logarithms, a frame every `info.hop` samples, not normalised. */
export interface LogMelFrames {
  data: Float32Array;
  frames: number;
  features: number;
}

/** Encoder frames: `frames × width`, one every `info.subsamplingFactor` mel frames. */
export interface EncoderFrames {
  data: Float32Array;
  frames: number;
  width: number;
}

/** Options of `model.encodeLogMel` and `model.generate`. */
export interface EncodeLogMelOptions {
  /**
   * Normalise each feature over all frames, as NeMo does before its encoder. False for frames that are already normalised.
   * @defaultValue true, or false for a cache-aware model
   */
  normalize?: boolean | undefined;
  /**
   * Local attention: each frame attends to so many seconds before and after it, 0 to 80,000. A cache-aware model has those that it was
   * trained with.
   * @defaultValue the model's own, usually all frames
   */
  attention?: { left: number; right: number } | undefined;
  /**
   * The language that is spoken, for a model that is told it: one of `info.prompts`.
   * @defaultValue `'auto'`: the model finds out
   */
  language?: string | undefined;
  /** Cancels the work. */
  signal?: AbortSignal | undefined;
}

/** Options of `model.generate`. */
export interface GenerateOptions extends EncodeLogMelOptions {
  /**
   * How tokens are chosen, and phrases that are boosted.
   * @defaultValue greedy
   */
  decoding?: DecodingOptions | undefined;
  /**
   * Where sentences end, besides punctuation.
   * @defaultValue nowhere else
   */
  sentences?: SentenceOptions | undefined;
}

const encodeKeys = ['normalize', 'attention', 'language', 'signal'];

/** `model.computeLogMel`. */
export async function computeLogMel(
  model: LoadedModel,
  samples: Float32Array,
  flushSilence: number,
): Promise<LogMelFrames> {
  if (!(samples instanceof Float32Array))
    throw expected('a Float32Array of mono samples', 'samples', samples);
  const { sampleRate, features } = model.info;
  mustBeFinite(samples, sampleRate);
  const silence = Math.round(finite('flushSilence', flushSilence, 0, 10) * sampleRate);
  const all = new Float32Array(samples.length + silence);
  all.set(samples);
  const { data, rows } = await model.native.logMel(all);
  return { data, frames: rows, features };
}

/** `model.encodeLogMel`. */
export async function encodeLogMel(
  model: LoadedModel,
  mel: LogMelFrames,
  options: EncodeLogMelOptions,
): Promise<EncoderFrames> {
  known('encodeLogMel', options, encodeKeys);
  const signal = optionalSignal('signal', options.signal);
  const normalize = normalizes(model, options.normalize);
  const context = contextOf(model, options);
  checkMel(model, mel);
  const features = normalize ? (await model.native.normalize(mel.data, mel.frames)).data : mel.data;
  const encoded = await runJob(
    model.addon,
    signal,
    (job) => model.native.encode(features, mel.frames, context, job),
    model.jobs,
  );
  return { data: encoded.data, frames: encoded.rows, width: encoded.columns };
}

/** `model.generate` for one input. */
export async function generate(
  model: LoadedModel,
  mel: LogMelFrames,
  options: GenerateOptions,
): Promise<TranscriptResult> {
  known('generate', options, [...encodeKeys, 'decoding', 'sentences']);
  checkSentences(options.sentences);
  const decoding = resolveDecoding(model.info, options.decoding);
  const signal = optionalSignal('signal', options.signal);
  const normalize = normalizes(model, options.normalize);
  const context = contextOf(model, options);
  checkMel(model, mel);
  const heard = await runJob(
    model.addon,
    signal,
    (job) => model.native.recognizeMel(mel.data, mel.frames, { normalize, context, decoding, job }),
    model.jobs,
  );
  const calibration = calibrationOf(model.info, options.decoding);
  const tokens = new TokenPlacer(model.info, calibration).final(heard.tokens);
  const sentences = splitSentences(tokens, options.sentences, ruleOf(calibration));
  return { text: textOf(tokens), sentences, tokens };
}

function checkMel(model: LoadedModel, mel: LogMelFrames): void {
  const { features } = model.info;
  const fits =
    typeof mel === 'object' &&
    mel !== null &&
    mel.data instanceof Float32Array &&
    Number.isInteger(mel.frames) &&
    mel.frames >= 1 &&
    mel.features === features &&
    mel.data.length === mel.frames * features;
  if (!fits)
    throw expected(
      `at least one frame of ${features} mel features, as computeLogMel gives them,`,
      'mel',
      mel,
    );
  if (!mel.data.every(Number.isFinite)) throw expected('finite mel features', 'mel.data', mel.data);
}

/** Whether features are normalised. @throws {@link ArgumentError} */
function normalizes(model: LoadedModel, normalize: boolean | undefined): boolean {
  const wanted = flag('normalize', normalize ?? !isCacheAware(model.info));
  if (!wanted || !isCacheAware(model.info)) return wanted;
  throw expected('false for a cache-aware model, which takes features as they are,', 'normalize', normalize);
}

function contextOf(model: LoadedModel, { attention, language }: EncodeLogMelOptions): NativeContext {
  checkAttention('attention', attention);
  return inLanguage(model.info, language, attentionOf(model.info, 'attention', attention));
}
