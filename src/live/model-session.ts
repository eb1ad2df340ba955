/**
 * One model's part in a live transcript: its front end, its encoder and its decoder in the engine, and its tokens in their places. It keeps
 * no text and no order of calls; live-transcript.ts does.
 */
import type {
  NativeDecoder,
  NativeEncoder,
  NativeEncoderOptions,
  NativeFrames,
  NativeMel,
} from '../engine/addon.js';
import type { Token } from '../events.js';
import type { BoostPhrase } from '../model/boost.js';
import { type Booster, boosterOf } from '../model/boost-tree.js';
import { calibrationOf, type DecodingOptions, resolveDecoding } from '../model/decoding.js';
import type { StageModel } from '../model/stage-model.js';
import { melFrames } from '../model/streaming-options.js';
import { frameSeconds, type PlacerState, TokenPlacer } from '../model/token-placer.js';
import { UtteranceMarks } from '../model/utterance-marks.js';

/** Options of a session, as they were resolved. */
export interface SessionOptions {
  encoder: NativeEncoderOptions;
  /** Seconds of silence at the end and at a flush. */
  flushSilence: number;
  decoding?: DecodingOptions;
}

/** Who is told of a session's steps. */
export interface SessionListener {
  /** Whether steps have drafts. */
  drafts: boolean;
  onStep(step: SessionStep): void;
}

/** The tokens of a step: without those that only mark where an utterance ends. */
export interface SessionStep {
  final: Token[];
  draft: Token[];
  /** What became final, marks of utterances among it. */
  marked: Token[];
  /** The first frame that is not final. */
  end: number;
  /** Where speech began and ended. */
  changes: readonly { melFrame: number; speech: boolean }[];
  /** Seconds before which everything is final. */
  time: number;
}

/** The native states of a session. */
export interface NativeStates {
  mel: Uint8Array;
  encoder: Uint8Array;
  decoder: Uint8Array;
}

/** Calls must not overlap. */
export class ModelSession {
  readonly #model: StageModel;
  readonly #flushSilence: number;
  readonly #booster: Booster;
  readonly #listener: SessionListener;
  readonly #mel: NativeMel;
  readonly #encoder: NativeEncoder;
  readonly #decoder: NativeDecoder;
  readonly #placer: TokenPlacer;
  readonly #marks: UtteranceMarks;

  /** @throws {@link ArgumentError} for options that the model does not support. */
  constructor(
    model: StageModel,
    { encoder, flushSilence, decoding }: SessionOptions,
    listener: SessionListener,
  ) {
    // Before any native object is created, which an invalid option would leak.
    const resolved = resolveDecoding(model.info, decoding);
    this.#model = model;
    this.#flushSilence = flushSilence;
    this.#booster = boosterOf(model.info, decoding);
    this.#listener = listener;
    this.#mel = model.native.createMel();
    this.#encoder = model.native.createEncoder(encoder);
    this.#decoder = model.native.createDecoder(resolved);
    this.#placer = new TokenPlacer(model.info, calibrationOf(model.info, decoding));
    this.#marks = new UtteranceMarks(model.info.vocabulary);
  }

  /** Takes samples and runs all steps that they make due. */
  async push(samples: Float32Array): Promise<void> {
    const frames = await this.#mel.push(samples);
    if (frames.rows > 0) await this.#steps(frames);
  }

  /** Ends the audio, of so many samples: everything becomes final. */
  async finish(samples: number): Promise<void> {
    const { sampleRate } = this.#model.info;
    const frames = await this.#mel.finish(samples === 0 ? 0 : Math.round(this.#flushSilence * sampleRate));
    this.#placer.duration = samples / sampleRate;
    this.#encoder.push(frames);
    this.#encoder.finish(samples);
    await this.#steps();
  }

  /** Makes everything final that was pushed. */
  async flush(): Promise<void> {
    this.#encoder.flush(melFrames(this.#model.info, this.#flushSilence));
    await this.#steps();
  }

  async setBoost(boost: readonly BoostPhrase[]): Promise<void> {
    await this.#decoder.setBoost(this.#booster(boost));
  }

  async save(): Promise<NativeStates> {
    const [mel, encoder, decoder] = await Promise.all([
      this.#mel.save(),
      this.#encoder.save(),
      this.#decoder.save(),
    ]);
    return { mel, encoder, decoder };
  }

  async load({ mel, encoder, decoder }: NativeStates): Promise<void> {
    await this.#mel.load(mel);
    await this.#encoder.load(encoder);
    await this.#decoder.load(decoder);
  }

  get placer(): PlacerState {
    return this.#placer.state;
  }

  set placer(state: PlacerState) {
    this.#placer.state = state;
  }

  async close(): Promise<void> {
    await Promise.all([this.#mel.close(), this.#encoder.close(), this.#decoder.close()]);
  }

  /** Passes on the mel frames, if there are any, and runs all steps that are due. */
  async #steps(frames?: NativeFrames): Promise<void> {
    let step = await this.#encoder.step(frames);
    for (; step; step = await this.#encoder.step()) {
      const { final, draft } = await this.#decoder.decode(this.#encoder, step.ticket, this.#listener.drafts);
      const marked = this.#placer.final(final);
      const end = step.firstFrame + step.final;
      this.#listener.onStep({
        final: this.#textOf(marked),
        draft: this.#textOf(this.#placer.draft(draft)),
        marked,
        end,
        changes: step.changes,
        time: end * frameSeconds(this.#model.info),
      });
    }
  }

  #textOf(tokens: readonly Token[]): Token[] {
    return tokens.filter((token) => !this.#marks.isMark(token));
  }
}
