/**
 * A live transcript that is fed by calls instead of by a pipe: parakeet-mlx's streaming API. It uses the same engine and the same steps as
 * the stages.
 */
import { abortedBy, onAbort } from '../abort.js';
import { mustBeFinite } from '../audio/samples.js';
import type { NativeDecoder, NativeEncoder, NativeFrames, NativeMel } from '../engine/addon.js';
import { ClosedError } from '../errors.js';
import type { Token, TranscriptResult } from '../events.js';
import { type BoostPhrase, boostTreeOrNone } from '../model/boost.js';
import { isCacheAware } from '../model/cache-aware.js';
import { checkDecoding, type DecodingOptions, resolveDecoding } from '../model/decoding.js';
import { DEFAULT_SILENCE, type Latency, type SilenceOptions, settleSilence } from '../model/latency.js';
import type { LoadedModel } from '../model/loaded-model.js';
import {
  melFrames,
  type Normalization,
  resolveStreaming,
  type StreamingOptions,
  streamingOf,
  streamingOptionKeys,
} from '../model/streaming-options.js';
import { TokenPlacer } from '../model/token-placer.js';
import { UtteranceMarks } from '../model/utterance-marks.js';
import { expected, finite, known, optionalSignal } from '../options.js';
import { asSamples } from '../sources/audio-source.js';
import { checkSentences, type SentenceOptions } from '../text/sentence-options.js';
import { splitSentences, textOf } from '../text/sentence-splitter.js';
import {
  type NativeStates,
  readSnapshot,
  type SnapshotOwner,
  type SnapshotState,
  writeSnapshot,
} from './snapshot.js';

/** Options of `model.live`; durations are seconds. */
export interface LiveOptions {
  /**
   * How long a word waits for what comes after it: a preset, or seconds.
   * @defaultValue `'balanced'`
   */
  latency?: Latency | undefined;
  /**
   * The language that is spoken, for a model that is told it: one of `info.prompts`.
   * @defaultValue `'auto'`: the model finds out
   */
  language?: string | undefined;
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
  /** What happens when nobody speaks. */
  silence?: SilenceOptions | undefined;
  /**
   * Statistics that normalise the log-mel frames.
   * @defaultValue `'running'`
   */
  normalization?: Normalization | undefined;
  /**
   * What happens when the machine is slower than speech: `'keep'` or `'growSteps'`, as in `parakeet`.
   * @defaultValue `'keep'`
   */
  lagPolicy?: 'keep' | 'growSteps' | undefined;
  /**
   * A snapshot to continue from, of a stream with the same model and version. It contains the options: only `signal` may be given besides.
   * A snapshot that does not fit fails the first call with `ERR_PARAKEET_INVALID_SNAPSHOT`, or throws it at once.
   */
  from?: Uint8Array | undefined;
  /** Closes the transcript when it is aborted. */
  signal?: AbortSignal | undefined;
}

/**
 * Options of `model.transcribeStream`: those of the stage `encode`, in frames. Without `latency`, `lookahead`, `left` and `contextSize` it
 * is `contextSize: [256, 256]`, parakeet-mlx's default, a lookahead of 20.8 s (of a cache-aware model, the preset `'balanced'`).
 */
export interface TranscribeStreamOptions
  extends StreamingOptions,
    Pick<LiveOptions, 'decoding' | 'sentences' | 'from' | 'signal'> {
  /**
   * Seconds of silence that `finish` appends, so that the model emits its last words, 0 to 10.
   * @defaultValue 0.8
   */
  flushSilence?: number | undefined;
}

const commonKeys = ['decoding', 'sentences', 'from', 'signal'] as const;

/** Longest piece that is passed to the engine at once, in seconds; longer input is cut, so that closing need not wait for it. */
const PIECE_SECONDS = 10;

/** A step that was decoded. */
export interface LiveStep {
  /** What became final, marks of utterances among it. */
  tokens: readonly Token[];
  draft: readonly Token[];
  /** The first frame that is not final. */
  end: number;
  /** Where speech began and ended. */
  changes: readonly { melFrame: number; speech: boolean }[];
}

/** A live transcript that is fed by calls. Calls may overlap; they are carried out in order. */
export class LiveTranscript {
  readonly #model: LoadedModel;
  readonly #settled: SnapshotState['options'];
  readonly #mel: NativeMel;
  readonly #encoder: NativeEncoder;
  readonly #decoder: NativeDecoder;
  readonly #placer: TokenPlacer;
  readonly #marks: UtteranceMarks;
  readonly #finalized: Token[] = [];
  #draft: Token[] = [];
  #samples = 0;
  /** Why a snapshot could not be restored. */
  #failure: Error | undefined;
  #queue: Promise<void> = Promise.resolve();
  #state: 'open' | 'finished' | 'closed' | 'failed' = 'open';
  #freed: Promise<void> | undefined;
  readonly #signal: AbortSignal | undefined;
  #forgetSignal: (() => void) | undefined;

  /** @internal */
  constructor(model: LoadedModel, options: Settled) {
    const { signal } = options;
    const { from } = options;
    this.#settled = options.options;
    // Before any native object is created, which an invalid option would leak.
    const decoding = resolveDecoding(model.info, this.#settled.decoding);
    this.#model = model;
    this.#mel = model.native.createMel();
    this.#encoder = model.native.createEncoder(this.#settled.encoder);
    this.#decoder = model.native.createDecoder(decoding);
    this.#placer = new TokenPlacer(model.info);
    this.#marks = new UtteranceMarks(model.info.vocabulary);
    if (from) this.#goOn(from.state, from.native);
    this.#signal = signal;
    if (!signal) return;
    // The caller of close() gets a failure to free; for a signal there is no caller.
    const abort = () => void this.close().catch(() => {});
    this.#forgetSignal = onAbort(signal, abort);
    if (signal.aborted) abort();
  }

  /**
   * Replaces the boosted phrases, after the audio that was added so far; an empty list boosts none.
   *
   * @throws {@link ArgumentError} for invalid phrases; otherwise as `addAudio`. All as rejections.
   */
  async setBoost(boost: readonly BoostPhrase[]): Promise<void> {
    const tree = boostTreeOrNone(this.#model.info.vocabulary, boost);
    this.#mustBeOpen();
    await this.#run(async () => {
      await this.#decoder.setBoost(tree);
      this.#settled.decoding = { ...this.#settled.decoding, boost };
    });
  }

  /** Tokens that are final: never retracted, only added to. */
  get finalizedTokens(): readonly Token[] {
    return this.#finalized;
  }

  /** The current draft, which may still change. */
  get draftTokens(): readonly Token[] {
    return this.#draft;
  }

  /** The transcript so far, the draft included. */
  get result(): TranscriptResult {
    const tokens = [...this.#finalized, ...this.#draft];
    return { text: textOf(tokens), sentences: splitSentences(tokens, this.#settled.sentences), tokens };
  }

  /**
   * Takes mono samples at `model.sampleRate` in [-1, 1], any number of them; resolves when every step that they made due is decoded.
   *
   * @throws {@link ArgumentError} for anything but a `Float32Array`. @throws {@link AudioError} for NaN or infinite samples.
   * @throws {@link ClosedError} `ERR_PARAKEET_CLOSED` after `finish` or `close`. All as rejections.
   */
  async addAudio(samples: Float32Array): Promise<void> {
    const own = asSamples('samples', samples).slice();
    const { sampleRate } = this.#model.info;
    mustBeFinite(own, sampleRate);
    this.#mustBeOpen();
    const piece = PIECE_SECONDS * sampleRate;
    await this.#run(async () => {
      for (let at = 0; at < own.length; at += piece) {
        const part = own.subarray(at, at + piece);
        this.#samples += part.length;
        const frames = await this.#mel.push(part);
        if (frames.rows > 0) await this.#steps(frames);
      }
    });
  }

  /** Ends the audio: everything becomes final, and the native state is freed. Resolves with the whole transcript. */
  async finish(): Promise<TranscriptResult> {
    this.#mustBeOpen();
    this.#state = 'finished';
    await this.#run(async () => {
      const { sampleRate } = this.#model.info;
      const { flushSilence } = this.#settled;
      const frames = await this.#mel.finish(this.#samples === 0 ? 0 : Math.round(flushSilence * sampleRate));
      this.#placer.duration = this.#samples / sampleRate;
      this.#encoder.push(frames);
      this.#encoder.finish(this.#samples);
      await this.#steps();
      this.#draft = [];
    });
    await this.#free();
    return this.result;
  }

  /**
   * Makes everything final that was added so far, without ending the stream. The model treats this as the end of an utterance, and later
   * audio as a new one.
   */
  async flush(): Promise<void> {
    this.#mustBeOpen();
    await this.#run(async () => {
      this.#encoder.flush(melFrames(this.#model.info, this.#settled.flushSilence));
      await this.#steps();
      this.#draft = [];
    });
  }

  /**
   * The stream as bytes, after all earlier calls: `model.live({ from })` continues from there with the same tokens, in another process too.
   * The stream itself can continue as well. The snapshot contains the text so far, not the audio.
   */
  async snapshot(): Promise<Uint8Array> {
    this.#mustBeOpen();
    let bytes: Uint8Array = new Uint8Array(0);
    await this.#run(async () => {
      const [mel, encoder, decoder] = await Promise.all([
        this.#mel.save(),
        this.#encoder.save(),
        this.#decoder.save(),
      ]);
      const state: SnapshotState = {
        options: this.#settled,
        samples: this.#samples,
        finalized: this.#finalized,
        draft: this.#draft,
        placer: this.#placer.state,
      };
      bytes = writeSnapshot(owner(this.#model), state, { mel, encoder, decoder });
    });
    return bytes;
  }

  /** Cancels pending work and frees the native state. The transcript so far stays readable. */
  close(): Promise<void> {
    if (this.#state === 'open') this.#state = 'closed';
    return this.#free();
  }

  /** `close()`, for `await using`. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  #goOn(state: SnapshotState, native: NativeStates): void {
    this.#samples = state.samples;
    for (const token of state.finalized) this.#finalized.push(token);
    this.#draft = state.draft;
    this.#placer.state = state.placer;
    // The next call reports a failure, also one that is already queued.
    this.#run(async () => {
      try {
        await this.#mel.load(native.mel);
        await this.#encoder.load(native.encoder);
        await this.#decoder.load(native.decoder);
      } catch (error) {
        this.#failure = error as Error;
        throw error;
      }
    }).catch(() => {});
  }

  /** Called after each step, within the call that made it due. @internal */
  onStep: ((step: LiveStep) => void) | undefined;

  /** Samples added so far, those of the stream that a snapshot was taken of among them. @internal */
  get samples(): number {
    return this.#samples;
  }

  /** Passes on the encoder frames, if there are any, and runs all steps that are due. */
  async #steps(frames?: NativeFrames): Promise<void> {
    let step = await this.#encoder.step(frames);
    for (; step; step = await this.#encoder.step()) {
      const { final, draft } = await this.#decoder.decode(this.#encoder, step.ticket, true);
      const tokens = this.#placer.final(final);
      this.#finalized.push(...this.#textOf(tokens));
      this.#draft = this.#textOf(this.#placer.draft(draft));
      this.onStep?.({ tokens, draft: this.#draft, end: step.firstFrame + step.final, changes: step.changes });
    }
  }

  /** Without the tokens that only mark where an utterance ends. */
  #textOf(tokens: readonly Token[]): Token[] {
    return tokens.filter((token) => !this.#marks.isMark(token));
  }

  /** Runs after all earlier calls. The first failure ends the stream: audio would be missing from what follows. */
  #run(work: () => Promise<void>): Promise<void> {
    const result = this.#queue
      .then(() => this.#unlessFailed(work))
      .catch(async (error: unknown) => {
        if (this.#state !== 'closed') this.#state = 'failed';
        await this.#free().catch(() => {});
        throw this.#signal?.aborted ? abortedBy(this.#signal) : error;
      });
    this.#queue = result.catch(() => undefined);
    return result;
  }

  #unlessFailed(work: () => Promise<void>): Promise<void> {
    if (this.#failure) throw this.#failure;
    return work();
  }

  #free(): Promise<void> {
    this.#forgetSignal?.();
    this.#freed ??= Promise.all([this.#mel.close(), this.#encoder.close(), this.#decoder.close()]).then(
      () => undefined,
    );
    return this.#freed;
  }

  #mustBeOpen(): void {
    if (this.#signal?.aborted) throw abortedBy(this.#signal);
    if (this.#failure) throw this.#failure;
    if (this.#state === 'open') return;
    const state = this.#state === 'failed' ? 'closed after a failure' : this.#state;
    throw new ClosedError(`Expected an open transcript but it is ${state}`);
  }
}

/** The initial state of a transcript: options that are checked and in frames, and the snapshot to continue from. */
interface Settled {
  options: SnapshotState['options'];
  from: { state: SnapshotState; native: NativeStates } | undefined;
  signal: AbortSignal | undefined;
}

/** `model.live`. @throws {@link ArgumentError}, {@link SavedStateError} */
export function startLive(model: LoadedModel, options: LiveOptions): LiveTranscript {
  known('live', options, ['latency', 'language', 'silence', 'normalization', 'lagPolicy', ...commonKeys]);
  const silence = settleSilence(options.silence);
  return start('live', model, options, silence.flush, () => streamingOf(model.info, options, silence));
}

/** `model.transcribeStream`. @throws {@link ArgumentError}, {@link SavedStateError} */
export function startTranscribeStream(model: LoadedModel, options: TranscribeStreamOptions): LiveTranscript {
  known('transcribeStream', options, [...streamingOptionKeys, 'flushSilence', ...commonKeys]);
  const flush = finite('flushSilence', options.flushSilence ?? DEFAULT_SILENCE.flush, 0, 10);
  const { latency, lookahead, left, contextSize } = options;
  const unsaid =
    !isCacheAware(model.info) &&
    [latency, lookahead, left, contextSize].every((value) => value === undefined);
  return start('transcribeStream', model, options, flush, () => ({
    ...options,
    ...(unsaid && { contextSize: [256, 256] }),
  }));
}

function start(
  what: string,
  model: LoadedModel,
  options: LiveOptions | TranscribeStreamOptions,
  flushSilence: number,
  streaming: () => StreamingOptions,
): LiveTranscript {
  const { decoding, sentences } = options;
  const signal = optionalSignal('signal', options.signal);
  const from = restored(what, model, options);
  if (from) return new LiveTranscript(model, { options: from.state.options, from, signal });
  checkSentences(sentences);
  checkDecoding(decoding);
  const settled: SnapshotState['options'] = {
    encoder: resolveStreaming(model.info, streaming()),
    flushSilence,
    ...(decoding && { decoding }),
    ...(sentences && { sentences }),
  };
  return new LiveTranscript(model, { options: settled, from, signal });
}

/** The content of the option `from`. @throws {@link ArgumentError}, {@link SavedStateError} */
function restored(
  what: string,
  model: LoadedModel,
  options: Pick<LiveOptions, 'from' | 'signal'>,
): Settled['from'] {
  const { from, signal: _, ...others } = options;
  if (from === undefined) return undefined;
  if (!(from instanceof Uint8Array)) throw expected('the Uint8Array of a snapshot', 'from', from);
  const [stray] = Object.entries(others).find(([, value]) => value !== undefined) ?? [];
  if (stray !== undefined) {
    throw expected(
      'no other option but signal beside from',
      `the options of ${what}`,
      stray,
      'The snapshot brings its own.',
    );
  }
  return readSnapshot(from, owner(model));
}

function owner(model: LoadedModel): SnapshotOwner {
  return { identity: model.identity, dtype: model.info.dtype };
}
