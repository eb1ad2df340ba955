/**
 * The fourth stage: log-mel frames in, tickets for encoder frames out. The frames stay in the engine, and native code decides when a step
 * runs and what it sees. This file has the stream around it and bounds what waits.
 */
import type { NativeFrames } from '../engine/addon.js';
import type { EncodedChunk, MelChunk, SpeechChange } from '../events.js';
import { DEFAULT_SILENCE } from '../model/latency.js';
import { mustBeModel, type StageModel } from '../model/stage-model.js';
import {
  melFrames,
  resolveStreaming,
  type StreamingOptions,
  streamingOptionKeys,
} from '../model/streaming-options.js';
import { expected, finite, known, optionalSignal } from '../options.js';
import { EncoderSession } from './encoder-session.js';
import { NativeMelChunk } from './mel-chunk.js';
import { Stage, type StageOptions } from './stage.js';

/**
 * Seconds of frames that are taken while a step runs: a front end that waits hears nothing, and where speech begins is urgent. More than a
 * step takes on a machine that keeps up.
 */
const MOST_AHEAD = 0.64;

/** Options of {@link encode}. */
export interface EncodeOptions extends StreamingOptions, StageOptions {
  /**
   * Seconds of sound that the session keeps so that it can be transcribed again, 0 to 600.
   * @defaultValue 0
   */
  history?: number | undefined;
  /**
   * Seconds of silence that stand in for the sound to come when `flush()` is called, so that the model emits its last words, 0 to 10; as in
   * `logMel` at the end.
   * @defaultValue 0.8
   */
  flushSilence?: number | undefined;
}

/**
 * Log-mel frames to encoder frames, step by step on a grid that is fixed to the stream's start, so that the frames depend on the audio and
 * the options alone. Each ticket must reach a decoding stage (`tokenDecode`), which frees its frames. At most four tickets are out at a
 * time, and the stage ends when the last one is decoded. Objects without frames (`ticket` −1) say where speech begins and ends, as soon as
 * a `MelChunk` does, and the last one has `end`.
 *
 * @throws {@link ArgumentError} (synchronously) for invalid options. The stage fails with it for mel frames of another model.
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
 * const frames = audio.pipe(logMel(model)).pipe(encode(model, { latency: 'low' }));
 * await pipeline(frames, tokenDecode(model), async (events) => {
 *   for await (const event of events) if (event.type === 'token') process.stdout.write(event.token.text);
 * });
 * await model.close();
 * ```
 */
export function encode(model: StageModel, options: EncodeOptions = {}): Encode {
  return new Encode(model, options);
}

/** The stage that {@link encode} makes. */
export class Encode extends Stage<MelChunk, EncodedChunk> {
  readonly #model: StageModel;
  /** The session that holds the frames of its tickets. @internal */
  readonly session: EncoderSession;
  readonly #grows: boolean;
  /** Mel frames of silence after a flush. */
  readonly #flush: number;
  /** Most mel frames that are collected for one grown step. */
  readonly #mostWaiting: number;
  #waiting = 0;
  /** Settles when the steps of all chunks that were taken have run; how many chunks that is not so of, and their mel frames. */
  #running: Promise<void> = Promise.resolve();
  #chunksAhead = 0;
  #ahead = 0;
  readonly #mostAhead: number;
  #melFrames = 0;
  #frames = 0;
  #over = false;

  constructor(model: StageModel, options: EncodeOptions = {}) {
    mustBeModel('encode', model);
    known('encode', options, [...streamingOptionKeys, 'history', 'flushSilence', 'signal']);
    const signal = optionalSignal('signal', options.signal);
    const history = finite('history', options.history ?? 0, 0, 600);
    const flush = finite('flushSilence', options.flushSilence ?? DEFAULT_SILENCE.flush, 0, 10);
    const settled = resolveStreaming(model.info, options, history);
    const native = model.native.createEncoder(settled);
    const most = settled.grow * settled.chunk * model.info.subsamplingFactor;
    // Input for a grown step waits here: chunks are 100 ms at most.
    const chunks = Math.ceil((most * model.info.hop * 10) / model.info.sampleRate);
    super({ signal, ...(settled.grow > 1 && { writableHighWaterMark: chunks }) });
    this.#model = model;
    this.#flush = melFrames(model.info, flush);
    this.session = new EncoderSession(native, model);
    this.#mostWaiting = most;
    this.#grows = settled.grow > 1;
    this.#mostAhead = melFrames(model.info, MOST_AHEAD);
  }

  protected override async process(mel: MelChunk): Promise<void> {
    const readyAt = performance.now();
    const frames = this.#framesOf(mel);
    this.#chunksAhead++;
    this.#ahead += mel.frames;
    const running = this.#running.then(async () => {
      await this.#take(mel, frames, readyAt);
      this.#chunksAhead--;
      this.#ahead -= mel.frames;
    });
    this.#running = running;
    // Nobody may be waiting for it.
    running.catch((error: Error) => this.destroy(error));
    if (this.#ahead > this.#mostAhead) await running;
  }

  async #take(mel: MelChunk, frames: NativeFrames | Float32Array, readyAt: number): Promise<void> {
    if (mel.speech && mel.speech.length > 0) await this.emitOne(this.#withoutFrames(readyAt, mel.speech));
    this.#melFrames += mel.frames;
    this.#waiting += mel.frames;
    const waits = this.#chunksAhead > 1 || this.writableLength > 1;
    // Behind, and allowed to catch up: what already waits goes into the same step.
    if (this.#grows && !mel.end && waits && this.#waiting < this.#mostWaiting) {
      this.session.native.push(frames);
      return;
    }
    this.#waiting = 0;
    if (!mel.end) return await this.#steps(readyAt, frames);
    this.session.native.push(frames);
    this.#end(mel.end.samples);
    await this.#steps(readyAt);
  }

  protected override async flushHeld(): Promise<void> {
    await this.#running;
    this.session.native.flush(this.#flush);
    await this.#steps(performance.now());
  }

  protected override async finish(): Promise<void> {
    await this.#running;
    const readyAt = performance.now();
    if (!this.#over) {
      // The mel frames came from another stage, without an end: the input is complete.
      this.#end(this.#melFrames * this.#model.info.hop);
      await this.#steps(readyAt);
    }
    const { duration } = this.session;
    await this.emitOne({ ...this.#withoutFrames(readyAt, []), end: { duration } });
    // Closing frees the frames, so the stage stays open until all are decoded.
    await this.session.idle();
  }

  protected override async release(): Promise<void> {
    await this.session.close();
  }

  #withoutFrames(readyAt: number, speech: SpeechChange[]): EncodedChunk {
    const { session } = this;
    const none = { final: 0, draft: 0, computeSeconds: 0, grown: 0, batch: 0 };
    return { session, ticket: -1, firstFrame: this.#frames, ...none, speech, readyAt };
  }

  #end(samples: number): void {
    this.#over = true;
    this.session.duration = samples / this.#model.info.sampleRate;
    this.session.native.finish(samples);
  }

  /** @throws {@link ArgumentError} for frames of another model. */
  #framesOf(mel: MelChunk): NativeFrames | Float32Array {
    const { features } = this.#model.info;
    const frames = NativeMelChunk.frames(mel);
    const fits =
      frames instanceof Float32Array ? frames.length === mel.frames * features : frames.rows === mel.frames;
    if (fits && mel.features === features) return frames;
    throw expected(
      `frames of ${features} mel features`,
      'the input of encode',
      `${mel.data.length} values as ${mel.frames} × ${mel.features}`,
      'Use logMel with the same model.',
    );
  }

  /** Appends frames, if there are any, and runs all steps that are due. */
  async #steps(readyAt: number, frames?: NativeFrames | Float32Array): Promise<void> {
    let step = await this.session.step(frames);
    for (; step; step = await this.session.step()) {
      this.#frames = step.firstFrame + step.final;
      const end = this.#over ? { end: { duration: this.session.duration } } : {};
      await this.emitOne({ session: this.session, ...step, speech: [], readyAt, ...end });
    }
  }
}
