/**
 * A live transcript that is fed by calls instead of by a pipe: parakeet-mlx's streaming API. The same engine and the same steps as
 * the stages'.
 */
import { AbortedError, ParakeetError } from '../errors.js';
import type { Token, TranscriptResult } from '../events.js';
import { expected, finite, known, optionalSignal } from '../options.js';
import {
  DEFAULT_FLUSH_SILENCE,
  pickStreaming,
  resolveStreaming,
  type StreamingOptions,
  streamingOptionKeys,
} from '../streaming-options.js';
import {
  type SentenceOptions,
  SentenceSplitter,
  splitSentences,
  textOf,
} from '../transforms/sentence-splitter.js';
import { checkDecoding, type DecodingOptions } from '../transforms/token-decode.js';
import type { NativeDecoder, NativeEncoder, NativeMel } from './addon.js';
import type { Model } from './model.js';
import { mustBeFinite } from './samples.js';
import { TokenPlacer } from './token-placer.js';

/** Options of `model.transcribeStream`. */
export interface TranscribeStreamOptions extends StreamingOptions, SentenceOptions {
  /** How tokens are chosen. Default greedy. */
  decoding?: DecodingOptions | undefined;
  /** Seconds of silence that `finish` appends, so that the model gives out its last words, 0 to 10. Default 0.64. */
  flushSilence?: number | undefined;
  /** Closes the stream when it is aborted. */
  signal?: AbortSignal | undefined;
}

const keys = [
  ...streamingOptionKeys,
  'decoding',
  'flushSilence',
  'signal',
  'maxWords',
  'silenceGap',
  'maxDuration',
];

/** Most samples handed to the engine at once; a long piece is cut, so that closing need not wait for it. */
const PIECE_SECONDS = 10;

/**
 * A live transcript. Without `lookahead`, `left` or `latency` it has the reference's `contextSize: [256, 256]`, `depth: 1`, which
 * looks 20.8 s ahead: name a `latency` for something livelier.
 *
 * Calls may overlap; they are carried out in order.
 */
export class TranscribeStream {
  readonly #model: Model;
  readonly #options: TranscribeStreamOptions;
  readonly #mel: NativeMel;
  readonly #encoder: NativeEncoder;
  readonly #decoder: NativeDecoder;
  readonly #placer: TokenPlacer;
  readonly #finalized: Token[] = [];
  #draft: Token[] = [];
  #samples = 0;
  #queue: Promise<void> = Promise.resolve();
  #state: 'open' | 'finished' | 'closed' | 'failed' = 'open';
  #freed: Promise<void> | undefined;
  readonly #signal: AbortSignal | undefined;
  // A failure to free is told to whoever calls close(); a signal has nobody to tell.
  readonly #onAbort = () => void this.close().catch(() => {});

  /** @internal */
  constructor(model: Model, options: TranscribeStreamOptions) {
    known('transcribeStream', options, keys);
    new SentenceSplitter(options);
    checkDecoding(options.decoding);
    finite('flushSilence', options.flushSilence ?? DEFAULT_FLUSH_SILENCE, 0, 10);
    const signal = optionalSignal('signal', options.signal);
    const { latency, lookahead, left, contextSize } = options;
    const unsaid = latency === undefined && lookahead === undefined && left === undefined;
    const native = resolveStreaming(model.info, {
      ...pickStreaming(options),
      ...(unsaid && contextSize === undefined ? { contextSize: [256, 256] as const } : {}),
    });
    this.#model = model;
    this.#options = options;
    this.#mel = model.native.createMel();
    this.#encoder = model.native.createEncoder(native);
    this.#decoder = model.native.createDecoder(model.head);
    this.#placer = new TokenPlacer(model.info);
    this.#signal = signal;
    // Removed again when the stream ends: a long-lived signal outlives many.
    signal?.addEventListener('abort', this.#onAbort, { once: true });
    if (signal?.aborted) this.#onAbort();
  }

  /** Tokens that are final: never retracted, only added to. */
  get finalizedTokens(): readonly Token[] {
    return this.#finalized;
  }

  /** The unsettled tail as it stands now. */
  get draftTokens(): readonly Token[] {
    return this.#draft;
  }

  /** The transcript so far, the draft included. */
  get result(): TranscriptResult {
    const tokens = [...this.#finalized, ...this.#draft];
    return { text: textOf(tokens), sentences: splitSentences(tokens, this.#options), tokens };
  }

  /**
   * Takes mono samples at `model.sampleRate` in [-1, 1], any number of them; resolves when everything they made due is decoded.
   *
   * @throws {ArgumentError} for anything but a `Float32Array`. @throws {AudioError} for NaN or infinite samples.
   * @throws {ParakeetError} `ERR_PARAKEET_CLOSED` after `finish` or `close`.
   */
  async addAudio(samples: Float32Array): Promise<void> {
    if (!(samples instanceof Float32Array))
      throw expected('a Float32Array of mono samples', 'samples', samples);
    const { sampleRate } = this.#model.info;
    mustBeFinite(samples, sampleRate);
    this.#mustBeOpen();
    const own = samples.slice();
    const piece = PIECE_SECONDS * sampleRate;
    await this.#run(async () => {
      for (let at = 0; at < own.length; at += piece) {
        const part = own.subarray(at, at + piece);
        this.#samples += part.length;
        const { data, rows } = await this.#mel.push(part);
        if (rows === 0) continue;
        this.#encoder.push(data);
        await this.#steps();
      }
    });
  }

  /** The audio is over: everything becomes final, and the native state is freed. Resolves with the whole transcript. */
  async finish(): Promise<TranscriptResult> {
    this.#mustBeOpen();
    this.#state = 'finished';
    await this.#run(async () => {
      const { sampleRate } = this.#model.info;
      const seconds = this.#options.flushSilence ?? DEFAULT_FLUSH_SILENCE;
      const { data } = await this.#mel.finish(this.#samples === 0 ? 0 : Math.round(seconds * sampleRate));
      this.#placer.duration = this.#samples / sampleRate;
      this.#encoder.push(data);
      this.#encoder.finish(this.#samples);
      await this.#steps();
      this.#draft = [];
    });
    await this.#free();
    return this.result;
  }

  /** Gives up what runs and frees the native state. What was heard stays readable. */
  close(): Promise<void> {
    if (this.#state === 'open') this.#state = 'closed';
    return this.#free();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  async #steps(): Promise<void> {
    for (;;) {
      const step = await this.#encoder.step();
      if (!step) return;
      const { final, draft } = await this.#decoder.decode(this.#encoder, step.ticket, true);
      this.#finalized.push(...this.#placer.final(final));
      this.#draft = this.#placer.draft(draft);
    }
  }

  /** After what was asked before. The first failure ends the stream: audio would be missing from what follows. */
  #run(work: () => Promise<void>): Promise<void> {
    const result = this.#queue.then(work).catch(async (error: unknown) => {
      if (this.#state !== 'closed') this.#state = 'failed';
      await this.#free().catch(() => {});
      throw this.#signal?.aborted ? this.#aborted() : error;
    });
    this.#queue = result.catch(() => undefined);
    return result;
  }

  #free(): Promise<void> {
    this.#signal?.removeEventListener('abort', this.#onAbort);
    this.#freed ??= Promise.all([this.#mel.close(), this.#encoder.close(), this.#decoder.close()]).then(
      () => undefined,
    );
    return this.#freed;
  }

  #aborted(): AbortedError {
    return new AbortedError('The operation was aborted', { cause: this.#signal?.reason as unknown });
  }

  #mustBeOpen(): void {
    if (this.#signal?.aborted) throw this.#aborted();
    if (this.#state === 'open') return;
    const state = this.#state === 'failed' ? 'closed after a failure' : this.#state;
    throw new ParakeetError('ERR_PARAKEET_CLOSED', `Expected an open transcript but it is ${state}`);
  }
}
