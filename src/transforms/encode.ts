/**
 * The fourth stage: log-mel frames in, tickets for encoder frames out. The frames stay in the engine; when a step runs and what
 * it sees is native. Here are the stream around it and the bound on what waits.
 */
import type { EncodedChunk, MelChunk } from '../events.js';
import type { StageModel } from '../model/stage-model.js';
import { expected, known, optionalSignal } from '../options.js';
import { resolveStreaming, type StreamingOptions, streamingOptionKeys } from '../streaming-options.js';
import { EncoderSession } from './encoder-session.js';
import { Stage, type StageOptions } from './stage.js';

/** Options of {@link encode}. */
export interface EncodeOptions extends StreamingOptions, StageOptions {}

/**
 * Log-mel frames to encoder frames, step by step on a grid that is fixed to the stream's start, so that the frames depend on the
 * audio and the options alone. Each ticket must reach a decoding stage (`tokenDecode`), which frees its frames; at most
 * four are out at a time, and the stage ends when the last one is decoded. The last object carries no frames (`ticket` −1)
 * and has `end`.
 *
 * @throws {ArgumentError} (at once) for options that make no sense. Fails with it for mel frames of another model.
 */
export function encode(model: StageModel, options: EncodeOptions = {}): Encode {
  return new Encode(model, options);
}

/** The stage that {@link encode} makes. */
export class Encode extends Stage<MelChunk, EncodedChunk> {
  readonly #model: StageModel;
  readonly #session: EncoderSession;
  #melFrames = 0;
  #frames = 0;
  #duration: number | undefined;

  constructor(model: StageModel, options: EncodeOptions = {}) {
    known('encode', options, [...streamingOptionKeys, 'signal']);
    const signal = optionalSignal('signal', options.signal);
    const native = model.native.createEncoder(resolveStreaming(model.info, options));
    super({ signal });
    this.#model = model;
    this.#session = new EncoderSession(native);
  }

  protected override async process(mel: MelChunk): Promise<void> {
    const readyAt = performance.now();
    const { features } = this.#model.info;
    if (mel.features !== features || mel.data.length !== mel.frames * features) {
      const what = `${mel.data.length} values as ${mel.frames} × ${mel.features}`;
      throw expected(
        `frames of ${features} mel features`,
        'the input of encode',
        what,
        'Use logMel with the same model.',
      );
    }
    this.#melFrames += mel.frames;
    if (mel.frames > 0) this.#session.native.push(mel.data);
    if (mel.end) this.#end(mel.end.samples);
    await this.#steps(readyAt);
  }

  protected override async finish(): Promise<void> {
    const readyAt = performance.now();
    if (this.#duration === undefined) {
      // The mel frames were somebody else's, without an end: they are all there was.
      this.#end(this.#melFrames * this.#model.info.hop);
      await this.#steps(readyAt);
    }
    const duration = this.#duration ?? 0;
    await this.emitOne({
      session: this.#session,
      ticket: -1,
      firstFrame: this.#frames,
      final: 0,
      draft: 0,
      computeSeconds: 0,
      readyAt,
      end: { duration },
    });
    // Closing frees the frames, so the stage stays open until all are decoded.
    await this.#session.idle();
  }

  protected override async release(): Promise<void> {
    await this.#session.close();
  }

  #end(samples: number): void {
    this.#duration = samples / this.#model.info.sampleRate;
    this.#session.native.finish(samples);
  }

  /** Runs all steps that are due. */
  async #steps(readyAt: number): Promise<void> {
    for (;;) {
      await this.#session.take();
      const step = await this.#session.native.step();
      if (!step) {
        this.#session.release();
        return;
      }
      this.#frames = step.firstFrame + step.final;
      const end = this.#duration === undefined ? {} : { end: { duration: this.#duration } };
      await this.emitOne({ session: this.#session, ...step, readyAt, ...end });
    }
  }
}
