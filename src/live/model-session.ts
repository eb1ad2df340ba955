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
import type { SpeechChange, Token } from '../events.js';
import type { BoostPhrase } from '../model/boost.js';
import { type Booster, boosterOf } from '../model/boost-tree.js';
import { calibrationOf, type DecodingOptions, resolveDecoding } from '../model/decoding.js';
import { speechOf } from '../model/speech-changes.js';
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
  /** Where speech begins and ends, told as soon as the front end has heard it. */
  onSpeech?(changes: readonly SpeechChange[]): void;
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
  /** Seconds before which everything is final. */
  time: number;
}

/** The native states of a session. */
export interface NativeStates {
  mel: Uint8Array;
  encoder: Uint8Array;
  decoder: Uint8Array;
}

/**
 * The calls for the front end (`hear`, `hearEnd`, `saveFrontEnd`, `loadFrontEnd`) must not overlap, nor must the others; but the front end may be
 * ahead.
 */
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
    this.#mel = model.native.createMel(encoder.hangover);
    this.#encoder = model.native.createEncoder(encoder);
    this.#decoder = model.native.createDecoder(resolved);
    this.#placer = new TokenPlacer(model.info, calibrationOf(model.info, decoding));
    this.#marks = new UtteranceMarks(model.info.vocabulary);
  }

  /** Takes samples: the frames that became complete. */
  async hear(samples: Float32Array): Promise<NativeFrames> {
    return this.#heard(await this.#mel.push(samples));
  }

  /** Ends the audio, of so many samples: the last frames. */
  async hearEnd(samples: number): Promise<NativeFrames> {
    const silence = samples === 0 ? 0 : Math.round(this.#flushSilence * this.#model.info.sampleRate);
    return this.#heard(await this.#mel.finish(silence));
  }

  /** Takes frames that were heard, and runs all steps that they make due. */
  async push(frames: NativeFrames): Promise<void> {
    if (frames.rows > 0) await this.#steps(frames);
  }

  /** Takes the last frames of so many samples: everything becomes final. */
  async finish(frames: NativeFrames, samples: number): Promise<void> {
    this.#placer.duration = samples / this.#model.info.sampleRate;
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

  saveFrontEnd(): Promise<Uint8Array> {
    return this.#mel.save();
  }

  async save(): Promise<Omit<NativeStates, 'mel'>> {
    const [encoder, decoder] = await Promise.all([this.#encoder.save(), this.#decoder.save()]);
    return { encoder, decoder };
  }

  loadFrontEnd({ mel }: NativeStates): Promise<void> {
    return this.#mel.load(mel);
  }

  async load({ encoder, decoder }: NativeStates): Promise<void> {
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

  #heard(frames: NativeFrames): NativeFrames {
    const changes = speechOf(this.#model.info, frames);
    if (changes.length > 0) this.#listener.onSpeech?.(changes);
    return frames;
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
        time: end * frameSeconds(this.#model.info),
      });
    }
  }

  #textOf(tokens: readonly Token[]): Token[] {
    return tokens.filter((token) => !this.#marks.isMark(token));
  }
}
