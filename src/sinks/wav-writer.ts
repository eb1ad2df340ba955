/**
 * The sink of audio: chunks of `decode` or `resample` into a WAV file. The `wav` package (`Writer`) makes the header, destination.ts writes
 * the bytes.
 *
 * Not its `FileWriter`: that one opens the file a second time to update the header, which may happen before the first header is written,
 * does not stop when it is destroyed, and leaves errors of the file unhandled.
 */
import { once } from 'node:events';
import { Writable } from 'node:stream';
import wav from 'wav';
import { destroyOnAbort } from '../abort.js';
import { MOST_CHANNELS, MOST_RATE } from '../audio/input-options.js';
import { AudioError } from '../errors.js';
import type { AudioChunk } from '../events.js';
import { expected, known, oneOf, optionalSignal } from '../options.js';
import { checkTarget, type Destination, openTarget, type SinkTarget } from './destination.js';
import { type WavEncoding, wavBytes, wavFormats } from './wav-samples.js';

/** Options of {@link wavWriter}. */
export interface WavWriterOptions {
  /**
   * How samples are written: `'s16le'`, 16-bit integers, rounded, and clamped to [-1, 1); or `'f32le'`, 32-bit floats as they are.
   * @defaultValue `'s16le'`
   */
  encoding?: 's16le' | 'f32le' | undefined;
  /** Destroys the sink with an `AbortError` when it is aborted. What was written by then is a complete file. */
  signal?: AbortSignal | undefined;
}

/** The header of a file without chunks. */
const NOTHING = { sampleRate: 16_000, channels: 1 };
/** Size of the header that the package writes. */
const HEADER_BYTES = 44;
/** Most bytes of samples that a header of 32 bits can state; a longer file keeps the header that states an unknown length. */
const MOST = 0xffffffff - 36;

type Done = (error?: Error | null) => void;

class WavWriter extends Writable {
  readonly #target: SinkTarget;
  readonly #encoding: WavEncoding;
  #destination: Destination | undefined;
  /** Produces the bytes of the file, once the first chunk has determined the format. */
  #file: wav.Writer | undefined;
  /** Bytes of it that the target has, including the header. */
  #written = 0;
  /** The current write. */
  #writing: Promise<void> = Promise.resolve();
  #concluded: Promise<void> | undefined;

  constructor(target: unknown, options: WavWriterOptions) {
    known('wavWriter', options, ['encoding', 'signal']);
    const encoding = oneOf('encoding', options.encoding ?? 's16le', Object.keys(wavFormats) as WavEncoding[]);
    const signal = optionalSignal('signal', options.signal);
    // Before super(): Node opens the target of whatever was constructed, even if this constructor throws afterwards.
    const checked = checkTarget(target);
    super({ objectMode: true, highWaterMark: 4 });
    this.#target = checked;
    this.#encoding = encoding;
    destroyOnAbort(this, signal);
  }

  override _construct(callback: Done): void {
    openTarget(this.#target, (error) => this.destroy(error)).then((destination) => {
      this.#destination = destination;
      callback();
    }, callback);
  }

  override _write(chunk: unknown, _encoding: BufferEncoding, callback: Done): void {
    this.#writing = this.#put(chunk);
    this.#writing.then(() => callback(), callback);
  }

  override _final(callback: Done): void {
    const end = async (): Promise<void> => {
      this.#concluded = this.#conclude();
      await this.#concluded;
      await this.#destination?.close();
      this.#destination = undefined;
    };
    end().then(() => callback(), callback);
  }

  override _destroy(error: Error | null, callback: Done): void {
    const free = async (): Promise<void> => {
      await this.#writing.catch(() => {});
      // A recording that was aborted, or for which the disk had no room, is a complete file, too.
      this.#concluded ??= this.#updateHeader();
      await this.#concluded.catch(() => {});
      await this.#destination?.abort(error);
      this.#destination = undefined;
    };
    free().then(() => callback(error), callback);
  }

  async #put(chunk: unknown): Promise<void> {
    if (!isAudioChunk(chunk)) {
      throw expected(
        'an audio chunk ({ channels, sampleRate })',
        'wavWriter',
        chunk,
        'Pipe decode() or resample() into it',
      );
    }
    const file = this.#file ?? this.#begin(chunk.sampleRate, chunk.channels.length);
    mustBeAlike(chunk, file);
    file.write(wavBytes(chunk, this.#encoding));
    await this.#flush(file);
  }

  #begin(sampleRate: number, channels: number): wav.Writer {
    this.#file = new wav.Writer({ ...wavFormats[this.#encoding], sampleRate, channels });
    return this.#file;
  }

  /** Writes what the package has produced; it does so synchronously. */
  async #flush(file: wav.Writer): Promise<void> {
    for (let bytes = file.read() as Buffer | null; bytes; bytes = file.read() as Buffer | null) {
      await this.#destination?.write(bytes);
      this.#written += bytes.length;
    }
  }

  async #conclude(): Promise<void> {
    await this.#flush(this.#file ?? this.#begin(NOTHING.sampleRate, NOTHING.channels));
    await this.#updateHeader();
  }

  /** Puts the length of the content into the header of a file. */
  async #updateHeader(): Promise<void> {
    const file = this.#file;
    const bytes = this.#written - HEADER_BYTES;
    if (!file || bytes < 0 || bytes > MOST || !this.#destination?.rewriteStart) return;
    file.bytesProcessed = bytes;
    const header = once(file, 'header') as Promise<[Buffer]>;
    file.end();
    await this.#destination.rewriteStart((await header)[0]);
  }
}

function isAudioChunk(value: unknown): value is AudioChunk {
  const { channels, sampleRate } = (value ?? {}) as Partial<AudioChunk>;
  return (
    Array.isArray(channels) &&
    channels.length >= 1 &&
    channels.length <= MOST_CHANNELS &&
    channels.every((plane) => plane instanceof Float32Array && plane.length === channels[0]?.length) &&
    Number.isInteger(sampleRate) &&
    (sampleRate as number) >= 1 &&
    (sampleRate as number) <= MOST_RATE
  );
}

/** @throws {@link AudioError} `ERR_PARAKEET_INVALID_AUDIO` */
function mustBeAlike({ channels, sampleRate }: AudioChunk, file: wav.Writer): void {
  if (sampleRate === file.sampleRate && channels.length === file.channels) return;
  throw new AudioError(
    'ERR_PARAKEET_INVALID_AUDIO',
    `Expected audio of one kind for a WAV file, which began with ${file.channels} channels at ${file.sampleRate} Hz, but received ` +
      `${channels.length} channels at ${sampleRate} Hz. Put resample(${file.sampleRate}) before it.`,
  );
}

/**
 * Makes a Writable of audio chunks (the output of `decode()` and `resample()`) that writes them as a WAV file, to be listened to
 * afterwards. It takes any rate (1 to 1,000,000 Hz) and 1 to 256 channels, those of the first chunk.
 *
 * A file named by its path gets its length into the header at the end, also when the sink is destroyed or aborted. A pipe, a descriptor and
 * a Writable cannot: there, as in a file whose process was killed or that is longer than 4 GiB, the header says that the length is unknown
 * (about 0xFFFFFFFF), which players and `decode` read as "to the end". Without any chunk the file has no samples, at 16 kHz.
 *
 * @param target a path (its folder must exist), a file descriptor, or a Writable.
 * @throws {@link ArgumentError} for an invalid target or option. The sink fails with an `ArgumentError` for anything but an audio chunk,
 * with an `AudioError` (`ERR_PARAKEET_INVALID_AUDIO`) for samples that are NaN or infinite and for audio that changes its rate or channels,
 * and with a `WriteError` (`ERR_PARAKEET_WRITE`) whose `cause` is the system's error when a write fails.
 *
 * @example
 * ```js
 * import { createReadStream } from 'node:fs';
 * import { pipeline } from 'node:stream/promises';
 * import { wavWriter } from 'parakeet-stream';
 * import { decode } from 'parakeet-stream/stages';
 *
 * await pipeline(createReadStream('talk.flac'), decode(), wavWriter('talk.wav', { encoding: 'f32le' }));
 * ```
 */
export function wavWriter(target: SinkTarget, options: WavWriterOptions = {}): Writable {
  return new WavWriter(target, options);
}
