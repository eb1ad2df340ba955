/** A recording as it may be handed in, and the way from it to the samples that a model takes. */
import { stat } from 'node:fs/promises';
import { Readable, Transform, Writable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import type { ReadableStream } from 'node:stream/web';
import type { AudioChunk } from '../events.js';
import { expected } from '../options.js';
import { type OpenedAudio, openAudioFile } from '../sources/audio-file.js';
import { type DecodeOptions, decode } from '../transforms/decode.js';
import { resample } from '../transforms/resample.js';
import { mustBeFinite } from './samples.js';

/** Seconds of a `Float32Array` that are taken at a time. */
const PIECE_SECONDS = 10;

/** Bytes of a sound file (a path, a stream, an iterable), or mono samples at the model's rate in [-1, 1]. */
export type Recording =
  | string
  | URL
  | Readable
  | ReadableStream<Uint8Array>
  | AsyncIterable<Uint8Array>
  | Iterable<Uint8Array>
  | Uint8Array
  | Float32Array;

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
  source: Recording,
  rate: number,
  options: RecordingOptions,
  take: (samples: Float32Array) => Promise<void>,
): Promise<void> {
  if (source instanceof Float32Array) {
    // In pieces, so that no window copies the whole.
    const size = PIECE_SECONDS * rate;
    const begin = Math.round((options.start ?? 0) * rate);
    const end = begin + Math.round((options.duration ?? Number.POSITIVE_INFINITY) * rate);
    const last = Math.min(source.length, end);
    for (let at = begin; at < last; at += size) {
      const piece = source.subarray(at, Math.min(last, at + size));
      mustBeFinite(piece, rate, at);
      await take(piece);
      options.onRead?.({
        processed: piece.byteOffset + piece.byteLength - source.byteOffset,
        total: source.byteLength,
        seconds: (at - begin + piece.length) / rate,
        duration: (last - begin) / rate,
      });
    }
    return;
  }
  const { signal, format, sampleRate, channels, maxSpool } = options;
  const { bytes: opened, excerpt } = await openBytes(source, options);
  const isFile = typeof source === 'string' || source instanceof URL;
  // What ffmpeg gives of a file is no share of its size.
  const total = isFile && !('duration' in opened) ? await sizeOf(source) : 0;
  const decoder = decode({ format, sampleRate, channels, maxSpool, ...excerpt });
  let read = 0;
  let heard = 0;
  const counter = new Transform({
    writableObjectMode: true,
    writableHighWaterMark: 1,
    transform(piece: unknown, _encoding, callback) {
      // What is thrown here would be nobody's.
      try {
        if (!(piece instanceof Uint8Array)) throw expected('bytes', 'the pieces of the source', piece);
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

async function sizeOf(file: string | URL): Promise<number> {
  const { size } = await stat(file);
  return size;
}

/** A Readable of a source's bytes. @throws {@link ArgumentError} */
async function openBytes(
  source: Exclude<Recording, Float32Array>,
  { format, start, duration, stream }: RecordingOptions,
): Promise<OpenedAudio> {
  const excerpt = { start, duration, stream };
  const plain = (bytes: Readable) => ({ bytes, excerpt });
  if (source instanceof Readable) return plain(source);
  if (typeof source === 'string' || source instanceof URL) return openAudioFile(source, format, excerpt);
  if (source instanceof Uint8Array) return plain(Readable.from([source]));
  if (typeof source === 'object' && source !== null) {
    if (Symbol.asyncIterator in source || Symbol.iterator in source) return plain(Readable.from(source));
  }
  throw expected('a path, a stream or an iterable of bytes, or a Float32Array', 'source', source);
}
