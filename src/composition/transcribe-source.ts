/**
 * The complete path: a source, a {@link ParakeetStream}, a sink, and the result. It adds to `pipeline` that when the source fails, the
 * transcript so far is written before the promise rejects.
 */
import { Readable, Writable } from 'node:stream';
import { finished, pipeline } from 'node:stream/promises';
import { unlessAborted } from '../abort.js';
import { mustBeFinite } from '../audio/samples.js';
import { ClosedError, canTellHeard } from '../errors.js';
import type { TranscriptResult } from '../events.js';
import type { LoadedModel } from '../model/loaded-model.js';
import type { StageModel } from '../model/stage-model.js';
import { expected, known } from '../options.js';
import type { OpenedAudio } from '../sources/audio-file.js';
import { type AudioSource, openAudio, samplesIn } from '../sources/audio-source.js';
import { claimOf, type ModelClaims } from './model-claim.js';
import { transcribeOneWindow } from './one-window.js';
import { checkTranscription, type TranscriptionOptions, transcriptionKeys } from './options.js';
import { resultOf } from './outlet.js';
import { ParakeetStream } from './parakeet-stream.js';

/** Progress of a transcript. */
export interface TranscriptProgress {
  /** Seconds of audio that are final, from the start of what is transcribed. */
  seconds: number;
  /** Seconds of audio in all; undefined as long as it is unknown. */
  duration: number | undefined;
}

/** Options of `model.transcribe`. */
export interface TranscribeOptions extends TranscriptionOptions {
  /**
   * A Writable of transcript events, such as `srtWriter('talk.srt')`.
   * @defaultValue none: there is only the result
   */
  sink?: Writable | null | undefined;
  /** Called with each `progress` event. */
  onProgress?: ((progress: TranscriptProgress) => void) | undefined;
  /**
   * With `mode: 'live'`: a second, faster model that writes the drafts, as in `parakeet`.
   * @defaultValue none
   */
  draftModel?: StageModel | undefined;
}

/** The names of {@link TranscribeOptions}. */
export const transcribeKeys = [...transcriptionKeys, 'sink', 'onProgress', 'draftModel'] as const;

/** `mode` as it is without a value. */
export const DEFAULT_MODE = 'file';

/** @throws {@link ArgumentError} as a rejection; otherwise the first error of any part, whose `heard` is the transcript so far. */
export async function transcribeSource(
  claimModels: ModelClaims,
  source: AudioSource,
  options: Omit<TranscribeOptions, 'draftModel'>,
): Promise<TranscriptResult> {
  const { sink, onProgress, ...others } = known('transcribe', options, transcribeKeys);
  checkSink(sink);
  if (onProgress !== undefined && typeof onProgress !== 'function')
    throw expected('a function', 'onProgress', onProgress);
  const settled: TranscriptionOptions = {
    ...others,
    mode: others.mode ?? DEFAULT_MODE,
    collect: others.collect ?? true,
  };
  // An invalid option must throw before a source is opened or a model is loaded.
  checkTranscription(settled);
  const job: Job = { sink, onProgress, options: settled };
  const { format, track, start, duration } = settled.input ?? {};
  const samples = samplesIn(source, format);
  if (samples) return transcribeSamples(claimModels, samples, job);
  return run(claimModels, await openAudio(source, { format, track, start, duration }), job);
}

/** Seconds of a `Float32Array` that are taken at a time: of a live transcript, and of windows, where each piece costs more than its samples. */
const PIECE_SECONDS = { live: 1, file: 120 };

interface Job {
  sink: Writable | null | undefined;
  onProgress: TranscribeOptions['onProgress'];
  options: TranscriptionOptions;
}

/** Samples have the rate of the model, so it must be loaded first. */
async function transcribeSamples(
  claimModels: ModelClaims,
  samples: Float32Array,
  job: Job,
): Promise<TranscriptResult> {
  const claim = claimModels.model();
  try {
    const model = await unlessAborted(claim.model, job.options.signal);
    const { sampleRate } = model.info;
    const { start = 0, duration = Number.POSITIVE_INFINITY } = job.options.input ?? {};
    const from = Math.round(start * sampleRate);
    const part = samples.subarray(from, Math.round(Math.min(samples.length, from + duration * sampleRate)));
    const mode = job.options.mode ?? DEFAULT_MODE;
    if (mode === 'file' && !job.sink) {
      const told = progressOf(job, () => part.length / sampleRate);
      const result = await transcribeOneWindow(model as LoadedModel, part, job.options, told);
      if (result) return result;
    }
    const pieces = bytesOf(part, sampleRate, PIECE_SECONDS[mode] * sampleRate);
    const bytes = Object.assign(Readable.from(pieces, { objectMode: false }), {
      duration: part.length / sampleRate,
    });
    const input = { format: 'f32le', sampleRate, channels: 1 } as const;
    return await run(
      { ...claimModels, model: () => claimOf(model) },
      { bytes, excerpt: {} },
      { ...job, options: { ...job.options, input } },
      mode === 'file',
    );
  } finally {
    await claim.release();
  }
}

/** Tells the caller of a `progress` event. */
function progressOf(
  { onProgress, options: { offset = 0 } }: Omit<Job, 'sink'>,
  duration: () => number | undefined,
): (time: number) => void {
  return (time) => onProgress?.({ seconds: time - offset, duration: duration() });
}

/** In pieces, so that none of it is copied whole. @throws {@link AudioError} for samples that are no numbers. */
function* bytesOf(samples: Float32Array, rate: number, size: number): Generator<Uint8Array> {
  for (let at = 0; at < samples.length; at += size) {
    const piece = samples.subarray(at, at + size);
    mustBeFinite(piece, rate, at);
    yield new Uint8Array(piece.buffer, piece.byteOffset, piece.byteLength);
  }
}

async function run(
  claimModels: ModelClaims,
  { bytes: input, excerpt }: OpenedAudio,
  { sink, onProgress, options }: Job,
  samples = false,
): Promise<TranscriptResult> {
  // The part of the excerpt that the source has cut out itself must not be cut out again.
  const { start: _, duration: __, track: ___, ...format } = options.input ?? {};
  const line = new ParakeetStream(claimModels, { ...options, input: { ...format, ...excerpt } }, samples);
  const told = progressOf({ onProgress, options }, () => line.duration);
  line.on('progress', (time: number) => {
    try {
      told(time);
    } catch (error) {
      // The callback belongs to the caller: nothing else would handle what it throws.
      line.destroy(error as Error);
    }
  });
  let failure: Error | undefined;
  let ended = false;
  const fail = (error: Error) => {
    // Not through pipeline: it would discard every queue. The stream ends instead, and the error waits.
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
  // A pipeline that begins with the stream does not wait for its writing side, where a late failure comes.
  const whole = finished(line);
  whole.catch(() => {});
  try {
    if (sink) {
      await pipeline(line, sink);
      await whole;
    } else for await (const _event of line);
    if (failure) throw failure;
  } catch (error) {
    const cause = failure ?? error;
    const { heard } = line;
    if (heard && canTellHeard(cause)) cause.heard = heard;
    throw cause;
  } finally {
    input.destroy();
  }
  return resultOf(line.endEvent);
}

function checkSink(sink: unknown): void {
  if (sink === undefined || sink === null || sink instanceof Writable) return;
  if (typeof (sink as Writable).write !== 'function') throw expected('a Writable or null', 'sink', sink);
}

function closedEarly(): ClosedError {
  return new ClosedError('Expected the source to end but it was closed before. Check what destroyed it.');
}
