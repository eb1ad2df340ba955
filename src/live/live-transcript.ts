/**
 * A live transcript that is fed by calls instead of by a pipe: parakeet-mlx's streaming API. It uses the same engine and the same steps as
 * the stages.
 */
import { abortedBy, onAbort, throwIfAborted } from '../abort.js';
import { mustBeFinite } from '../audio/samples.js';
import type { NativeFrames } from '../engine/addon.js';
import { ClosedError } from '../errors.js';
import type { SpeechChange, Token, TranscriptResult } from '../events.js';
import type { BoostPhrase } from '../model/boost.js';
import { boostTreeOrNone } from '../model/boost-tree.js';
import { calibrationOf } from '../model/decoding.js';
import type { LoadedModel } from '../model/loaded-model.js';
import { asSamples } from '../sources/audio-source.js';
import { type ConfidenceRule, ruleOf } from '../text/confidence.js';
import { splitSentences, textOf } from '../text/sentence-splitter.js';
import { DraftSession } from './draft-session.js';
import { ModelSession, type NativeStates, type SessionOptions, type SessionStep } from './model-session.js';
import { ownersOf, type SnapshotNatives, type SnapshotState, writeSnapshot } from './snapshot.js';

/** The models of a transcript. */
export interface LiveModels {
  model: LoadedModel;
  draftModel?: LoadedModel | undefined;
}

/** The initial state of a transcript: options that are checked and in frames, and the snapshot to continue from. */
export interface SettledLive {
  options: SnapshotState['options'];
  drafts: SessionOptions | undefined;
  from: { state: SnapshotState; native: SnapshotNatives } | undefined;
  signal: AbortSignal | undefined;
  use: LiveUse;
}

/** What is asked of a transcript. */
export interface LiveUse {
  /** Drafts are decoded. */
  drafts: boolean;
  /** The tokens are kept for {@link LiveTranscript.result}, and are in its snapshots. */
  result: boolean;
}

/** Longest piece that is passed to the engine at once, in seconds; longer input is cut, so that closing need not wait for it. */
const PIECE_SECONDS = 10;

const nothing = () => Promise.resolve();

/** A step that was decoded. */
export interface LiveStep {
  /** What became final, marks of utterances among it. */
  tokens: readonly Token[];
  draft: readonly Token[];
  /** The first frame that is not final. */
  end: number;
}

/**
 * A live transcript that is fed by calls. Calls may overlap; they are carried out in order. But the front end does not wait for the steps of
 * earlier calls: it says at once where speech begins.
 */
export class LiveTranscript {
  readonly #models: LiveModels;
  readonly #settled: SnapshotState['options'];
  readonly #main: ModelSession;
  readonly #drafts: DraftSession | undefined;
  readonly #keepsResult: boolean;
  readonly #finalized: Token[] = [];
  #draft: Token[] = [];
  #samples = 0;
  /** Why a snapshot could not be restored. */
  #failure: Error | undefined;
  /** What the front ends do, call by call, and what the other parts do. */
  #front: Promise<void> = Promise.resolve();
  #queue: Promise<void> = Promise.resolve();
  /** Samples that the front ends have heard, and the other parts have not. */
  #ahead = 0;
  #state: 'open' | 'finished' | 'closed' | 'failed' = 'open';
  #freed: Promise<void> | undefined;
  readonly #signal: AbortSignal | undefined;
  #forgetSignal: (() => void) | undefined;

  /** @internal */
  constructor(models: LiveModels, { options, drafts, from, signal, use }: SettledLive) {
    this.#models = models;
    this.#settled = options;
    this.#keepsResult = use.result;
    this.#main = new ModelSession(models.model, options, {
      drafts: use.drafts && models.draftModel === undefined,
      onSpeech: (changes) => this.onSpeech?.(changes),
      onStep: (step) => this.#heard(step),
    });
    if (models.draftModel && drafts) this.#drafts = new DraftSession(models.draftModel, drafts);
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
    boostTreeOrNone(this.#models.model.info.vocabulary, boost);
    this.#mustBeOpen();
    await this.#run(nothing, async () => {
      await Promise.all([this.#main.setBoost(boost), this.#drafts?.setBoost(boost)]);
      this.#settled.decoding = { ...this.#settled.decoding, boost };
    });
  }

  /** Tokens that are final: never retracted, only added to. */
  get finalizedTokens(): readonly Token[] {
    return this.#finalized;
  }

  /** The current draft, which may still change. */
  get draftTokens(): readonly Token[] {
    return this.#drafts?.tokens ?? this.#draft;
  }

  /** The transcript so far, the draft included. */
  get result(): TranscriptResult {
    const tokens = [...this.#finalized, ...this.draftTokens];
    const sentences = splitSentences(tokens, this.#settled.sentences, this.confidenceRule);
    return { text: textOf(tokens), sentences, tokens };
  }

  /** How words and sentences get their confidence. @internal */
  get confidenceRule(): ConfidenceRule {
    return ruleOf(calibrationOf(this.#models.model.info, this.#settled.decoding));
  }

  /**
   * Takes mono samples at `model.sampleRate` in [-1, 1], any number of them; resolves when every step that they made due is decoded.
   *
   * @throws {@link ArgumentError} for anything but a `Float32Array`. @throws {@link AudioError} for NaN or infinite samples.
   * @throws {@link ClosedError} `ERR_PARAKEET_CLOSED` after `finish` or `close`. All as rejections.
   */
  async addAudio(samples: Float32Array): Promise<void> {
    const own = asSamples('samples', samples).slice();
    const { sampleRate } = this.#models.model.info;
    mustBeFinite(own, sampleRate);
    this.#mustBeOpen();
    const piece = PIECE_SECONDS * sampleRate;
    const pieces: Promise<void>[] = [];
    for (let at = 0; at < own.length || at === 0; at += piece)
      pieces.push(this.#add(own.subarray(at, at + piece), piece));
    await Promise.all(pieces);
  }

  #add(samples: Float32Array, most: number): Promise<void> {
    const earlier = this.#queue;
    return this.#run(
      async () => {
        // The front end must not run away: its frames are kept until they are taken.
        if (this.#ahead + samples.length > most) await earlier;
        this.#samples += samples.length;
        this.#ahead += samples.length;
        return this.#both((session) => session.hear(samples));
      },
      async (heard) => {
        await this.#both((session, i) => session.push(heard[i] as NativeFrames));
        this.#ahead -= samples.length;
      },
    );
  }

  /** Ends the audio: everything becomes final, and the native state is freed. Resolves with the whole transcript. */
  async finish(): Promise<TranscriptResult> {
    this.#mustBeOpen();
    this.#state = 'finished';
    await this.#run(
      () => this.#both((session) => session.hearEnd(this.#samples)),
      async (heard) => {
        await this.#both((session, i) => session.finish(heard[i] as NativeFrames, this.#samples));
        this.#drafts?.settle();
        this.#draft = [];
      },
    );
    await this.#free();
    return this.result;
  }

  /**
   * Makes everything final that was added so far, without ending the stream. The model treats this as the end of an utterance, and later
   * audio as a new one.
   */
  async flush(): Promise<void> {
    this.#mustBeOpen();
    await this.#run(nothing, async () => {
      await this.#both((session) => session.flush());
      this.#drafts?.settle();
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
    const front = async () => ({
      samples: this.#samples,
      mels: await this.#both((session) => session.saveFrontEnd()),
    });
    await this.#run(front, async ({ samples, mels }) => {
      const [main, drafts] = await this.#both(async (session, i) => ({
        mel: mels[i] as Uint8Array,
        ...(await session.save()),
      }));
      const state: SnapshotState = {
        options: this.#settled,
        samples,
        finalized: this.#finalized,
        draft: this.#draft,
        placer: this.#main.placer,
        ...(this.#drafts && { drafts: this.#drafts.state }),
      };
      bytes = writeSnapshot(ownersOf(this.#models), state, {
        model: main as NativeStates,
        draftModel: drafts,
      });
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

  #goOn(state: SnapshotState, native: SnapshotNatives): void {
    this.#samples = state.samples;
    for (const token of state.finalized) this.#finalized.push(token);
    this.#draft = state.draft;
    this.#main.placer = state.placer;
    if (state.drafts && this.#drafts) this.#drafts.state = state.drafts;
    // The next call reports a failure, also one that is already queued.
    const states = [native.model, native.draftModel];
    const load = (call: (session: ModelSession, states: NativeStates) => Promise<void>) => async () => {
      try {
        await this.#both((session, i) => call(session, states[i] as NativeStates));
      } catch (error) {
        this.#failure = error as Error;
        throw error;
      }
    };
    this.#run(
      load((session, own) => session.loadFrontEnd(own)),
      load((session, own) => session.load(own)),
    ).catch(() => {});
  }

  /** Told where speech begins and ends, as soon as the front end has heard it. @internal */
  onSpeech: ((changes: readonly SpeechChange[]) => void) | undefined;

  /** Called after each step, within the call that made it due. @internal */
  onStep: ((step: LiveStep) => void) | undefined;

  /** Samples added so far, those of the stream that a snapshot was taken of among them. @internal */
  get samples(): number {
    return this.#samples;
  }

  #heard({ final, draft, marked, end, time }: SessionStep): void {
    if (this.#keepsResult) this.#finalized.push(...final);
    this.#draft = draft;
    this.#drafts?.follow(final, time);
    this.onStep?.({ tokens: marked, draft, end });
  }

  /** The same call to the sessions of all models, at once: the model's, then the draft model's if there is one. */
  #both<T>(call: (session: ModelSession, index: number) => Promise<T>): Promise<T[]> {
    return Promise.all((this.#drafts ? [this.#main, this.#drafts.session] : [this.#main]).map(call));
  }

  /**
   * Runs after all earlier calls: `hear` as soon as their own are over, `work` when all of them is. The first failure ends the stream: audio would
   * be missing from what follows.
   */
  #run<Heard>(hear: () => Promise<Heard>, work: (heard: Heard) => Promise<void>): Promise<void> {
    const heard = this.#front.then(() => this.#unlessFailed(hear));
    this.#front = heard.then(
      () => undefined,
      () => undefined,
    );
    const result = this.#queue
      .then(async () => this.#unlessFailed(async () => work(await heard)))
      .catch(async (error: unknown) => {
        if (this.#state !== 'closed') this.#state = 'failed';
        await this.#free().catch(() => {});
        throw this.#signal?.aborted ? abortedBy(this.#signal) : error;
      });
    this.#queue = result.catch(() => undefined);
    return result;
  }

  #unlessFailed<T>(work: () => Promise<T>): Promise<T> {
    if (this.#failure) throw this.#failure;
    return work();
  }

  #free(): Promise<void> {
    this.#forgetSignal?.();
    this.#freed ??= this.#both((session) => session.close()).then(() => undefined);
    return this.#freed;
  }

  #mustBeOpen(): void {
    throwIfAborted(this.#signal);
    if (this.#failure) throw this.#failure;
    if (this.#state === 'open') return;
    const state = this.#state === 'failed' ? 'closed after a failure' : this.#state;
    throw new ClosedError(`Expected an open transcript but it is ${state}`);
  }
}
