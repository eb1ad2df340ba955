/**
 * The composition: bytes in, transcript events out, through the six stages and nothing else. It owns their order, their end and
 * their errors; what they do is in `transforms/`.
 */
import { Duplex, finished, type Readable, type Writable } from 'node:stream';
import pumpify from 'pumpify';
import { destroyOnAbort } from './abort.js';
import { type LagMessage, publish, type StreamMessage } from './diagnostics.js';
import type { EndEvent, GapEvent, TranscriptEvent } from './events.js';
import { LagMeter } from './lag.js';
import { type BoostPhrase, checkBoost } from './model/boost.js';
import { checkDecoding, type DecodingOptions } from './model/decoding.js';
import type { StageModel } from './model/stage-model.js';
import {
  checkStreaming,
  pickStreaming,
  resolveStreaming,
  type StreamingOptions,
  streamingOptionKeys,
} from './model/streaming-options.js';
import { frameSeconds } from './model/token-placer.js';
import { Model } from './model.js';
import { expected, finite, flag, known, oneOf, optionalSignal } from './options.js';
import type { PipelineStage } from './pipeline-types.js';
import { HearWindows } from './recordings/hear-windows.js';
import { planWindows, type WindowOptions, windowOnlyKeys } from './recordings/windows.js';
import { claimModel, type ModelClaim } from './shared-model.js';
import { shifted } from './shift.js';
import { Endpointer, type EndpointRules } from './text/endpointer.js';
import { type SentenceOptions, SentenceSplitter, sentenceOptionKeys } from './text/sentence-splitter.js';
import { Decode, type DecodeOptions, decode, decodeOptionKeys, pickDecode } from './transforms/decode.js';
import { type Encode, encode } from './transforms/encode.js';
import { FlushMark } from './transforms/flush-mark.js';
import { LateFailure } from './transforms/late-failure.js';
import { logMel } from './transforms/log-mel.js';
import { type Refine, refine } from './transforms/refine.js';
import { REFINE_HISTORY } from './transforms/refiner.js';
import { resample } from './transforms/resample.js';
import { sentences } from './transforms/sentences.js';
import type { Stage } from './transforms/stage.js';
import { type TokenDecode, tokenDecode } from './transforms/token-decode.js';

/** Options of {@link parakeet}: those of its stages, and the model. */
export interface ParakeetOptions
  extends DecodeOptions,
    StreamingOptions,
    SentenceOptions,
    Pick<WindowOptions, 'chunkDuration' | 'overlapDuration' | 'localAttention'> {
  /**
   * `'live'`: text as soon as it can be, with the context of a stream. `'file'`: window by window with full context, as
   * `model.transcribe` hears; text comes after each window of `chunkDuration` seconds, and there are no drafts. `chunkDuration`,
   * `overlapDuration` and `localAttention` are for `'file'`; the options of a stream's encoder, `drafts` and `refine` for `'live'`.
   * Default `'live'`.
   */
  mode?: 'live' | 'file' | undefined;
  /**
   * A loaded model, or the name of one (a folder or a hub repository) that the stream loads for itself: streams with the same
   * name share it, and the last one to close frees it. A model that cannot be loaded is an error of the stream. Default: the
   * bundled model, or what `PARAKEET_MODEL` names.
   */
  model?: StageModel | string | undefined;
  /** Seconds of silence appended at the end, so that the model gives out its last words, 0 to 10. Default 0.8. */
  flushSilence?: number | undefined;
  /** How tokens are chosen. Default greedy. */
  decoding?: DecodingOptions | undefined;
  /** Phrases to listen for: names, terms. `setBoost` changes them while the stream runs. Default none. */
  boost?: readonly BoostPhrase[] | undefined;
  /** Send `draft` events. Default true. */
  drafts?: boolean | undefined;
  /**
   * Hear each sentence again when it is over, with context on both sides: the `sentence` events carry the better words, and say
   * `revised` where they differ from the `token` events, which are never taken back. Costs about as much again. Default false.
   */
  refine?: boolean | undefined;
  /** When an utterance is over: sends `endOfUtterance` events, and ends the open sentence with each. `{}` for the defaults. Default: never. */
  endpoint?: EndpointRules | undefined;
  /** Put the whole result into the `end` event. Default false: memory stays flat however long the stream is. */
  collect?: boolean | undefined;
  /** Seconds that are added to the times of all events, at least 0: where this stream begins in a longer recording. Default 0. */
  offset?: number | undefined;
}

const keys = [
  ...streamingOptionKeys,
  ...windowOnlyKeys,
  'mode',
  'model',
  ...decodeOptionKeys,
  'flushSilence',
  'decoding',
  'boost',
  'drafts',
  'refine',
  'endpoint',
  'collect',
  'offset',
  ...sentenceOptionKeys,
];

/** Type of a stage in the line, whatever it carries. */
type AnyStage = Stage<never, unknown>;

const Line = pumpify.ctor({
  autoDestroy: false,
  destroy: false,
  // pumpify hands these on to its Duplex, though its types do not know them.
  ...({ readableObjectMode: true, readableHighWaterMark: 2 } as object),
} as Parameters<typeof pumpify.ctor>[0]);

/**
 * Speech to text as one stream: bytes of a sound file or of raw PCM in, {@link TranscriptEvent}s out.
 *
 * ```ts
 * await pipeline(createReadStream('talk.wav'), parakeet(), srtWriter('talk.srt'));
 * ```
 *
 * It is `decode → resample → logMel → encode → tokenDecode → sentences`; with `mode: 'file'`, one stage hears whole windows in place
 * of the middle three, and the line holds one of them. A slow reader stops the source: between bytes and
 * events the line holds at most 1.2 s of audio and `lookahead + 5 × chunk` frames of 80 ms (5.4 s in all with
 * `'balanced'`), beside three writes of the source and some twenty events.
 *
 * A damaged place in a file becomes silence and a `gap` event, and the rest is heard. A broken input (a file that is damaged or cut short, a
 * decoder's error) ends the transcript first: everything heard is read and written, then
 * the stream fails. `destroy`, an abort, and any other error stop it at once; the stream closes when the engine's work is given
 * back.
 *
 * @throws {@link ArgumentError} (at once) for options that make no sense.
 */
export function parakeet(options: ParakeetOptions = {}): ParakeetStream {
  return new ParakeetStream(options);
}

/** The stream that {@link parakeet} makes. */
// biome-ignore lint/suspicious/noUnsafeDeclarationMerging: the merged type exists for the types of pipeline() only.
export class ParakeetStream extends Duplex {
  readonly #options: ParakeetOptions;
  readonly #late = new LateFailure(this);
  #claim: ModelClaim | undefined;
  #released: Promise<void> | undefined;
  #stages: AnyStage[] = [];
  #encoder: Encode | undefined;
  #tokens: TokenDecode | undefined;
  #refine: Refine | undefined;
  /** In the place of it with mode 'file'. */
  #hearing: HearWindows | undefined;
  /** The phrases that hold now; before the model is there, the stage is made with them. */
  #boost: readonly BoostPhrase[] | undefined;
  #line: Duplex | undefined;
  #lateError: Error | undefined;
  #lineEnded = false;
  /** The reader has room: true from `_read` until `push` says false. */
  #wanted = false;
  #finished: ((error?: Error | null) => void) | undefined;
  #end: EndEvent | undefined;
  #sourceDuration: number | undefined;
  /** Those that are ahead of what was heard. */
  readonly #gaps: GapEvent[] = [];
  readonly #lag = new LagMeter();
  /** Seconds of audio that the steps see beyond what they make final. */
  #ahead = 0;
  /** Settles when the line is there, or never will be. */
  readonly #built = withResolvers<void>();

  constructor(options: ParakeetOptions = {}) {
    checkParakeet(options);
    super({ readableObjectMode: true, writableObjectMode: false, readableHighWaterMark: 4 });
    this.#options = options;
    this.#boost = options.boost;
    destroyOnAbort(this, options.signal);
    // A live source tells of sound that it lost, in its own seconds, which are the transcript's.
    // `ffmpeg()` tells how long its sound is.
    this.on('pipe', (source: Readable & { duration?: number }) => {
      this.#sourceDuration = source.duration;
      source.on('gap', this.#onGap).on('duration', this.#onSourceDuration);
    });
    this.on('unpipe', (source: Readable) => {
      source.off('gap', this.#onGap).off('duration', this.#onSourceDuration);
    });
  }

  /** Seconds of audio that were decoded so far. */
  get seconds(): number {
    const [decoder] = this.#stages;
    return decoder instanceof Decode ? decoder.seconds : 0;
  }

  /**
   * Seconds of audio that there will be in all: what the container says, or what ffmpeg says of a source that is piped into this.
   * Undefined as long as, or where, nobody knows.
   */
  get duration(): number | undefined {
    const [decoder] = this.#stages;
    return (decoder instanceof Decode ? decoder.duration : undefined) ?? this.#sourceDuration;
  }

  /** The `end` event, as soon as it is on its way to the reader. */
  get endEvent(): EndEvent | undefined {
    return this.#end;
  }

  /** Node's. @internal */
  override _construct(callback: (error?: Error | null) => void): void {
    const { model } = this.#options;
    const start = async () => {
      if (typeof model === 'object') return this.#build(model);
      this.#claim = claimModel(model);
      const loaded = await this.#claim.model;
      if (!this.destroyed) this.#build(loaded);
    };
    if (this.destroyed) callback();
    // A failure after destroy() is that of a load which was given up.
    else
      start().then(
        () => callback(),
        (error: Error) => callback(this.destroyed ? null : error),
      );
  }

  /** Node's. @internal */
  override _write(
    chunk: Uint8Array,
    _encoding: BufferEncoding,
    callback: (error?: Error | null) => void,
  ): void {
    if (this.#lateError) {
      callback();
      return;
    }
    const at = performance.now();
    this.#line?.write(chunk, (error) => {
      const decoder = this.#stages[0];
      if (decoder instanceof Decode && this.#options.mode !== 'file') this.#lag.arrived(decoder.seconds, at);
      callback(error);
    });
  }

  /**
   * Makes everything final that was written so far, without ending the stream: resolves when its last event is on its way to the
   * reader. The model hears the end of an utterance there, and what is written later as a new one; sentences end with it.
   *
   * Resolves at once when the stream is over. Rejects when it fails or is destroyed meanwhile.
   */
  async flush(): Promise<void> {
    if (this.destroyed || this.readableEnded) return;
    const { promise, resolve, reject } = withResolvers<void>();
    const stop = finished(this, { readable: true, writable: false }, (error) => {
      if (error) reject(error);
      else resolve();
    });
    try {
      await Promise.all([promise, Promise.race([promise, this.#sendMark(resolve)])]);
    } finally {
      stop();
    }
  }

  /**
   * Other phrases to listen for, from the next step on; an empty list for none.
   *
   * @throws {@link ArgumentError} for phrases that make no sense, as a rejection.
   */
  async setBoost(boost: readonly BoostPhrase[]): Promise<void> {
    checkBoost(boost);
    this.#boost = boost;
    const decoders = [this.#tokens, this.#refine, this.#hearing];
    await Promise.all(decoders.map((decoder) => decoder?.setBoost(boost)));
  }

  async #sendMark(passed: () => void): Promise<void> {
    await this.#built.promise;
    if (this.writableEnded || this.destroyed) return passed();
    // Behind what was written: a write of nothing comes back when all before it were taken.
    await new Promise<void>((resolve) => super.write(new Uint8Array(0), () => resolve()));
    const [decoder] = this.#stages;
    // The line takes bytes as soon as there is room for them, so they may still wait to be decoded.
    if (decoder instanceof Decode && !decoder.writableEnded) {
      await new Promise<void>((resolve) => decoder.write(new Uint8Array(0), () => resolve()));
    }
    if (this.destroyed || this.#lineEnded || this.#lateError || !decoder || decoder.readableEnded)
      return passed();
    if (decoder instanceof Decode) await decoder.flush(new FlushMark(passed));
  }

  /** Node's. @internal */
  override _final(callback: (error?: Error | null) => void): void {
    // The writing side ends with the line, not before: a late failure must find the stream open.
    this.#finished = callback;
    if (!this.#lineEnded) this.#line?.end();
  }

  /** Node's. @internal */
  override _read(): void {
    this.#wanted = true;
    this.#forward();
  }

  override pipe<T extends NodeJS.WritableStream>(destination: T, options?: { end?: boolean }): T {
    this.#late.piped(destination as unknown as Writable);
    return super.pipe(destination, options);
  }

  override read(size?: number): TranscriptEvent | null {
    const event = super.read(size) as TranscriptEvent | null;
    this.#late.afterRead();
    return event;
  }

  override destroy(error?: Error, callback?: (error: Error | null) => void): this {
    // Before the model is there Node waits with `_destroy`; giving back the claim stops the load.
    // A failure of that is `_destroy`'s to report.
    if (!this.#line) this.#release().catch(() => {});
    return (super.destroy as (error?: Error, callback?: (error: Error | null) => void) => this)(
      error,
      callback,
    );
  }

  /** Node's. @internal */
  override _destroy(error: Error | null, callback: (error?: Error | null) => void): void {
    this.#late.cancel();
    this.#built.resolve();
    if (this.#line) publish('stream', (): StreamMessage => ({ state: 'closed', ...(error && { error }) }));
    const closed = this.#stages.map(closing);
    for (const stage of this.#stages) stage.destroy(error ?? undefined);
    this.#line?.destroy();
    Promise.all(closed)
      .then(() => this.#release())
      .then(
        () => callback(error),
        (failure: Error) => callback(error ?? failure),
      );
  }

  /** The events, one by one. */
  override [Symbol.asyncIterator](): NodeJS.AsyncIterator<TranscriptEvent> {
    return super[Symbol.asyncIterator]() as NodeJS.AsyncIterator<TranscriptEvent>;
  }

  #build(model: StageModel): void {
    const stages = this.#makeStages(model);
    for (const stage of stages) {
      // Before pumpify listens: the first error must reach every stage as it is, and pumpify destroys them without a cause.
      stage.on('error', (error: Error) => this.destroy(error));
      stage.onLateFailure = (error) => {
        this.#lateError ??= error;
      };
    }
    // A damaged place in a file, in the transcript's seconds.
    (stages[0] as Stage<never, unknown> | undefined)?.on('gap', this.#onGap);
    const line = new Line(stages);
    line.on('error', (error: Error) => this.destroy(error));
    line.on('readable', () => this.#forward());
    line.on('end', () => this.#onLineEnd());
    this.#line = line;
    // What is heard by the window is late by its nature: nobody is told of a lag.
    this.#ahead = Number.POSITIVE_INFINITY;
    if (this.#options.mode !== 'file') this.#ahead = lookaheadSeconds(model, this.#options);
    this.#built.resolve();
    publish('stream', (): StreamMessage => ({ state: 'open' }));
  }

  /** The six, and one more that refines, or the four of files; a stage that cannot be made takes those before it along. */
  #makeStages(model: StageModel): AnyStage[] {
    const o = this.#options;
    const make: (() => unknown)[] = [
      () => decode(pickDecode(o)),
      () => resample(model.info.sampleRate),
      ...(o.mode === 'file' ? [() => this.#windows(model)] : this.#liveStages(model)),
      () =>
        sentences({
          endpoint: o.endpoint,
          maxWords: o.maxWords,
          silenceGap: o.silenceGap,
          maxDuration: o.maxDuration,
          collect: o.collect,
        }),
      ...(o.refine ? [() => this.#refineStage(model)] : []),
    ];
    // One by one into the field, so that _destroy finds what is there when one of them throws.
    for (const stage of make) this.#stages.push(stage() as AnyStage);
    return this.#stages;
  }

  #liveStages(model: StageModel): (() => unknown)[] {
    const o = this.#options;
    return [
      () => logMel(model, { flushSilence: o.flushSilence }),
      () => {
        this.#encoder = encode(model, {
          ...pickStreaming(o),
          history: o.refine ? REFINE_HISTORY : 0,
          flushSilence: o.flushSilence,
        });
        return this.#encoder;
      },
      () => {
        this.#tokens = tokenDecode(model, {
          decoding: o.decoding,
          boost: this.#boost,
          drafts: o.drafts,
        });
        return this.#tokens;
      },
    ];
  }

  #refineStage(model: StageModel): Refine {
    const { decoding } = this.#options;
    this.#refine = refine(model, this.#encoder as Encode, { decoding, boost: this.#boost });
    return this.#refine;
  }

  #windows(model: StageModel): HearWindows {
    this.#hearing = new HearWindows(model as Model, { ...this.#options, boost: this.#boost });
    return this.#hearing;
  }

  readonly #onSourceDuration = (seconds: number) => {
    this.#sourceDuration = seconds;
  };

  readonly #onGap = ({ start, end }: { start: number; end: number }) => {
    this.#gaps.push({ type: 'gap', start, end });
  };

  /** Gaps come in their place among what was heard, however far the audio is ahead of that. */
  #tellGaps(time: number): void {
    while (
      !this.destroyed &&
      !this.readableEnded &&
      (this.#gaps[0]?.start ?? Number.POSITIVE_INFINITY) <= time
    ) {
      this.#wanted = this.push(shifted(this.#gaps.shift() as GapEvent, this.#options.offset ?? 0));
    }
  }

  /** Hands on what the line has, as long as the reader wants more. */
  #forward(): void {
    const line = this.#line;
    const { offset = 0 } = this.#options;
    while (line && this.#wanted && !this.destroyed) {
      const event = line.read() as TranscriptEvent | FlushMark | null;
      if (event === null) return;
      if (event instanceof FlushMark) {
        event.passed();
        continue;
      }
      if (event.type === 'progress') this.#tellGaps(event.time);
      if (event.type === 'end') {
        this.#tellGaps(Number.MAX_VALUE);
        this.#end = { ...event, stats: { ...event.stats, maxLag: this.#lag.max } };
        this.#end = shifted(this.#end, offset);
        this.#wanted = this.push(this.#end);
        continue;
      }
      this.#wanted = this.push(shifted(event, offset));
      if (event.type !== 'progress') continue;
      // For who sees the stream but not its events, which go to the sink.
      this.emit('progress', event.time + offset);
      const lag = this.#lag.heard(event.time + this.#ahead, performance.now());
      if (!lag) continue;
      // What can be left out first, when the machine is slower than speech.
      if (this.#tokens) this.#tokens.behind = this.#lag.behind;
      publish('lag', (): LagMessage => ({ seconds: lag.seconds }));
      this.#wanted = this.push(lag);
    }
  }

  #onLineEnd(): void {
    this.#lineEnded = true;
    this.#tellGaps(Number.MAX_VALUE);
    const error = this.#lateError;
    if (error) {
      this.#late.consumed().then(() => this.destroy(error));
      return;
    }
    // The end says that the engine's work is given back.
    Promise.all(this.#stages.map(closing)).then(() => {
      if (this.destroyed) return;
      this.push(null);
      this.#finished?.();
    });
  }

  #release(): Promise<void> {
    this.#released ??= this.#claim?.release() ?? Promise.resolve();
    return this.#released;
  }
}

/** For the types of `pipeline()`. */
export interface ParakeetStream extends PipelineStage<TranscriptEvent> {}

/** Checks at the door what does not need the model, so that mistakes throw where they were made. */
export function checkParakeet(options: ParakeetOptions): void {
  known('parakeet', options, keys);
  const { model } = options;
  if (typeof model === 'string' ? model === '' : model !== undefined && !isModel(model)) {
    throw expected(
      "a loaded model, or a folder or repository's name,",
      'model',
      model,
      'Await loadModel() first.',
    );
  }
  checkMode(options);
  checkStreaming(options);
  checkDecoding(options.decoding, options.boost);
  finite('flushSilence', options.flushSilence ?? 0, 0, 10);
  flag('drafts', options.drafts ?? true);
  flag('refine', options.refine ?? false);
  if (options.endpoint !== undefined) new Endpointer(options.endpoint);
  flag('collect', options.collect ?? false);
  finite('offset', options.offset ?? 0, 0);
  optionalSignal('signal', options.signal);
  new SentenceSplitter(options);
  decode(pickDecode(options)).destroy();
}

/** Options of the other mode are mistakes, not silence. */
function checkMode(options: ParakeetOptions): void {
  const mode = oneOf('mode', options.mode ?? 'live', ['live', 'file']);
  const foreign =
    mode === 'file' ? streamingOptionKeys.filter((key) => key !== 'emissionDelay') : [...windowOnlyKeys];
  const stray = foreign.find((key) => options[key] !== undefined);
  if (stray) throw expected(`no value with mode '${mode}'`, stray, options[stray]);
  if (mode === 'live') return;
  for (const key of ['drafts', 'refine'] as const) {
    if (options[key] === true) throw expected("no value with mode 'file'", key, true);
  }
  if (typeof options.model === 'object' && !(options.model instanceof Model)) {
    throw expected("a model of loadModel() with mode 'file'", 'model', options.model);
  }
  // Window lengths hang on no model; its numbers here are any.
  planWindows({ sampleRate: 16_000, hop: 160, subsamplingFactor: 8, attention: [-1, -1] }, options);
}

function lookaheadSeconds(model: StageModel, options: ParakeetOptions): number {
  return resolveStreaming(model.info, pickStreaming(options)).lookahead * frameSeconds(model.info);
}

function isModel(value: unknown): value is StageModel {
  return typeof value === 'object' && value !== null && 'info' in value && 'native' in value;
}

function closing(stage: AnyStage): Promise<void> {
  return stage.closed ? Promise.resolve() : new Promise((resolve) => stage.once('close', () => resolve()));
}

/** `Promise.withResolvers`, which Node 20 lacks. */
function withResolvers<T>() {
  let resolve: (value: T) => void = () => {};
  let reject: (error: Error) => void = () => {};
  const promise = new Promise<T>((yes, no) => {
    resolve = yes;
    reject = no;
  });
  return { promise, resolve, reject };
}
