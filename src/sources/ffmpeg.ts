/**
 * A source: whatever ffmpeg can read, as bytes of a WAV file for `decode` or `parakeet()`. The process itself is `ffmpeg-child.ts`.
 */
import path from 'node:path';
import { finished, Readable, type Writable } from 'node:stream';
import { fileURLToPath } from 'node:url';
import { destroyOnAbort } from '../abort.js';
import { expected, finite, integer, known, optionalSignal } from '../options.js';
import { FfmpegChild } from './ffmpeg-child.js';

/** Options of {@link ffmpeg}. */
export interface FfmpegOptions {
  /** The audio stream of the file, counted from 0 among its audio streams. Default 0, the first. */
  stream?: number | undefined;
  /** Seconds to skip; the times of the transcript count from there. Default 0. */
  start?: number | undefined;
  /** Seconds to read at most. Default: to the end. */
  duration?: number | undefined;
  /** The program. Default: the environment's `FFMPEG_PATH`, or `ffmpeg` on `PATH`. */
  ffmpegPath?: string | undefined;
  /** Ends the process and the stream. */
  signal?: AbortSignal | undefined;
}

const optionKeys = ['stream', 'start', 'duration', 'ffmpegPath', 'signal'] as const;

/**
 * The first audio stream (or `stream`) of a file, a URL or a Readable, through an `ffmpeg` process of its own: MP3, M4A, MP4, MKV,
 * WebM, Ogg, network streams. Gives the bytes of a WAV file (32-bit floats, the source's own rate and channels).
 *
 * The process is started without a shell, reads no faster than it is read, and is killed by `destroy()`. A local file or piped bytes
 * cannot make it open other files or addresses; a URL is passed on as it is, so do not pass one that you do not trust.
 *
 * @param input A path, a URL (`https://…`, `rtmp://…`: whatever this ffmpeg knows), or a Readable of bytes.
 * @throws {@link ArgumentError} (at once) for arguments that make no sense.
 * Fails with `ERR_PARAKEET_MISSING_DEPENDENCY` without ffmpeg, and `ERR_PARAKEET_INVALID_AUDIO` with what ffmpeg said, its exit code
 * or its signal, after everything that it could read. `pipeline` drops what is still on its way when a source fails; `transcribe` and
 * `model.transcribe` write it first.
 */
export function ffmpeg(input: string | URL | Readable, options: FfmpegOptions = {}): Readable {
  known('ffmpeg', options, optionKeys);
  const { stream, start, duration, ffmpegPath } = options;
  if (stream !== undefined) integer('stream', stream, 0);
  if (start !== undefined) finite('start', start, 0);
  if (duration !== undefined) finite('duration', duration, 0);
  if (ffmpegPath !== undefined && typeof ffmpegPath !== 'string') {
    throw expected('a path', 'ffmpegPath', ffmpegPath);
  }
  const signal = optionalSignal('signal', options.signal);
  const bytes = input instanceof Readable ? input : null;
  const child = new FfmpegChild({
    input: input instanceof Readable ? null : ffmpegName(input),
    stream,
    start,
    duration,
    ffmpegPath,
  });
  const source = new FfmpegSource(child, bytes);
  destroyOnAbort(source, signal);
  return source;
}

/** A file as ffmpeg must be told of it: with its protocol, so that no name is an option (`-y`) or another protocol (`concat:…`). */
function ffmpegName(input: string | URL): string {
  if (input instanceof URL) return input.protocol === 'file:' ? `file:${fileURLToPath(input)}` : input.href;
  if (typeof input !== 'string' || input === '')
    throw expected('a path, a URL or a Readable', 'input', input);
  if (/^[a-z][a-z0-9+.-]*:\/\//i.test(input))
    return input.startsWith('file:') ? ffmpegName(new URL(input)) : input;
  return `file:${path.resolve(input)}`;
}

class FfmpegSource extends Readable {
  readonly #child: FfmpegChild;
  readonly #input: Readable | null;
  /** What to fail with, once everything before it has been read: `destroy` would throw that away. */
  #failure: Error | undefined;

  constructor(child: FfmpegChild, input: Readable | null) {
    super({ highWaterMark: 65_536 });
    this.#child = child;
    this.#input = input;
    child.stdout.on('data', (piece: Buffer) => {
      if (!this.push(piece)) child.stdout.pause();
    });
    let inputError: Error | undefined;
    if (input && child.stdin) {
      feed(input, child.stdin, (error) => {
        if (!child.ended) inputError = error;
      });
    }
    void child.gone.then((failure) => {
      if (this.destroyed) return;
      this.#failure = inputError ?? failure ?? undefined;
      if (this.#failure) this.#failWhenEmpty();
      else this.push(null);
    });
  }

  override _read(): void {
    this.#child.stdout.resume();
  }

  // biome-ignore lint/suspicious/noExplicitAny: as in Node's own type, so that this is a stream for finished() and others.
  override read(size?: number): any {
    const bytes = super.read(size) as Buffer | null;
    if (this.#failure) queueMicrotask(() => this.#failWhenEmpty());
    return bytes;
  }

  #failWhenEmpty(): void {
    if (this.readableLength === 0) this.destroy(this.#failure);
  }

  override _destroy(error: Error | null, callback: (error?: Error | null) => void): void {
    this.#child.kill();
    this.#input?.destroy();
    void this.#child.gone.then(() => callback(error));
  }
}

/** Pipes `input` into the process; when it fails, ffmpeg gets an end, so that what came before is heard. */
function feed(input: Readable, stdin: Writable, onError: (error: Error) => void): void {
  finished(input, { writable: false }, (error) => {
    if (error) onError(error);
    stdin.end();
  });
  // ffmpeg may have enough before the input ends.
  stdin.on('close', () => input.unpipe(stdin));
  input.pipe(stdin, { end: false });
}
