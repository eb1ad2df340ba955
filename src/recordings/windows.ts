/**
 * Windows of a recording: cut from samples as they arrive, each transcribed with full context, merged to one list of tokens. Holds one
 * window at a time. It knows nothing of files or events.
 */

import type {
  NativeAttention,
  NativeContext,
  NativeDecoding,
  NativeModelInfo,
  NativeTokens,
} from '../engine/addon.js';
import { runJob } from '../engine/jobs.js';
import type { ArgumentError } from '../errors.js';
import { isCacheAware, trainedContext } from '../model/cache-aware.js';
import { inLanguage } from '../model/language.js';
import { framesOf, type SettledSilence } from '../model/latency.js';
import type { LoadedModel } from '../model/loaded-model.js';
import { expected, finite, known } from '../options.js';
import { WindowMerger } from './merge-windows.js';

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

/** A token with its frames in the whole recording. */
interface FrameToken {
  id: number;
  start: number;
  end: number;
  duration: number;
  confidence: number;
}

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

/** A window that is being transcribed. */
interface Hearing {
  /** Its first frame, and the first one after it. */
  start: number;
  end: number;
  answer: Promise<{ tokens: NativeTokens; computeSeconds: number }>;
}

/** Cuts samples into windows, transcribes each when it is full, and merges the results. */
export class Windows {
  readonly #merger: WindowMerger<FrameToken>;
  readonly #frame: number;
  #settled: FrameToken[] = [];
  #settledFrames = 0;
  #samples = 0;
  #heard = 0;
  #computeSeconds = 0;
  /** In their order. */
  readonly #hearing: Hearing[] = [];
  /** Its first `#held` samples wait. Grows to a window; or is what was pushed last, which is only read. */
  #buffer: Float32Array = new Float32Array(0);
  #isOurs = true;
  #held = 0;
  /** Sample at which the held audio begins. */
  #start = 0;

  constructor(
    private readonly model: LoadedModel,
    private readonly plan: WindowPlan,
    /** How tokens are chosen; new phrases take effect with the next window. */
    public decoding: NativeDecoding,
    private readonly signal: AbortSignal | undefined,
  ) {
    this.#frame = model.info.hop * model.info.subsamplingFactor;
    this.#merger = new WindowMerger(plan.overlap / this.#frame);
  }

  /** Samples transcribed and waiting. */
  get samples(): number {
    return this.#samples;
  }

  /** Windows transcribed, and their cost. */
  get heard(): { windows: number; computeSeconds: number } {
    return { windows: this.#heard, computeSeconds: this.#computeSeconds };
  }

  /** Frames that no later window changes. */
  get settledFrames(): number {
    return this.#settledFrames;
  }

  /** The tokens that no later window can change, and that were not taken yet. */
  take(): NativeTokens {
    const tokens = this.#settled;
    this.#settled = [];
    return toNative(tokens);
  }

  async push(samples: Float32Array): Promise<void> {
    const { window, overlap } = this.plan;
    this.#samples += samples.length;
    for (let at = 0; at < samples.length; ) {
      // A window that ends with the recording is the last one: it waits for one more sample, and gets the flush.
      if (this.#held === window) {
        this.#hear(this.#buffer.subarray(0, window), 0);
        this.#drop(window - overlap);
        while (this.#hearing.length >= this.plan.atOnce) await this.#keepOldest();
      }
      const piece = samples.subarray(at, at + window - this.#held);
      at += piece.length;
      this.#add(piece);
    }
  }

  /** The recording has ended, or begins again: transcribes what is held as the last window. */
  async finish(): Promise<void> {
    if (this.#held > 0) this.#hear(this.#buffer.subarray(0, this.#held), this.plan.flush);
    this.#drop(this.#held);
    while (this.#hearing.length > 0) await this.#keepOldest();
    this.settle();
  }

  /** No window follows. */
  settle(): void {
    this.#keep(this.#merger.finish());
    this.#settledFrames = Math.round(this.#start / this.#frame);
  }

  /** The engine copies the samples at once. */
  #hear(samples: Float32Array, flush: number): void {
    const { plan, decoding } = this;
    const { context, emissionDelay } = plan;
    const answer = runJob(
      this.model.addon,
      this.signal,
      (job) => this.model.native.transcribe(samples, { context, decoding, flush, emissionDelay, job }),
      this.model.jobs,
    );
    // A window that fails is reported when its turn comes.
    answer.catch(() => {});
    const start = Math.round(this.#start / this.#frame);
    this.#hearing.push({ start, end: start + samples.length / this.#frame, answer });
  }

  /** Waits for the window that began first. */
  async #keepOldest(): Promise<void> {
    const { start, end, answer } = this.#hearing[0] as Hearing;
    const { tokens, computeSeconds } = await answer;
    this.#hearing.shift();
    this.#heard++;
    this.#computeSeconds += computeSeconds;
    this.#keep(this.#merger.push({ tokens: fromNative(tokens, start), start, end }));
    this.#settledFrames = end - this.plan.overlap / this.#frame;
  }

  #keep(settled: readonly FrameToken[]): void {
    // Not spread: a whole day in one window has more tokens than a call can have arguments.
    for (const token of settled) this.#settled.push(token);
  }

  #add(piece: Float32Array): void {
    const count = this.#held + piece.length;
    if (this.#held === 0 && piece.length > this.#buffer.length) {
      // Perhaps all that is coming: it is copied when more comes.
      this.#buffer = piece;
      this.#isOurs = false;
    } else {
      if (!this.#isOurs || count > this.#buffer.length)
        this.#own(Math.min(this.plan.window, Math.max(count, 2 * this.#buffer.length)), 0);
      this.#buffer.set(piece, this.#held);
    }
    this.#held = count;
  }

  /** Forgets the first `count` samples. */
  #drop(count: number): void {
    if (this.#isOurs) this.#buffer.copyWithin(0, count, this.#held);
    else this.#own(this.#held - count, count);
    this.#held -= count;
    this.#start += count;
  }

  /** Room for `size` samples, and in it those that are held, from `first` on. */
  #own(size: number, first: number): void {
    const buffer = new Float32Array(size);
    buffer.set(this.#buffer.subarray(first, this.#held));
    this.#buffer = buffer;
    this.#isOurs = true;
  }
}

function fromNative({ ids, starts, durations, confidences }: NativeTokens, first: number): FrameToken[] {
  return Array.from(ids, (id, i) => {
    const start = first + (starts[i] as number);
    const duration = durations[i] as number;
    return { id, start, end: start + duration, duration, confidence: confidences[i] as number };
  });
}

function toNative(tokens: readonly FrameToken[]): NativeTokens {
  return {
    ids: Int32Array.from(tokens, (token) => token.id),
    starts: Int32Array.from(tokens, (token) => token.start),
    durations: Int32Array.from(tokens, (token) => token.duration),
    confidences: Float32Array.from(tokens, (token) => token.confidence),
  };
}
