/**
 * Whole recordings: from a source, through windows of it, to one transcript. Cutting and merging is windows.ts's matter.
 */

import { runJob } from '../engine/jobs.js';
import { AudioError, ParakeetError } from '../errors.js';
import type { Token, TranscriptResult } from '../events.js';
import type { BoostPhrase } from '../model/boost.js';
import { type DecodingOptions, resolveDecoding } from '../model/decoding.js';
import type { LoadedModel } from '../model/loaded-model.js';
import { TokenPlacer } from '../model/token-placer.js';
import { known, optionalSignal } from '../options.js';
import type { AudioSource } from '../sources/audio-source.js';
import {
  type SentenceOptions,
  SentenceSplitter,
  sentenceOptionKeys,
  splitSentences,
  textOf,
} from '../text/sentence-splitter.js';
import { type DecodeOptions, decode, decodeOptionKeys } from '../transforms/decode.js';
import { type RecordingProgress, readRecording } from './recording.js';
import { planWindows, type WindowOptions, Windows, windowOptionKeys } from './windows.js';

/** Options of `model.transcribe`. */
export interface TranscribeOptions
  extends Pick<
      DecodeOptions,
      'format' | 'sampleRate' | 'channels' | 'start' | 'duration' | 'stream' | 'maxSpool'
    >,
    SentenceOptions,
    WindowOptions {
  /** How tokens are chosen. Default greedy. */
  decoding?: DecodingOptions | undefined;
  /** Phrases to listen for: names, terms. Default none. */
  boost?: readonly BoostPhrase[] | undefined;
  /** Gives up the work. */
  signal?: AbortSignal | undefined;
  /** Called as the recording is worked through: seconds heard and in all, and bytes. */
  onProgress?: ((progress: RecordingProgress) => void) | undefined;
}

const keys = [
  ...decodeOptionKeys.filter((key) => key !== 'unmarked'),
  ...sentenceOptionKeys,
  ...windowOptionKeys,
  'decoding',
  'boost',
  'onProgress',
];

/** `model.transcribe`. */
export async function transcribeRecording(
  model: LoadedModel,
  source: AudioSource,
  options: TranscribeOptions,
): Promise<TranscriptResult> {
  known('transcribe', options, keys);
  new SentenceSplitter(options);
  const signal = optionalSignal('signal', options.signal);
  const decoding = resolveDecoding(model.info, options.decoding, options.boost);
  const windows = new Windows(model, planWindows(model.info, options), decoding, signal);
  const { format, sampleRate, channels, start, duration, stream, maxSpool, onProgress } = options;
  // Mistakes in these are mistakes for samples too, which have no need of them.
  decode({ format, sampleRate, channels, start, duration, stream, maxSpool }).destroy();
  const read = runJob(model.addon, signal, () =>
    readRecording(
      source,
      model.info.sampleRate,
      {
        format,
        sampleRate,
        channels,
        start,
        duration,
        stream,
        maxSpool,
        signal,
        onRead: onProgress,
      },
      (samples) => windows.push(samples),
    ),
  );
  const result = () => {
    const placer = new TokenPlacer(model.info);
    placer.duration = windows.samples / model.info.sampleRate;
    const tokens: Token[] = placer.final(windows.take());
    return { text: textOf(tokens), sentences: splitSentences(tokens, options), tokens };
  };
  try {
    await read;
    await windows.finish();
  } catch (error) {
    if (!(error instanceof ParakeetError)) throw error;
    // What was heard is not lost with the rest of the recording. After an abort, only what is done already.
    if (error instanceof AudioError) await windows.finish();
    else windows.settle();
    const heard = result();
    if (heard.tokens.length > 0) error.heard = heard;
    throw error;
  }
  return result();
}
