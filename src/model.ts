/** A loaded model: what it is, and everything that it can do in one call. The work is done in the rooms below. */

import { type TranscribeOptions, transcribeSource } from './composition/transcribe-source.js';
import type { NativeAddon, NativeModel, NativeModelInfo } from './engine/addon.js';
import type { TranscriptResult } from './events.js';
import {
  type LiveOptions,
  type LiveTranscript,
  startLive,
  startTranscribeStream,
  type TranscribeStreamOptions,
} from './live/live-transcript.js';
import {
  computeLogMel,
  type EncodeLogMelOptions,
  type EncoderFrames,
  encodeLogMel,
  type GenerateOptions,
  generate,
  type LogMelFrames,
} from './low-level.js';
import type { LoadedModel } from './model/loaded-model.js';
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

  /** Samples per second that `addAudio` and `transcribe` take. */
  get sampleRate(): number {
    return this.info.sampleRate;
  }

  /**
   * Transcribes a whole recording, window by window with full context; `mode: 'live'` transcribes as a live stream does.
   *
   * A source that fails ends the transcript: every final word is written to the `sink`, the sink is closed, then the promise rejects
   * with the source's error, which has what was transcribed as `heard`. An abort stops at once.
   *
   * @param source See {@link AudioSource}; samples in a `Float32Array` are mono, at `sampleRate`, in [-1, 1].
   * @throws {@link ArgumentError} for options that make no sense. @throws {@link AudioError} for audio that cannot be read.
   * @throws {@link AbortedError} when `signal` is aborted. All as rejections.
   */
  async transcribe(source: AudioSource, options: TranscribeOptions = {}): Promise<TranscriptResult> {
    return transcribeSource(this, source, options);
  }

  /**
   * A live transcript that is fed by calls. Close it when it is over (`await using`).
   *
   * @throws {@link ArgumentError} for options that make no sense. @throws {@link SavedStateError} for a snapshot that does not fit.
   *
   * @example
   * ```js
   * import { loadModel } from 'parakeet-stream';
   *
   * const model = await loadModel();
   * const live = model.live({ latency: 'low' });
   * await live.addAudio(new Float32Array(model.sampleRate)); // a second of silence
   * const { text } = await live.finish();
   * console.log(`"${text}"`);
   * await model.close();
   * ```
   */
  live(options: LiveOptions = {}): LiveTranscript {
    return startLive(this, options);
  }

  /**
   * {@link live} with parakeet-mlx's options and defaults, for those who come from there: `contextSize: [256, 256]` looks 20.8 s ahead.
   *
   * @throws {@link ArgumentError} for options that make no sense. @throws {@link SavedStateError} for a snapshot that does not fit.
   */
  transcribeStream(options: TranscribeStreamOptions = {}): LiveTranscript {
    return startTranscribeStream(this, options);
  }

  /**
   * Log-mel frames of mono samples at `sampleRate` in [-1, 1], not normalised: what {@link encodeLogMel} and {@link generate} take.
   *
   * @param flushSilence Seconds of silence after the end that bring out a last word, 0 to 10. Default 0.
   * @throws {@link ArgumentError}, {@link AudioError} as rejections.
   */
  async computeLogMel(samples: Float32Array, flushSilence = 0): Promise<LogMelFrames> {
    return computeLogMel(this, samples, flushSilence);
  }

  /** Encoder frames of log-mel frames, with full context. @throws {@link ArgumentError}, {@link AbortedError} as rejections. */
  async encodeLogMel(mel: LogMelFrames, options: EncodeLogMelOptions = {}): Promise<EncoderFrames> {
    return encodeLogMel(this, mel, options);
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
