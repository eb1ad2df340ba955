/**
 * Windows of a recording: cut from samples as they come, each heard with full context, merged to one list of tokens. Holds one window
 * at a time. Knows no files and no events.
 */

import { joined } from '../audio/samples.js';
import type { NativeContext, NativeDecoding, NativeModelInfo, NativeTokens } from '../engine/addon.js';
import { runJob } from '../engine/jobs.js';
import type { LoadedModel } from '../model/loaded-model.js';
import { DEFAULT_EMISSION_DELAY, DEFAULT_FLUSH_SILENCE } from '../model/streaming-options.js';
import { expected, finite, integer } from '../options.js';
import { WindowMerger } from './merge-windows.js';

/** How a recording is cut into windows, and how each is heard. */
export interface WindowOptions {
  /** Seconds of each window, more than 0; `null` or 0 hears the whole recording at once. Default 120. */
  chunkDuration?: number | null | undefined;
  /** Seconds that neighbouring windows share, less than `chunkDuration`. Default 15, or a quarter of a `chunkDuration` below 60. */
  overlapDuration?: number | undefined;
  /** Local attention: each frame attends to `[left, right]` frames. Default: the model's own, mostly to all of its window. */
  localAttention?: readonly [left: number, right: number] | undefined;
  /** Seconds of silence after the end, so that the model gives out its last words, 0 to 10. Default 0.8. */
  flushSilence?: number | undefined;
  /** Frames after the last sound within which a token of the flush may begin, at least 0. Default 4. */
  emissionDelay?: number | undefined;
}

/** The names of {@link WindowOptions} that only windows have. */
export const windowOnlyKeys = ['chunkDuration', 'overlapDuration', 'localAttention'] as const;
/** The names of {@link WindowOptions}. */
export const windowOptionKeys = [...windowOnlyKeys, 'flushSilence', 'emissionDelay'] as const;

/** {@link WindowOptions} in a model's samples and frames. */
export interface WindowPlan {
  /** Samples of a window and of what it shares with the next one; whole frames. */
  window: number;
  overlap: number;
  context: NativeContext;
  flush: number;
  emissionDelay: number;
}

/** Most frames that an option may name: more than a day. */
const MAX_FRAMES = 1_000_000;

/** A token placed on the frames of the whole recording. */
interface FrameToken {
  id: number;
  start: number;
  end: number;
  duration: number;
  confidence: number;
}

/** @throws {@link ArgumentError} */
export function planWindows(
  info: Pick<NativeModelInfo, 'sampleRate' | 'hop' | 'subsamplingFactor' | 'attention'>,
  options: WindowOptions,
): WindowPlan {
  const { sampleRate, hop, subsamplingFactor } = info;
  const frame = hop * subsamplingFactor;
  const whole = (seconds: number) => Math.round((seconds * sampleRate) / frame) * frame;
  const duration =
    options.chunkDuration === null ? 0 : finite('chunkDuration', options.chunkDuration ?? 120, 0);
  const window = duration === 0 ? Number.POSITIVE_INFINITY : Math.max(frame, whole(duration));
  const overlapDuration = options.overlapDuration ?? (duration === 0 ? 0 : Math.min(15, duration / 4));
  const overlap = whole(finite('overlapDuration', overlapDuration, 0));
  if (overlap >= window) {
    throw expected(`less than chunkDuration (${duration} s)`, 'overlapDuration', overlapDuration);
  }
  return {
    window,
    overlap,
    context: options.localAttention === undefined ? info.attention : context(options.localAttention),
    flush: Math.round(
      finite('flushSilence', options.flushSilence ?? DEFAULT_FLUSH_SILENCE, 0, 10) * sampleRate,
    ),
    emissionDelay: integer('emissionDelay', options.emissionDelay ?? DEFAULT_EMISSION_DELAY, 0, MAX_FRAMES),
  };
}

function context(value: unknown): NativeContext {
  if (!Array.isArray(value) || value.length !== 2) throw expected('[left, right]', 'localAttention', value);
  return [
    integer('localAttention[0]', value[0], 0, MAX_FRAMES),
    integer('localAttention[1]', value[1], 0, MAX_FRAMES),
  ];
}

/** Cuts samples into windows, hears each when it is full, and merges what was heard. */
export class Windows {
  readonly #merger: WindowMerger<FrameToken>;
  readonly #frame: number;
  #settled: FrameToken[] = [];
  #settledFrames = 0;
  #samples = 0;
  #heard = 0;
  #computeSeconds = 0;
  #pieces: Float32Array[] = [];
  #held = 0;
  /** Sample at which the held audio begins. */
  #start = 0;

  constructor(
    private readonly model: LoadedModel,
    private readonly plan: WindowPlan,
    /** How tokens are chosen; other phrases hold from the next window on. */
    public decoding: NativeDecoding,
    private readonly signal: AbortSignal | undefined,
  ) {
    this.#frame = model.info.hop * model.info.subsamplingFactor;
    this.#merger = new WindowMerger(plan.overlap / this.#frame);
  }

  /** Samples heard and waiting. */
  get samples(): number {
    return this.#samples;
  }

  /** Windows heard, and what they cost. */
  get heard(): { windows: number; computeSeconds: number } {
    return { windows: this.#heard, computeSeconds: this.#computeSeconds };
  }

  /** Frames that no later window changes. */
  get settledFrames(): number {
    return this.#settledFrames;
  }

  /** The tokens that no later window can change, and that nobody took yet. */
  take(): NativeTokens {
    const tokens = this.#settled;
    this.#settled = [];
    return toNative(tokens);
  }

  async push(samples: Float32Array): Promise<void> {
    const { window, overlap } = this.plan;
    this.#pieces.push(samples);
    this.#held += samples.length;
    this.#samples += samples.length;
    // A window that the recording ends with is the last one: it waits for a sample more, and gets the flush.
    while (this.#held > window) {
      const held = this.#join();
      await this.#hear(held.subarray(0, window), 0);
      const step = window - overlap;
      this.#pieces = [held.slice(step)];
      this.#held -= step;
      this.#start += step;
      this.#settledFrames = Math.round(this.#start / this.#frame);
    }
  }

  /** The recording is over, or begins anew: hears what is held as the last window. */
  async finish(): Promise<void> {
    if (this.#held > 0) await this.#hear(this.#join(), this.plan.flush);
    this.#pieces = [];
    this.#start += this.#held;
    this.#held = 0;
    this.settle();
  }

  /** No window follows. */
  settle(): void {
    this.#keep(this.#merger.finish());
    this.#settledFrames = Math.round(this.#start / this.#frame);
  }

  async #hear(samples: Float32Array, flush: number): Promise<void> {
    const { plan, decoding } = this;
    const { context, emissionDelay } = plan;
    const { tokens, computeSeconds } = await runJob(
      this.model.addon,
      this.signal,
      (job) => this.model.native.transcribe(samples, { context, decoding, flush, emissionDelay, job }),
      this.model.jobs,
    );
    this.#heard++;
    this.#computeSeconds += computeSeconds;
    const first = Math.round(this.#start / this.#frame);
    this.#keep(
      this.#merger.push({
        tokens: fromNative(tokens, first),
        start: first,
        end: first + samples.length / this.#frame,
      }),
    );
  }

  #keep(settled: readonly FrameToken[]): void {
    // Not spread: a whole day in one window has more tokens than a call has room for arguments.
    for (const token of settled) this.#settled.push(token);
  }

  #join(): Float32Array {
    const [only] = this.#pieces;
    if (only && this.#pieces.length === 1) return only;
    const all = joined(this.#pieces);
    this.#pieces = [all];
    return all;
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
