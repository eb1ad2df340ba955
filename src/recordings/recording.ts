/** A recording as it may be handed in, and the way from it to the samples that a model takes. */
import { stat } from 'node:fs/promises';
import { Readable, Transform, Writable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { mustBeFinite } from '../audio/samples.js';
import type { AudioChunk } from '../events.js';
import { type AudioSource, openAudio, samplesIn } from '../sources/audio-source.js';
import { type DecodeOptions, decode } from '../transforms/decode.js';
import { resample } from '../transforms/resample.js';

/** Seconds of a `Float32Array` that are taken at a time. */
const PIECE_SECONDS = 10;

/** How far a recording is read. */
export interface RecordingProgress {
  /** Bytes read so far, and in all: 0 when unknown, as it is of a file that ffmpeg decodes. */
  processed: number;
  total: number;
  /** Seconds of audio heard so far. */
  seconds: number;
  /** Seconds of audio in all; undefined as long as nobody knows. */
  duration: number | undefined;
}

/** What reading a recording can be told. */
export interface RecordingOptions
  extends Pick<
    DecodeOptions,
    'format' | 'sampleRate' | 'channels' | 'start' | 'duration' | 'stream' | 'maxSpool' | 'signal'
  > {
  /** Called as the recording is read. */
  onRead?: ((progress: RecordingProgress) => void) | undefined;
}

/** Calls `take` with mono pieces of the recording at `rate`, in order, and waits for it. */
export async function readRecording(
  source: AudioSource,
  rate: number,
  options: RecordingOptions,
  take: (samples: Float32Array) => Promise<void>,
): Promise<void> {
  const { signal, format, sampleRate, channels, start, duration, stream, maxSpool } = options;
  const samples = samplesIn(source, format);
  if (samples) {
    // In pieces, so that no window copies the whole.
    const size = PIECE_SECONDS * rate;
    const begin = Math.round((start ?? 0) * rate);
    const end = begin + Math.round((duration ?? Number.POSITIVE_INFINITY) * rate);
    const last = Math.min(samples.length, end);
    for (let at = begin; at < last; at += size) {
      const piece = samples.subarray(at, Math.min(last, at + size));
      mustBeFinite(piece, rate, at);
      await take(piece);
      options.onRead?.({
        processed: piece.byteOffset + piece.byteLength - samples.byteOffset,
        total: samples.byteLength,
        seconds: (at - begin + piece.length) / rate,
        duration: (last - begin) / rate,
      });
    }
    return;
  }
  const { bytes: opened, excerpt } = await openAudio(source, { format, start, duration, stream });
  // What ffmpeg gives of a file is no share of its size.
  const total = 'duration' in opened ? 0 : await sizeOf(source);
  const decoder = decode({ format, sampleRate, channels, maxSpool, ...excerpt });
  let read = 0;
  let heard = 0;
  const counter = new Transform({
    writableObjectMode: true,
    writableHighWaterMark: 1,
    transform(piece: Uint8Array, _encoding, callback) {
      // The callback is the caller's: what it throws would be nobody's.
      try {
        read += piece.length;
        callback(null, piece);
      } catch (error) {
        callback(error as Error);
      }
    },
  });
  let taking = Promise.resolve();
  const taker = new Writable({
    objectMode: true,
    highWaterMark: 2,
    write({ channels: planes }: AudioChunk, _encoding, callback) {
      const samples = planes[0] as Float32Array;
      heard += samples.length;
      taking = take(samples).then(() => {
        const duration = decoder.duration ?? (opened as { duration?: number }).duration;
        options.onRead?.({ processed: read, total, seconds: heard / rate, duration });
      });
      taking.then(() => callback(), callback);
    },
  });
  let failure: { error: unknown } | undefined;
  // A source that fails ends the audio first: `pipeline` would drop what is on its way.
  opened.on('error', () => {});
  async function* untilFailure(): AsyncGenerator<Uint8Array> {
    try {
      yield* opened;
    } catch (error) {
      failure = { error };
    }
  }
  try {
    await pipeline(
      Readable.from(untilFailure(), { highWaterMark: 1 }),
      counter,
      decoder,
      resample(rate),
      taker,
      {
        ...(signal && { signal }),
      },
    );
  } catch (error) {
    // What the source broke off is no news beside its own error.
    throw failure ? failure.error : error;
  } finally {
    opened.destroy();
    // An abort ends the pipeline at once, but the engine is still giving up its work.
    await taking.catch(() => {});
  }
  if (failure) throw failure.error;
}

/** Bytes of a source whose size is known beforehand; 0 for any other. */
async function sizeOf(source: AudioSource): Promise<number> {
  if (source instanceof Blob) return source.size;
  if (ArrayBuffer.isView(source)) return source.byteLength;
  if (typeof source !== 'string' && !(source instanceof URL)) return 0;
  const found = await stat(source).catch(() => undefined);
  return found?.isFile() ? found.size : 0;
}
