/**
 * One window of a recording, transcribed by itself, and the list of tokens that windows in their order become. Windows may be transcribed
 * elsewhere and in any order: what counts is the order in which they are joined.
 */
import type { NativeDecoding, NativeTokens } from '../engine/addon.js';
import { runJob } from '../engine/jobs.js';
import type { LoadedModel } from '../model/loaded-model.js';
import { WindowMerger } from './merge-windows.js';
import type { WindowPlan } from './window-plan.js';

/** The tokens of a window, with frames that count from its start, and what they cost. */
export interface HeardWindow {
  tokens: NativeTokens;
  computeSeconds: number;
}

/** A token with its frames in the whole recording. */
interface FrameToken {
  id: number;
  start: number;
  end: number;
  duration: number;
  confidence: number;
}

/**
 * Transcribes one window with full context. The engine copies the samples at once.
 *
 * @param last The recording ends with it.
 */
export function hearWindow(
  model: LoadedModel,
  samples: Float32Array,
  { plan, decoding, last, signal }: HearOptions,
): Promise<HeardWindow> {
  const { context, emissionDelay } = plan;
  const flush = last ? plan.flush : 0;
  return runJob(
    model.addon,
    signal,
    (job) => model.native.transcribe(samples, { context, decoding, flush, emissionDelay, job }),
    model.jobs,
  );
}

/** How {@link hearWindow} transcribes. */
export interface HearOptions {
  plan: WindowPlan;
  decoding: NativeDecoding;
  last: boolean;
  signal: AbortSignal | undefined;
}

/** Joins the windows of one recording, given in their order. */
export class JoinedWindows {
  readonly #merger: WindowMerger<FrameToken>;
  readonly #frame: number;
  #settled: FrameToken[] = [];
  #settledFrames = 0;

  /** @param frame Samples of a frame. */
  constructor(
    frame: number,
    private readonly overlap: number,
  ) {
    this.#frame = frame;
    this.#merger = new WindowMerger(overlap / frame);
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

  /** Adds the next window: the samples `from` to `to`. */
  push(tokens: NativeTokens, { from, to }: { from: number; to: number }): void {
    const start = Math.round(from / this.#frame);
    const end = start + (to - from) / this.#frame;
    this.#keep(this.#merger.push({ tokens: fromNative(tokens, start), start, end }));
    this.#settledFrames = end - this.overlap / this.#frame;
  }

  /** No window follows the one that ended at this sample. */
  settle(samples: number): void {
    this.#keep(this.#merger.finish());
    this.#settledFrames = Math.round(samples / this.#frame);
  }

  #keep(settled: readonly FrameToken[]): void {
    // Not spread: a whole day in one window has more tokens than a call can have arguments.
    for (const token of settled) this.#settled.push(token);
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
