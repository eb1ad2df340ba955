/**
 * A loaded model: what it is, and whole recordings to text. Streams are made of it by the stages and by
 * transcribe-stream.ts.
 */

import type { NativeAddon, NativeModel, NativeModelInfo } from './engine/addon.js';
import type { TranscriptResult } from './events.js';
import { TranscribeStream, type TranscribeStreamOptions } from './live/transcribe-stream.js';
import {
  type EncodeMelOptions,
  type EncoderFrames,
  encodeMel,
  type GenerateOptions,
  generate,
  type LogMelFrames,
  logMelOf,
} from './low-level.js';
import type { LoadedModel } from './model/loaded-model.js';
import { type TranscribeOptions, transcribeRecording } from './recordings/transcribe-recording.js';
import type { AudioSource } from './sources/audio-source.js';

/** A loaded model, made by `loadModel`. One serves any number of streams and recordings at once. */
export class Model implements LoadedModel {
  /** @internal */
  readonly native: NativeModel;
  readonly info: NativeModelInfo;
  /** @internal */
  readonly addon: NativeAddon;

  /** Native jobs that run on the model. @internal */
  readonly jobs = new Set<number>();

  /** A checksum that tells models apart: of `config.json` and of the weights' beginning. */
  readonly identity: string;

  /** @internal */
  constructor(native: NativeModel, info: NativeModelInfo, addon: NativeAddon, identity: string) {
    this.native = native;
    this.info = info;
    this.addon = addon;
    this.identity = identity;
  }

  /** Samples per second that `transcribeStream().addAudio` takes. */
  get sampleRate(): number {
    return this.info.sampleRate;
  }

  /**
   * Transcribes a whole recording with full context, window by window if it is long.
   *
   * @param source A path, a Node or web stream or an iterable of bytes of a sound file; or a `Float32Array` of mono samples at
   * `sampleRate` in [-1, 1].
   * @throws {@link ArgumentError} for options that make no sense. @throws {@link AudioError} for audio that cannot be read.
   * @throws {@link AbortedError} when `signal` is aborted. All as rejections.
   */
  async transcribe(source: AudioSource, options: TranscribeOptions = {}): Promise<TranscriptResult> {
    return transcribeRecording(this, source, options);
  }

  /**
   * A live transcript that is fed by calls, as parakeet-mlx's `transcribe_stream`. Close it when it is over (`await using`).
   *
   * @throws {@link ArgumentError} for options that make no sense.
   */
  transcribeStream(options: TranscribeStreamOptions = {}): TranscribeStream {
    return new TranscribeStream(this, options);
  }

  /**
   * Log-mel frames of mono samples at `sampleRate` in [-1, 1], not normalised: what {@link encode} and {@link generate} take.
   *
   * @param flushSilence Seconds of silence after the end that bring out a last word, 0 to 10. Default 0.
   * @throws {@link ArgumentError}, {@link AudioError} as rejections.
   */
  async logMel(samples: Float32Array, flushSilence = 0): Promise<LogMelFrames> {
    return logMelOf(this, samples, flushSilence);
  }

  /** Encoder frames of log-mel frames, with full context. @throws {@link ArgumentError}, {@link AbortedError} as rejections. */
  async encode(mel: LogMelFrames, options: EncodeMelOptions = {}): Promise<EncoderFrames> {
    return encodeMel(this, mel, options);
  }

  /** Text of log-mel frames; of several, in their order. @throws {@link ArgumentError}, {@link AbortedError} as rejections. */
  async generate(mel: LogMelFrames, options?: GenerateOptions): Promise<TranscriptResult>;
  async generate(mel: readonly LogMelFrames[], options?: GenerateOptions): Promise<TranscriptResult[]>;
  async generate(
    mel: LogMelFrames | readonly LogMelFrames[],
    options: GenerateOptions = {},
  ): Promise<TranscriptResult | TranscriptResult[]> {
    if (!Array.isArray(mel)) return generate(this, mel as LogMelFrames, options);
    return Promise.all(mel.map((one) => generate(this, one as LogMelFrames, options)));
  }

  /** Gives up everything that runs on the model (it rejects with an `AbortedError`) and frees it. */
  async close(): Promise<void> {
    for (const job of this.jobs) this.addon.cancel(job);
    await this.native.close();
  }

  /** `close()`, for `await using`. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }
}
