/**
 * How a whole recording is cut into windows: the options, their defaults and checks, and the windows' places in samples. Nothing is
 * transcribed here.
 */
import type { NativeAttention, NativeContext, NativeModelInfo } from '../engine/addon.js';
import type { ArgumentError } from '../errors.js';
import { isCacheAware, trainedContext } from '../model/cache-aware.js';
import { inLanguage } from '../model/language.js';
import { framesOf, type SettledSilence } from '../model/latency.js';
import { expected, finite, known } from '../options.js';

/** How a whole recording is cut into windows. */
export interface WindowOptions {
  /**
   * Seconds of each window, more than 0; `Infinity` transcribes the whole recording at once.
   * @defaultValue 120
   */
  duration?: number | undefined;
  /**
   * Seconds that adjacent windows share, less than `duration`.
   * @defaultValue 15, or a quarter of a `duration` below 60
   */
  overlap?: number | undefined;
  /**
   * Local attention: each frame attends to so many seconds before and after it, 0 to 80,000. Saves memory in long windows. A cache-aware
   * model has those that it was trained with.
   * @defaultValue the model's own, usually all of the window
   */
  attention?: { left: number; right: number } | undefined;
}

/** {@link WindowOptions} with their defaults. */
interface SettledWindows {
  duration: number;
  overlap: number;
  attention: { left: number; right: number } | undefined;
}

/** @throws {@link ArgumentError} */
export function settleWindows(windows: WindowOptions = {}): SettledWindows {
  known('windows', windows, ['duration', 'overlap', 'attention']);
  const { duration = DEFAULT_DURATION, attention } = windows;
  if (duration !== Number.POSITIVE_INFINITY) finite('windows.duration', duration, Number.MIN_VALUE);
  const whole = duration === Number.POSITIVE_INFINITY;
  const overlap = windows.overlap ?? (whole ? 0 : Math.min(DEFAULT_OVERLAP, duration / 4));
  finite('windows.overlap', overlap, 0);
  if (overlap >= duration) throw tooMuchOverlap(duration, overlap);
  checkAttention('windows.attention', attention);
  return { duration, overlap, attention };
}

/**
 * An attention in frames, by default the model's own. @throws {@link ArgumentError} for one that a cache-aware model was not trained with.
 */
export function attentionOf(
  info: Pick<NativeModelInfo, 'sampleRate' | 'hop' | 'subsamplingFactor' | 'attention' | 'contexts'>,
  option: string,
  attention: WindowOptions['attention'],
): NativeAttention {
  if (!attention) return info.attention;
  const context: NativeAttention = [framesOf(info, attention.left), framesOf(info, attention.right)];
  return isCacheAware(info) ? trainedContext(info, option, context) : context;
}

/** Checks a local attention in seconds. @throws {@link ArgumentError} */
export function checkAttention(option: string, attention: WindowOptions['attention']): void {
  if (attention === undefined) return;
  known(option, attention, ['left', 'right']);
  finite(`${option}.left`, attention.left, 0, LONGEST_ATTENTION);
  finite(`${option}.right`, attention.right, 0, LONGEST_ATTENTION);
}

const tooMuchOverlap = (duration: number, overlap: number): ArgumentError =>
  expected(`less than windows.duration (${duration} s)`, 'windows.overlap', overlap);

/** {@link WindowOptions} in a model's samples and frames. */
export interface WindowPlan {
  /** Samples of a window and of its overlap with the next one; whole frames. */
  window: number;
  overlap: number;
  context: NativeContext;
  flush: number;
  emissionDelay: number;
  /** Windows that are transcribed at the same time. */
  atOnce: number;
}

/** Seconds of a window, and of the overlap of two. */
const DEFAULT_DURATION = 120;
const DEFAULT_OVERLAP = 15;
/** A GPU is full with this many seconds of windows; a CPU is with one window. */
const GPU_SECONDS = 1920;
/** Most seconds of attention: nearly a day. */
const LONGEST_ATTENTION = 80_000;

/** @throws {@link ArgumentError} */
export function planWindows(
  info: Pick<
    NativeModelInfo,
    'sampleRate' | 'hop' | 'subsamplingFactor' | 'attention' | 'contexts' | 'prompts' | 'device'
  >,
  options: WindowOptions | undefined,
  silence: SettledSilence,
  language?: string,
): WindowPlan {
  const { duration, overlap: overlapSeconds, attention } = settleWindows(options);
  const { sampleRate, hop, subsamplingFactor } = info;
  const frame = hop * subsamplingFactor;
  const samples = (seconds: number) => framesOf(info, seconds) * frame;
  const window = Math.max(frame, samples(duration));
  const overlap = samples(overlapSeconds);
  if (overlap >= window) throw tooMuchOverlap(duration, overlapSeconds);
  return {
    window,
    overlap,
    context: inLanguage(info, language, attentionOf(info, 'windows.attention', attention)),
    flush: Math.round(silence.flush * sampleRate),
    emissionDelay: framesOf(info, silence.emissionDelay),
    atOnce: info.device === 'gpu' ? Math.max(1, Math.floor((GPU_SECONDS * sampleRate) / window)) : 1,
  };
}

/** The place of a window in its recording. */
export interface WindowSpan {
  /** Its first sample, and the first one after it. */
  from: number;
  to: number;
  /** No window follows: it gets the silence that flushes out the last word. */
  last: boolean;
}

/** The windows of a recording of `samples` samples, as `Windows` cuts them. */
export function windowSpans({ window, overlap }: WindowPlan, samples: number): WindowSpan[] {
  const spans: WindowSpan[] = [];
  for (let from = 0; samples > 0; from += window - overlap) {
    const last = samples - from <= window;
    spans.push({ from, to: last ? samples : from + window, last });
    if (last) break;
  }
  return spans;
}
