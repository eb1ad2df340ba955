/**
 * The checks of a loaded model, each with its limit. verify-model.ts decides which apply to which model.
 */
import type { Token } from '../events.js';
import type { TranscribeStreamOptions } from '../live/open-live.js';
import type { LogMelFrames } from '../low-level.js';
import type { DecodingOptions } from '../model/decoding.js';
import type { Model } from '../model.js';
import {
  changedWords,
  check,
  largestDifference,
  relativeDifference,
  tokenDifference,
  type VerifyCheck,
} from './check.js';
import type { Goldens } from './suite.js';
import { editDistance } from './word-error-rate.js';

type Signal = AbortSignal | undefined;

/** The results with one type of weights, to be compared with another's. */
export interface Heard {
  /** Encoder frames of the first recording. */
  frames: Float32Array;
  /** The transcripts, one text per recording. */
  texts: string[];
}

/** The reference has the measure of parakeet-mlx. */
const MEASURED: DecodingOptions = { confidence: 'entropy' };
/** Seconds of each push to a stream. */
const PIECE = 0.2;

/** In float32: every array and token of the reference. The encoder gets the reference's own log-mel frames. */
export async function againstGoldens(
  model: Model,
  samples: readonly Float32Array[],
  goldens: Goldens,
  signal: Signal,
): Promise<VerifyCheck[]> {
  const first = await model.computeLogMel(samples[0] as Float32Array);
  const { features } = model.info;
  const mel: LogMelFrames = { data: goldens.logMel, frames: goldens.logMel.length / features, features };
  const { data: encoded } = await model.encodeLogMel(mel, { signal });
  let changed = 0;
  let confidence = 0;
  for (const [i, recording] of samples.entries()) {
    const { ids, confidences } = goldens.tokens[i] as Goldens['tokens'][number];
    const { tokens } = await model.generate(await model.computeLogMel(recording), {
      decoding: MEASURED,
      signal,
    });
    const changes = editDistance(
      ids,
      tokens.map(({ id }) => id),
    );
    const heard = tokens.map((token) => token.confidence);
    changed += changes;
    confidence = Math.max(confidence, changes > 0 ? 1 : largestDifference(heard, confidences));
  }
  const from = 'from the reference, in float32';
  return [
    check('log-mel', `largest difference ${from}`, largestDifference(first.data, goldens.logMel), 1e-3),
    check('encoder', `largest difference ${from}`, largestDifference(encoded, goldens.encoded), 1e-4),
    check('tokens', `tokens that differ ${from}`, changed, 0),
    check('confidences', `largest difference ${from}`, confidence, 1e-3),
  ];
}

/**
 * In float32: a stream in which every layer has its whole context must give the tokens of the whole recording with local attention. Without
 * right context in the attention, only the convolutions look ahead, so that the stream has several steps even in a deep model.
 */
export async function streamIsExact(
  model: Model,
  samples: Float32Array,
  signal: Signal,
): Promise<VerifyCheck> {
  const frame = (model.info.hop * model.info.subsamplingFactor) / model.info.sampleRate;
  const mel = await model.computeLogMel(samples);
  // All its frames are normalised with the same statistics, which can be given to a stream.
  const whole = await model.generate(mel, { attention: { left: 64 * frame, right: 0 }, signal });
  const live = await listen(model, samples, {
    contextSize: [64, 0],
    depth: model.info.layers,
    chunk: 16,
    flushSilence: 0,
    normalization: statisticsOf(mel),
    signal,
  });
  const what =
    'largest difference of a confidence from the whole recording with the same context; 1 for other tokens';
  return check('stream-exact', what, tokenDifference(live.tokens, whole.tokens), 1e-3);
}

/** A stream with two seconds of lookahead gives nearly the same words as the whole recording. */
export async function streamIsClose(
  model: Model,
  samples: readonly Float32Array[],
  texts: readonly string[],
  signal: Signal,
): Promise<VerifyCheck> {
  const live: string[] = [];
  for (const recording of samples)
    live.push((await listen(model, recording, { latency: 'accurate', signal })).text);
  const what = "percent of words that differ between a stream ('accurate') and whole recordings";
  return check('stream-words', what, changedWords(texts, live), 15);
}

/** Silence gives no words and only finite numbers: digital silence, and noise as faint as a converter's. */
export async function silenceIsSilent(model: Model, signal: Signal): Promise<VerifyCheck[]> {
  const length = 3 * model.info.sampleRate;
  let strange = 0;
  let words = 0;
  for (const loudness of [0, 1e-4]) {
    const samples = Float32Array.from({ length }, (_, i) => loudness * Math.sin(i * i));
    const mel = await model.computeLogMel(samples);
    const { data } = await model.encodeLogMel(mel, { signal });
    for (const values of [mel.data, data])
      strange += values.filter((value) => !Number.isFinite(value)).length;
    const { text } = await model.transcribe(samples, { signal });
    words += text.split(/\s+/).filter((word) => word !== '').length;
  }
  return [
    check('silence-finite', 'numbers of silence that are none', strange, 0),
    check('silence-words', 'words heard in silence', words, 0),
  ];
}

/** Another type of weights gives nearly the result of float32. */
export function typesAgree(heard: Heard, exact: Heard): VerifyCheck[] {
  const largest = largestDifference(heard.frames, exact.frames);
  return [
    check(
      'dtype-frames',
      `difference of the encoder's frames from float32's, as a part of their size (the largest is ${largest.toPrecision(2)})`,
      relativeDifference(heard.frames, exact.frames),
      0.1,
    ),
    check(
      'dtype-words',
      'percent of words that differ from those of float32',
      changedWords(exact.texts, heard.texts),
      10,
    ),
  ];
}

/** A recording as a live stream. */
async function listen(
  model: Model,
  samples: Float32Array,
  options: TranscribeStreamOptions,
): Promise<{ text: string; tokens: Token[] }> {
  const stream = model.transcribeStream(options);
  try {
    const piece = Math.round(PIECE * model.info.sampleRate);
    for (let at = 0; at < samples.length; at += piece)
      await stream.addAudio(samples.subarray(at, at + piece));
    return await stream.finish();
  } finally {
    await stream.close();
  }
}

/** The normalisation of a whole recording: each feature's mean and unbiased deviation over all frames. */
function statisticsOf({ data, frames, features }: LogMelFrames): { mean: number[]; std: number[] } {
  const mean = Array.from({ length: features }, (_, f) => {
    let sum = 0;
    for (let at = f; at < data.length; at += features) sum += data[at] as number;
    return sum / frames;
  });
  const std = mean.map((average, f) => {
    let sum = 0;
    for (let at = f; at < data.length; at += features) sum += ((data[at] as number) - average) ** 2;
    return Math.sqrt(sum / Math.max(1, frames - 1));
  });
  return { mean, std };
}
