/**
 * Whole recordings: windows of audio, each heard with full context, merged to one transcript. Holds one window at a time.
 */
import { AudioError, ParakeetError } from '../errors.js';
import type { Token, TranscriptResult } from '../events.js';
import { expected, finite, integer, known, optionalSignal } from '../options.js';
import { DEFAULT_EMISSION_DELAY, DEFAULT_FLUSH_SILENCE } from '../streaming-options.js';
import { type DecodeOptions, decode } from '../transforms/decode.js';
import {
  type SentenceOptions,
  SentenceSplitter,
  splitSentences,
  textOf,
} from '../transforms/sentence-splitter.js';
import type { NativeContext, NativeDecoding, NativeTokens } from './addon.js';
import type { BoostPhrase } from './boost.js';
import { type DecodingOptions, resolveDecoding } from './decoding.js';
import { runJob } from './jobs.js';
import { WindowMerger } from './merge.js';
import type { Model } from './model.js';
import { type Recording, readRecording } from './recording.js';
import { TokenPlacer } from './token-placer.js';

/** Options of `model.transcribe`. */
export interface TranscribeOptions
  extends Pick<DecodeOptions, 'format' | 'sampleRate' | 'channels' | 'start' | 'duration' | 'stream'>,
    SentenceOptions {
  /** Seconds of each window, more than 0; `null` or 0 hears the whole recording at once. Default 120. */
  chunkDuration?: number | null | undefined;
  /** Seconds that neighbouring windows share, less than `chunkDuration`. Default 15, or a quarter of a `chunkDuration` below 60. */
  overlapDuration?: number | undefined;
  /** Local attention: each frame attends to `[left, right]` frames. Default: the model's own, mostly to all of its window. */
  localAttention?: readonly [left: number, right: number] | undefined;
  /** How tokens are chosen. Default greedy. */
  decoding?: DecodingOptions | undefined;
  /** Phrases to listen for: names, terms. Default none. */
  boost?: readonly BoostPhrase[] | undefined;
  /** Seconds of silence after the end, so that the model gives out its last words, 0 to 10. Default 0.64. */
  flushSilence?: number | undefined;
  /** Frames after the last sound within which a token of the flush may begin, at least 0. Default 4. */
  emissionDelay?: number | undefined;
  /** Gives up the work. */
  signal?: AbortSignal | undefined;
  /** Called as the recording is worked through; both in bytes of it, `total` 0 when unknown. */
  onProgress?: ((progress: { processed: number; total: number }) => void) | undefined;
}

const keys = [
  'format',
  'sampleRate',
  'channels',
  'start',
  'duration',
  'stream',
  'maxWords',
  'silenceGap',
  'maxDuration',
  'chunkDuration',
  'overlapDuration',
  'localAttention',
  'decoding',
  'boost',
  'flushSilence',
  'emissionDelay',
  'signal',
  'onProgress',
];

interface Plan {
  /** Samples of a window and of what it shares with the next one; whole frames. */
  window: number;
  overlap: number;
  context: NativeContext;
  decoding: NativeDecoding;
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

/** `model.transcribe`. */
export async function transcribeRecording(
  model: Model,
  source: Recording,
  options: TranscribeOptions,
): Promise<TranscriptResult> {
  known('transcribe', options, keys);
  new SentenceSplitter(options);
  const signal = optionalSignal('signal', options.signal);
  const windows = new Windows(model, plan(model, options), signal);
  const { format, sampleRate, channels, start, duration, stream, onProgress } = options;
  // Mistakes in these are mistakes for samples too, which have no need of them.
  decode({ format, sampleRate, channels, start, duration, stream }).destroy();
  const read = runJob(model.addon, signal, () =>
    readRecording(
      source,
      model.info.sampleRate,
      {
        format,
        sampleRate,
        channels,
        start,
        duration,
        stream,
        signal,
        onBytes: onProgress && ((processed, total) => onProgress({ processed, total })),
      },
      (samples) => windows.push(samples),
    ),
  );
  const result = () => {
    const placer = new TokenPlacer(model.info);
    placer.duration = windows.samples / model.info.sampleRate;
    const tokens: Token[] = placer.final(toNative(windows.tokens));
    return { text: textOf(tokens), sentences: splitSentences(tokens, options), tokens };
  };
  try {
    await read;
    await windows.finish();
  } catch (error) {
    if (!(error instanceof ParakeetError)) throw error;
    // What was heard is not lost with the rest of the recording. After an abort, only what is done already.
    if (error instanceof AudioError) await windows.finish();
    else windows.settle();
    if (windows.tokens.length > 0) error.heard = result();
    throw error;
  }
  return result();
}

function plan(model: Model, options: TranscribeOptions): Plan {
  const { sampleRate, hop, subsamplingFactor } = model.info;
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
    context: options.localAttention === undefined ? model.info.attention : context(options.localAttention),
    decoding: resolveDecoding(model.info, options.decoding, options.boost),
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
class Windows {
  readonly #merger: WindowMerger<FrameToken>;
  readonly #frame: number;
  /** Tokens that no later window can change. */
  readonly tokens: FrameToken[] = [];
  /** Samples heard and waiting. */
  samples = 0;
  #pieces: Float32Array[] = [];
  #held = 0;
  /** Sample at which the held audio begins. */
  #start = 0;

  constructor(
    private readonly model: Model,
    private readonly plan: Plan,
    private readonly signal: AbortSignal | undefined,
  ) {
    this.#frame = model.info.hop * model.info.subsamplingFactor;
    this.#merger = new WindowMerger(plan.overlap / this.#frame);
  }

  async push(samples: Float32Array): Promise<void> {
    const { window, overlap } = this.plan;
    this.#pieces.push(samples);
    this.#held += samples.length;
    this.samples += samples.length;
    // A window that the recording ends with is the last one: it waits for a sample more, and gets the flush.
    while (this.#held > window) {
      const held = this.#join();
      await this.#hear(held.subarray(0, window), 0);
      const step = window - overlap;
      this.#pieces = [held.slice(step)];
      this.#held -= step;
      this.#start += step;
    }
  }

  /** The recording is over: hears the last window. */
  async finish(): Promise<void> {
    if (this.#held > 0) await this.#hear(this.#join(), this.plan.flush);
    this.settle();
  }

  /** No window follows. */
  settle(): void {
    for (const token of this.#merger.finish()) this.tokens.push(token);
  }

  async #hear(samples: Float32Array, flush: number): Promise<void> {
    const { context, decoding, emissionDelay } = this.plan;
    const { tokens } = await runJob(
      this.model.addon,
      this.signal,
      (job) => this.model.native.transcribe(samples, { context, decoding, flush, emissionDelay, job }),
      this.model.jobs,
    );
    const first = this.#start / this.#frame;
    const settled = this.#merger.push({
      tokens: fromNativeTokens(tokens, first),
      start: first,
      end: first + samples.length / this.#frame,
    });
    // Not spread: a whole day in one window has more tokens than a call has room for arguments.
    for (const token of settled) this.tokens.push(token);
  }

  #join(): Float32Array {
    const [only] = this.#pieces;
    if (only && this.#pieces.length === 1) return only;
    const joined = new Float32Array(this.#held);
    let at = 0;
    for (const piece of this.#pieces) {
      joined.set(piece, at);
      at += piece.length;
    }
    this.#pieces = [joined];
    return joined;
  }
}

function fromNativeTokens(
  { ids, starts, durations, confidences }: NativeTokens,
  first: number,
): FrameToken[] {
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
