/**
 * The fifth stage: tickets for encoder frames in, token events out, by one of the model's heads. Decoding is native; this file turns frames
 * into seconds, ids into text, and drops drafts that are out of date.
 */
import { publish, type StepMessage } from '../diagnostics.js';
import type { NativeDecoder, NativeHead } from '../engine/addon.js';
import type { EncodedChunk, TranscriptEvent } from '../events.js';
import type { BoostPhrase } from '../model/boost.js';
import { type Booster, boosterOf } from '../model/boost-tree.js';
import {
  calibrationOf,
  checkDecoding,
  type DecodingOptions,
  headsOf,
  resolveDecoding,
} from '../model/decoding.js';
import { speechEvent } from '../model/speech-changes.js';
import { mustBeModel, type StageModel } from '../model/stage-model.js';
import { frameSeconds, TokenPlacer } from '../model/token-placer.js';
import { UtteranceMarks } from '../model/utterance-marks.js';
import { expected, flag, known, optionalSignal } from '../options.js';
import { textOf } from '../text/sentence-splitter.js';
import { EncoderSession } from './encoder-session.js';
import { Latencies } from './latency.js';
import { Stage, type StageOptions } from './stage.js';

/** Options of {@link tokenDecode}, {@link tdtDecode}, {@link rnntDecode} and {@link ctcDecode}. */
export interface TokenDecodeOptions extends StageOptions {
  /**
   * How tokens are chosen.
   * @defaultValue greedy
   */
  decoding?: DecodingOptions | undefined;
  /**
   * Send `draft` events.
   * @defaultValue true
   */
  drafts?: boolean | undefined;
}

/**
 * Encoder frames to tokens by the model's best head: TDT, RNNT or CTC.
 *
 * Each step emits the `token` events that are now final, `progress`, and a `draft` of what is not final yet, unless newer frames already
 * wait. `speechStart` and `speechEnd` come between them, as soon as `logMel` has found them. At the end comes `end`. Times are clamped to the
 * input's duration.
 *
 * @throws {@link ArgumentError} (synchronously) for invalid options. The stage fails with it for tickets of another model.
 *
 * @example
 * ```js
 * import { createReadStream } from 'node:fs';
 * import { pipeline } from 'node:stream/promises';
 * import { loadModel } from 'parakeet-stream';
 * import { decode, encode, logMel, resample, tokenDecode } from 'parakeet-stream/stages';
 *
 * const model = await loadModel();
 * const audio = createReadStream('talk.flac').pipe(decode()).pipe(resample(model.sampleRate));
 * await pipeline(audio, logMel(model), encode(model), tokenDecode(model), async (events) => {
 *   for await (const event of events) if (event.type === 'token') process.stdout.write(event.token.text);
 * });
 * await model.close();
 * ```
 */
export function tokenDecode(model: StageModel, options: TokenDecodeOptions = {}): TokenDecode {
  return new TokenDecode(model, undefined, 'tokenDecode', options);
}

/**
 * {@link tokenDecode} with the token-and-duration transducer head.
 * @throws {@link ArgumentError} for a model without one.
 *
 * @example
 * ```js
 * import { createReadStream } from 'node:fs';
 * import { pipeline } from 'node:stream/promises';
 * import { loadModel } from 'parakeet-stream';
 * import { decode, encode, logMel, resample, tdtDecode } from 'parakeet-stream/stages';
 *
 * const model = await loadModel();
 * const audio = createReadStream('talk.flac').pipe(decode()).pipe(resample(model.sampleRate));
 * await pipeline(audio, logMel(model), encode(model), tdtDecode(model), async (events) => {
 *   for await (const event of events) if (event.type === 'token') process.stdout.write(event.token.text);
 * });
 * await model.close();
 * ```
 */
export function tdtDecode(model: StageModel, options: TokenDecodeOptions = {}): TokenDecode {
  return new TokenDecode(model, 'tdt', 'tdtDecode', options);
}

/**
 * {@link tokenDecode} with the RNN transducer head.
 * @throws {@link ArgumentError} for a model without one.
 *
 * @example
 * ```js no-run
 * import { createReadStream } from 'node:fs';
 * import { pipeline } from 'node:stream/promises';
 * import { loadModel } from 'parakeet-stream';
 * import { decode, encode, logMel, resample, rnntDecode } from 'parakeet-stream/stages';
 *
 * const model = await loadModel('nvidia/parakeet-rnnt-0.6b');
 * const audio = createReadStream('talk.flac').pipe(decode()).pipe(resample(model.sampleRate));
 * await pipeline(audio, logMel(model), encode(model), rnntDecode(model), async (events) => {
 *   for await (const event of events) if (event.type === 'token') process.stdout.write(event.token.text);
 * });
 * await model.close();
 * ```
 */
export function rnntDecode(model: StageModel, options: TokenDecodeOptions = {}): TokenDecode {
  return new TokenDecode(model, 'rnnt', 'rnntDecode', options);
}

/**
 * {@link tokenDecode} with the CTC head.
 * @throws {@link ArgumentError} for a model without one.
 *
 * @example
 * ```js
 * import { createReadStream } from 'node:fs';
 * import { pipeline } from 'node:stream/promises';
 * import { loadModel } from 'parakeet-stream';
 * import { decode, encode, logMel, resample, ctcDecode } from 'parakeet-stream/stages';
 *
 * const model = await loadModel();
 * const audio = createReadStream('talk.flac').pipe(decode()).pipe(resample(model.sampleRate));
 * await pipeline(audio, logMel(model), encode(model), ctcDecode(model), async (events) => {
 *   for await (const event of events) if (event.type === 'token') process.stdout.write(event.token.text);
 * });
 * await model.close();
 * ```
 */
export function ctcDecode(model: StageModel, options: TokenDecodeOptions = {}): TokenDecode {
  return new TokenDecode(model, 'ctc', 'ctcDecode', options);
}

/** The stage that these make. */
export class TokenDecode extends Stage<EncodedChunk, TranscriptEvent> {
  readonly #native: NativeDecoder;
  readonly #drafts: boolean;
  readonly #frameSeconds: number;
  readonly #placer: TokenPlacer;
  readonly #marks: UtteranceMarks;
  readonly #latencies = new Latencies();
  #session: EncoderSession | undefined;
  readonly #model: StageModel;
  readonly #booster: Booster;
  #progress = 0;
  #revision = 0;
  #steps = 0;
  #draftsDropped = 0;
  #stepsGrown = 0;
  #computeSeconds = 0;
  #ended = false;

  /** @internal */
  constructor(model: StageModel, head: NativeHead | undefined, factory: string, options: TokenDecodeOptions) {
    mustBeModel(factory, model);
    known(factory, options, ['decoding', 'drafts', 'signal']);
    checkDecoding(options.decoding);
    if (head !== undefined) mustHave(model, head, factory, options);
    const wanted = head === undefined ? options.decoding : { ...options.decoding, head };
    const decoding = resolveDecoding(model.info, wanted);
    const drafts = flag('drafts', options.drafts ?? true);
    const signal = optionalSignal('signal', options.signal);
    const native = model.native.createDecoder(decoding);
    super({ signal, writableHighWaterMark: 4, readableHighWaterMark: 4 });
    this.#drafts = drafts;
    this.#frameSeconds = frameSeconds(model.info);
    this.#model = model;
    this.#booster = boosterOf(model.info, options.decoding);
    this.#placer = new TokenPlacer(model.info, calibrationOf(model.info, wanted));
    this.#marks = new UtteranceMarks(model.info.vocabulary);
    this.#native = native;
  }

  /**
   * Replaces the boosted phrases from the next step on; an empty list boosts none.
   *
   * @throws {@link ArgumentError} for invalid phrases, as a rejection.
   */
  async setBoost(boost: readonly BoostPhrase[]): Promise<void> {
    await this.#native.setBoost(this.#booster(boost));
  }

  /** Drafts are left out: the transcript is behind its audio. @internal */
  behind = false;

  /** A newer ticket already waits behind the current one, so that a draft would be out of date; or the whole stream is late. */
  get #late(): boolean {
    return this.behind || this.writableLength > 1;
  }

  protected override async process(chunk: EncodedChunk): Promise<void> {
    if (!(chunk.session instanceof EncoderSession)) {
      throw expected('a ticket of the encode stage', 'the input of tokenDecode', chunk.session);
    }
    if (chunk.session.model !== this.#model) {
      const remedy = 'Give both stages one loaded model.';
      throw expected('a ticket of the same model', 'the input of tokenDecode', chunk.session.model, remedy);
    }
    if (this.#session && chunk.session !== this.#session) {
      const remedy = 'Each stream needs a decoding stage of its own.';
      throw expected('tickets of one encode stage', 'the input of tokenDecode', chunk.session, remedy);
    }
    this.#session = chunk.session;
    if (chunk.end) this.#placer.duration = chunk.end.duration;
    for (const change of chunk.speech) await this.emitOne(speechEvent(change));
    if (chunk.ticket < 0) return chunk.end ? this.#end() : undefined;
    const decoded = await this.#decode(chunk.session, chunk.ticket);
    this.#steps++;
    this.#computeSeconds += chunk.computeSeconds + decoded.computeSeconds;
    this.#stepsGrown += Math.max(0, chunk.grown - 1);
    const latency = (performance.now() - chunk.readyAt) / 1000;
    this.#latencies.add(latency);

    for (const token of this.#placer.final(decoded.final)) {
      await this.emitOne(this.#marks.event(token) ?? { type: 'token', token });
    }
    await this.#advance((chunk.firstFrame + chunk.final) * this.#frameSeconds);
    const draftDropped = this.#drafts && this.#late;
    if (draftDropped) this.#draftsDropped++;
    publish('step', (): StepMessage => {
      const computeSeconds = chunk.computeSeconds + decoded.computeSeconds;
      return {
        final: chunk.final,
        draft: chunk.draft,
        tokens: decoded.final.ids.length,
        batch: chunk.batch,
        computeSeconds,
        realTimeFactor: chunk.final > 0 ? computeSeconds / (chunk.final * this.#frameSeconds) : 0,
        latencySeconds: latency,
        draftDropped,
      };
    });
    if (this.#drafts && !this.#late) {
      const tokens = this.#placer.draft(decoded.draft).filter((token) => !this.#marks.isMark(token));
      await this.emitOne({ type: 'draft', tokens, text: textOf(tokens), revision: ++this.#revision });
    }
  }

  protected override async finish(): Promise<void> {
    if (!this.#ended) await this.#end();
  }

  protected override async release(): Promise<void> {
    await this.#native.close();
  }

  async #decode(session: EncoderSession, ticket: number) {
    try {
      return await this.#native.decode(session.native, ticket, this.#drafts && !this.#late);
    } finally {
      session.release();
    }
  }

  async #end(): Promise<void> {
    this.#ended = true;
    const audioSeconds = Number.isFinite(this.#placer.duration) ? this.#placer.duration : this.#progress;
    await this.#advance(audioSeconds);
    const latency = this.#latencies.summary();
    await this.emitOne({
      type: 'end',
      stats: {
        audioSeconds,
        computeSeconds: this.#computeSeconds,
        realTimeFactor: audioSeconds > 0 ? this.#computeSeconds / audioSeconds : 0,
        steps: this.#steps,
        draftsDropped: this.#draftsDropped,
        stepsGrown: this.#stepsGrown,
        maxLag: latency.max,
        latency,
      },
    });
  }

  async #advance(time: number): Promise<void> {
    const clamped = Math.min(time, this.#placer.duration);
    if (clamped <= this.#progress) return;
    this.#progress = clamped;
    await this.emitOne({ type: 'progress', time: clamped });
  }
}

/** A stage for one head needs a model that has it, and no option that names another. */
function mustHave(
  model: StageModel,
  head: NativeHead,
  factory: string,
  { decoding }: TokenDecodeOptions,
): void {
  const { architecture } = model.info;
  if (!headsOf(architecture).includes(head)) {
    throw expected(
      `a model with a ${head.toUpperCase()} head`,
      factory,
      architecture,
      'Use tokenDecode, which picks by the model.',
    );
  }
  if (decoding?.head !== undefined && decoding.head !== head)
    throw expected(`no other head than '${head}'`, `decoding.head of ${factory}`, decoding.head);
}
