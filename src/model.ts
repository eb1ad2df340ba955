/** A loaded model: its properties, and everything that it can do in one call. The work is done in the layers below. */

import { claimOf } from './composition/model-claim.js';
import { checkDraftModel } from './composition/options.js';
import {
  DEFAULT_MODE,
  type TranscribeOptions,
  transcribeKeys,
  transcribeSource,
} from './composition/transcribe-source.js';
import type { NativeAddon, NativeModel, NativeModelInfo } from './engine/addon.js';
import type { TranscriptResult } from './events.js';
import type { LiveTranscript } from './live/live-transcript.js';
import {
  type LiveOptions,
  startLive,
  startTranscribeStream,
  type TranscribeStreamOptions,
} from './live/open-live.js';
import {
  computeLogMel,
  type EncodeLogMelOptions,
  type EncoderFrames,
  encodeLogMel,
  type GenerateOptions,
  generate,
  type LogMelFrames,
} from './low-level.js';
import { loadedDraftModel } from './model/draft-model.js';
import type { LoadedModel } from './model/loaded-model.js';
import { known } from './options.js';
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

  /** A checksum that identifies the model: of `config.json` and of the beginning of the weights. */
  readonly identity: string;

  /** @internal */
  constructor(native: NativeModel, info: NativeModelInfo, addon: NativeAddon, identity: string) {
    this.native = native;
    this.info = info;
    this.addon = addon;
    this.identity = identity;
  }

  /** Samples per second of the audio that `addAudio` and `transcribe` take. */
  get sampleRate(): number {
    return this.info.sampleRate;
  }

  /**
   * Transcribes a whole recording, window by window with full context; with `mode: 'live'`, as a live stream does.
   *
   * A source that fails ends the transcript: all final words are written to the `sink`, the sink is closed, and the promise rejects with the
   * source's error, whose `heard` is the transcript so far. An abort stops at once.
   *
   * @param source See {@link AudioSource}; samples in a `Float32Array` are mono, at `sampleRate`, in [-1, 1].
   * @throws {@link ArgumentError} for invalid options. @throws {@link AudioError} for audio that cannot be read.
   * @throws {@link AbortedError} when `signal` is aborted. All as rejections.
   *
   * @example
   * ```js
   * import { loadModel } from 'parakeet-stream';
   *
   * const model = await loadModel();
   * const { text } = await model.transcribe('talk.flac', { sentences: { maxDuration: 10 } });
   * console.log(text);
   * await model.close();
   * ```
   */
  async transcribe(source: AudioSource, options: TranscribeOptions = {}): Promise<TranscriptResult> {
    const { draftModel, ...others } = known('transcribe', options, transcribeKeys);
    checkDraftModel(draftModel, { ...others, mode: others.mode ?? DEFAULT_MODE });
    const loaded = loadedDraftModel(draftModel);
    const claims = { model: () => claimOf(this), draftModel: loaded && (() => claimOf(loaded)) };
    return transcribeSource(claims, source, others);
  }

  /**
   * Opens a live transcript that is fed by calls. `finish` or `close` frees it.
   *
   * @throws {@link ArgumentError} for invalid options. @throws {@link SavedStateError} for a snapshot that does not fit.
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
   * {@link live} with the options and defaults of parakeet-mlx: `contextSize: [256, 256]`, a lookahead of 20.8 s. Its options count frames of
   * 80 ms.
   *
   * @throws {@link ArgumentError} for invalid options. @throws {@link SavedStateError} for a snapshot that does not fit.
   *
   * @example
   * ```js
   * import { loadModel } from 'parakeet-stream';
   *
   * const model = await loadModel();
   * const transcript = model.transcribeStream({ contextSize: [128, 16], depth: 1 });
   * await transcript.addAudio(new Float32Array(2 * model.sampleRate));
   * await transcript.finish();
   * console.log(transcript.finalizedTokens.length);
   * await model.close();
   * ```
   */
  transcribeStream(options: TranscribeStreamOptions = {}): LiveTranscript {
    return startTranscribeStream(this, options);
  }

  /**
   * Computes log-mel frames, which {@link encodeLogMel} and {@link generate} take: `frames × features`, not normalised.
   *
   * @param samples Mono, at `sampleRate`, in [-1, 1].
   * @param flushSilence Seconds of silence appended at the end, so that the last word is decoded, 0 to 10. Without it 0.
   * @throws {@link ArgumentError} for invalid arguments. @throws {@link AudioError} for NaN or infinite samples. All as rejections.
   *
   * @example
   * ```js
   * import { loadModel } from 'parakeet-stream';
   *
   * const model = await loadModel();
   * const mel = await model.computeLogMel(new Float32Array(model.sampleRate));
   * console.log(`${mel.frames} frames of ${mel.features} features`);
   * await model.close();
   * ```
   */
  async computeLogMel(samples: Float32Array, flushSilence = 0): Promise<LogMelFrames> {
    return computeLogMel(this, samples, flushSilence);
  }

  /**
   * Encodes log-mel frames with full context: `frames × width`, one encoder frame for each `info.subsamplingFactor` mel frames.
   *
   * @throws {@link ArgumentError} for invalid frames or options. @throws {@link AbortedError} when `signal` is aborted. All as rejections.
   *
   * @example
   * ```js
   * import { loadModel } from 'parakeet-stream';
   *
   * const model = await loadModel();
   * const mel = await model.computeLogMel(new Float32Array(model.sampleRate));
   * const { frames, width } = await model.encodeLogMel(mel, { attention: { left: 5, right: 5 } });
   * console.log(`${frames} × ${width}`);
   * await model.close();
   * ```
   */
  async encodeLogMel(mel: LogMelFrames, options: EncodeLogMelOptions = {}): Promise<EncoderFrames> {
    return encodeLogMel(this, mel, options);
  }

  /**
   * Decodes log-mel frames to a transcript; a list of them to a list of transcripts in the same order.
   *
   * @throws {@link ArgumentError} for invalid frames or options. @throws {@link AbortedError} when `signal` is aborted. All as rejections.
   *
   * @example
   * ```js
   * import { loadModel } from 'parakeet-stream';
   *
   * const model = await loadModel();
   * const mel = await model.computeLogMel(new Float32Array(model.sampleRate), 0.8);
   * const [first, second] = await model.generate([mel, mel], { decoding: { type: 'beam' } });
   * console.log(first.tokens.length, second.tokens.length);
   * await model.close();
   * ```
   */
  async generate(mel: LogMelFrames, options?: GenerateOptions): Promise<TranscriptResult>;
  async generate(mel: readonly LogMelFrames[], options?: GenerateOptions): Promise<TranscriptResult[]>;
  async generate(
    mel: LogMelFrames | readonly LogMelFrames[],
    options: GenerateOptions = {},
  ): Promise<TranscriptResult | TranscriptResult[]> {
    if (!Array.isArray(mel)) return generate(this, mel as LogMelFrames, options);
    return Promise.all(mel.map((one) => generate(this, one as LogMelFrames, options)));
  }

  /**
   * Cancels everything that runs on the model, which rejects with an `AbortedError`, and frees its memory.
   *
   * @example
   * ```js
   * import { loadModel } from 'parakeet-stream';
   *
   * const model = await loadModel();
   * try {
   *   console.log((await model.transcribe('talk.flac')).text);
   * } finally {
   *   await model.close();
   * }
   * ```
   */
  async close(): Promise<void> {
    for (const job of this.jobs) this.addon.cancel(job);
    await this.native.close();
  }

  /** `close()`, for `await using`. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }
}
