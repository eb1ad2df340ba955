/**
 * The third stage: mono audio in, log-mel frames out, and where speech begins and ends in them. The mathematics is native; this is the
 * stream around it.
 */

import type { NativeFrames, NativeMel, NativeModelInfo } from '../engine/addon.js';
import type { AudioChunk, MelChunk, SpeechChange } from '../events.js';
import { DEFAULT_SILENCE } from '../model/latency.js';
import { speechOf } from '../model/speech-changes.js';
import { mustBeModel, type StageModel } from '../model/stage-model.js';
import { melFrames } from '../model/streaming-options.js';
import { expected, finite, known, optionalSignal } from '../options.js';
import { NativeMelChunk } from './mel-chunk.js';
import { Stage, type StageOptions } from './stage.js';

/** Options of {@link logMel}. */
export interface LogMelOptions extends StageOptions {
  /**
   * Seconds of silence appended at the end, so that the model emits its last words, 0 to 10. An empty input gets none.
   * @defaultValue 0.8
   */
  flushSilence?: number | undefined;
  /**
   * Seconds of quiet after which speech is over (`speech` of the chunks), 0.1 to 10.
   * @defaultValue 0.8
   */
  speechHangover?: number | undefined;
}

/**
 * Mono audio at the model's rate to log-mel frames as NeMo computes them, not normalised. The frames do not depend on how the input is
 * split. The last chunk has `end`, and is emitted even when there was no audio.
 *
 * @throws {@link ArgumentError} (synchronously) for invalid options. The stage fails with it for audio that is not mono or has another
 * rate: put `resample(model.info.sampleRate)` before it.
 *
 * @example
 * ```js
 * import { createReadStream } from 'node:fs';
 * import { pipeline } from 'node:stream/promises';
 * import { loadModel } from 'parakeet-stream';
 * import { decode, logMel, resample } from 'parakeet-stream/stages';
 *
 * const model = await loadModel();
 * const audio = createReadStream('talk.flac').pipe(decode()).pipe(resample(model.sampleRate));
 * await pipeline(audio, logMel(model), async (chunks) => {
 *   for await (const { frames, features } of chunks) console.log(frames, features);
 * });
 * await model.close();
 * ```
 */
export function logMel(model: StageModel, options: LogMelOptions = {}): LogMel {
  return new LogMel(model, options);
}

/** The stage that {@link logMel} makes. */
export class LogMel extends Stage<AudioChunk, MelChunk> {
  readonly #info: NativeModelInfo;
  readonly #sampleRate: number;
  readonly #flush: number;
  readonly #native: NativeMel;
  #samples = 0;
  #frames = 0;

  /**
   * Told at once where speech begins and ends: for a composition in which this need not wait for the stages behind. Without it, the chunks say it.
   * @internal
   */
  onSpeech: ((changes: readonly SpeechChange[]) => void) | undefined;

  constructor(model: StageModel, options: LogMelOptions = {}) {
    mustBeModel('logMel', model);
    known('logMel', options, ['flushSilence', 'speechHangover', 'signal']);
    const flush = finite('flushSilence', options.flushSilence ?? DEFAULT_SILENCE.flush, 0, 10);
    const hangover = finite('speechHangover', options.speechHangover ?? DEFAULT_SILENCE.hangover, 0.1, 10);
    const signal = optionalSignal('signal', options.signal);
    const native = model.native.createMel(melFrames(model.info, hangover));
    super({ signal });
    this.#info = model.info;
    this.#sampleRate = model.info.sampleRate;
    this.#flush = Math.round(flush * this.#sampleRate);
    this.#native = native;
  }

  protected override async process(chunk: AudioChunk): Promise<void> {
    const [samples, second] = chunk.channels;
    if (!samples || second || chunk.sampleRate !== this.#sampleRate) {
      const what = `${chunk.channels.length} channels at ${chunk.sampleRate} Hz`;
      throw expected(
        `mono audio at ${this.#sampleRate} Hz`,
        'the input of logMel',
        what,
        `Put resample(${this.#sampleRate}) before it.`,
      );
    }
    if (samples.length === 0) return;
    this.#samples += samples.length;
    const mel = await this.#native.push(samples);
    if (mel.rows > 0) await this.emitOne(this.#chunk(mel));
  }

  protected override async finish(): Promise<void> {
    const mel = await this.#native.finish(this.#samples === 0 ? 0 : this.#flush);
    await this.emitOne(this.#chunk(mel, { samples: this.#samples }));
  }

  protected override async release(): Promise<void> {
    await this.#native.close();
  }

  #chunk(mel: NativeFrames, end?: { samples: number }): MelChunk {
    const firstFrame = this.#frames;
    this.#frames += mel.rows;
    const speech = speechOf(this.#info, mel);
    if (!this.onSpeech) return new NativeMelChunk(mel, this.#info.features, firstFrame, { speech, end });
    if (speech.length > 0) this.onSpeech(speech);
    return new NativeMelChunk(mel, this.#info.features, firstFrame, { end });
  }
}
