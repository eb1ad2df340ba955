/**
 * The whole way in one call: a source, `parakeet()`, a sink. What it adds to `pipeline`: when the source fails, what was heard until
 * then is written before the promise rejects.
 */
import { Writable } from 'node:stream';
import { finished, pipeline } from 'node:stream/promises';
import { ParakeetError } from './errors.js';
import type { TranscriptResult } from './events.js';
import { expected } from './options.js';
import { checkParakeet, type ParakeetOptions, type ParakeetStream, parakeet } from './parakeet.js';
import { claimModel } from './shared-model.js';
import type { OpenedAudio } from './sources/audio-file.js';
import { type AudioSource, openAudio, samplesIn } from './sources/audio-source.js';

/** How far a transcript is. */
export interface TranscriptProgress {
  /** Seconds of audio that are final, from the start of what is heard. */
  seconds: number;
  /** Seconds of audio in all; undefined as long as nobody knows. */
  duration: number | undefined;
}

/** Options of {@link transcribe}: those of {@link parakeet}, and what only a whole transcript has. */
export interface TranscribeIntoOptions extends ParakeetOptions {
  /** Called with each `progress` event. */
  onProgress?: ((progress: TranscriptProgress) => void) | undefined;
}

/**
 * Transcribes `source` into `sink` (a Writable of transcript events) and returns the whole result, unless `collect: false`.
 *
 * A source that fails ends the transcript: every final word is written, the sink is closed, then the promise rejects with the
 * source's error. An abort stops at once. Either way the source is destroyed when the promise settles.
 *
 * @param sink May be left out (`null`) when only the result counts.
 * @throws {@link ArgumentError} (as a rejection) for arguments that make no sense; otherwise the first error of any part.
 */
export async function transcribe(
  source: AudioSource,
  sink?: Writable | null,
  options: TranscribeIntoOptions = {},
): Promise<TranscriptResult> {
  if (
    sink !== undefined &&
    sink !== null &&
    !(sink instanceof Writable) &&
    typeof (sink as Writable).write !== 'function'
  ) {
    throw expected('a Writable or null', 'sink', sink);
  }
  if (options.onProgress !== undefined && typeof options.onProgress !== 'function') {
    throw expected('a function', 'onProgress', options.onProgress);
  }
  const samples = samplesIn(source, options.format);
  if (samples) return transcribeSamples(samples, sink, options);
  const { format, start, duration, stream } = options;
  return run(await openAudio(source, { format, start, duration, stream }), sink, options);
}

/** Samples have the rate of the model, so it must be there first. */
async function transcribeSamples(
  samples: Float32Array,
  sink: Writable | null | undefined,
  { onProgress, ...options }: TranscribeIntoOptions,
): Promise<TranscriptResult> {
  // Mistakes in the options come before a model is loaded for them.
  checkParakeet(options);
  const claim = typeof options.model === 'object' ? undefined : claimModel(options.model);
  try {
    const model = typeof options.model === 'object' ? options.model : await claim?.model;
    const pcm = { format: 'f32le', sampleRate: model?.info.sampleRate } as const;
    const opened = await openAudio(samples, pcm);
    const { start, duration } = options;
    opened.excerpt = { start, duration };
    return await run(opened, sink, { ...options, ...pcm, model, onProgress });
  } finally {
    await claim?.release();
  }
}

async function run(
  { bytes: input, excerpt }: OpenedAudio,
  sink: Writable | null | undefined,
  { onProgress, ...options }: TranscribeIntoOptions,
): Promise<TranscriptResult> {
  let line: ParakeetStream;
  try {
    const { start: _, duration: __, stream: ___, ...others } = options;
    line = parakeet({ collect: true, ...others, ...excerpt });
  } catch (error) {
    input.destroy();
    throw error;
  }
  const { offset = 0 } = options;
  if (onProgress) {
    line.on('progress', (time: number) => onProgress({ seconds: time - offset, duration: line.duration }));
  }
  let failure: Error | undefined;
  let ended = false;
  const fail = (error: Error) => {
    // Not through pipeline: it would discard every queue. The line ends instead, and the error waits.
    failure ??= error;
    line.end();
  };
  input.on('end', () => {
    ended = true;
  });
  input.on('error', fail);
  input.on('close', () => {
    if (!ended && !failure && !line.destroyed) fail(closedEarly());
  });
  input.pipe(line);
  // A pipeline that begins with the line does not ask for its writing side, where a late failure comes.
  const whole = finished(line);
  whole.catch(() => {});
  try {
    if (sink) {
      await pipeline(line, sink);
      await whole;
    } else for await (const _ of line);
  } catch (error) {
    throw failure ?? error;
  } finally {
    input.destroy();
  }
  if (failure) throw failure;
  return line.endEvent?.result ?? { text: '', sentences: [], tokens: [] };
}

function closedEarly(): ParakeetError {
  return new ParakeetError(
    'ERR_PARAKEET_CLOSED',
    'Expected the source to end but it was closed before. Check what destroyed it.',
  );
}
