/**
 * A source: whatever ffmpeg can read, as bytes of a WAV file for `decode` or `parakeet()`. The process itself is in `ffmpeg-child.ts`.
 */
import { closeSync, openSync, readSync, statSync } from 'node:fs';
import { open } from 'node:fs/promises';
import path from 'node:path';
import { finished, Readable } from 'node:stream';
import { fileURLToPath } from 'node:url';
import { destroyOnAbort } from '../abort.js';
import { walkFile, wrongLength } from '../audio/containers/walk.js';
import { isMpegStream, WALKER_BYTES, walkerFor } from '../audio/containers/walker-for.js';
import { type FfmpegChild, type FfmpegJob, ffmpegStarter } from '../audio/ffmpeg/ffmpeg-child.js';
import { FfmpegFeed } from '../audio/ffmpeg/ffmpeg-feed.js';
import { expected, finite, integer, known, optionalSignal } from '../options.js';

/** Options of {@link ffmpeg}. */
export interface FfmpegOptions {
  /**
   * The audio track of the file, counted from 0.
   * @defaultValue 0
   */
  track?: number | undefined;
  /**
   * Seconds to skip, at least 0; the times of the transcript count from there.
   * @defaultValue 0
   */
  start?: number | undefined;
  /**
   * Most seconds to read, at least 0.
   * @defaultValue to the end
   */
  duration?: number | undefined;
  /**
   * The path of the program.
   * @defaultValue the environment's `FFMPEG_PATH`, or `ffmpeg` on `PATH`, or that of the packages `ffmpeg-static` and `@ffmpeg-installer/ffmpeg`
   */
  ffmpegPath?: string | undefined;
  /**
   * Most bytes that may be stored in a temporary file when `input` is a Readable of a container that needs seeking (an MP4 with its index
   * at the end). 0 refuses such input.
   * @defaultValue 4 GiB
   */
  maxSpool?: number | undefined;
  /** Ends the process, and the stream with an `AbortError`. */
  signal?: AbortSignal | undefined;
}

/** The stream that {@link ffmpeg} makes. */
export interface FfmpegAudio extends Readable {
  /** Seconds of sound in all, as far as ffmpeg has reported by now. The event `duration` reports it as soon as it is known. */
  readonly duration: number | undefined;
}

const optionKeys = ['track', 'start', 'duration', 'ffmpegPath', 'maxSpool', 'signal'] as const;

/**
 * The first audio track (or `track`) of a file, a URL or a Readable, through an `ffmpeg` process: MP3, M4A, MP4, MKV, WebM, Ogg, network
 * streams. Emits the bytes of a WAV file (32-bit floats, the source's own rate and channels).
 *
 * The process is started without a shell, respects back-pressure, and is killed by `destroy()`. A local file or piped bytes cannot make it
 * open other files or addresses; a URL is passed on as it is, so do not pass one that you do not trust.
 *
 * Times are the container's: places without sound are filled with silence, both before the first packet (audio that begins after the video)
 * and in gaps.
 *
 * @param input A path, a URL (`https://…`, `rtmp://…`: whatever this ffmpeg supports), or a Readable of bytes.
 * @throws {@link ArgumentError} (synchronously) for invalid arguments.
 * The stream fails with `ERR_PARAKEET_MISSING_DEPENDENCY` without ffmpeg, and with `ERR_PARAKEET_INVALID_AUDIO` and ffmpeg's message, exit
 * code or signal after everything that it could read; also when the exit code is 0 but there was no sound, ffmpeg reported errors, or the
 * file is cut short. `pipeline` drops what is still on its way when a source fails; `transcribe` and `model.transcribe` write it first.
 *
 * @example
 * ```js
 * import { pipeline } from 'node:stream/promises';
 * import { ffmpeg, parakeet, srtWriter } from 'parakeet-stream';
 *
 * await pipeline(ffmpeg('talk.flac', { start: 0, duration: 600 }), parakeet(), srtWriter('talk.srt'));
 * ```
 */
export function ffmpeg(input: string | URL | Readable, options: FfmpegOptions = {}): FfmpegAudio {
  return openWithFfmpeg(input, options);
}

/** {@link ffmpeg} for a file that none of our decoders knows: `unknown` says what it looks like, for the error. */
export function openWithFfmpeg(
  input: string | URL | Readable,
  options: FfmpegOptions,
  unknown?: string,
): FfmpegAudio {
  known('ffmpeg', options, optionKeys);
  const { track, start, duration, ffmpegPath, maxSpool } = options;
  if (track !== undefined) integer('track', track, 0);
  if (start !== undefined) finite('start', start, 0);
  if (duration !== undefined) finite('duration', duration, 0);
  if (maxSpool !== undefined) finite('maxSpool', maxSpool, 0);
  if (ffmpegPath !== undefined && typeof ffmpegPath !== 'string') {
    throw expected('a path', 'ffmpegPath', ffmpegPath);
  }
  const signal = optionalSignal('signal', options.signal);
  const job = { stream: track, start, duration, ffmpegPath, unknown };
  const source = new FfmpegSource(
    job,
    input instanceof Readable ? new PipedInput(input, job, maxSpool) : new NamedInput(ffmpegName(input), job),
  );
  destroyOnAbort(source, signal);
  return source;
}

/** A file as ffmpeg takes it: with its protocol, so that no name is an option (`-y`) or another protocol (`concat:…`). */
function ffmpegName(input: string | URL): string {
  if (input instanceof URL) return input.protocol === 'file:' ? `file:${fileURLToPath(input)}` : input.href;
  if (typeof input !== 'string' || input === '')
    throw expected('a path, a URL or a Readable', 'input', input);
  if (/^[a-z][a-z0-9+.-]*:\/\//i.test(input))
    return input.startsWith('file:') ? ffmpegName(new URL(input)) : input;
  return `file:${path.resolve(input)}`;
}

/** Where the process of a source gets its input from. */
interface Input {
  /** Resolves with the process when it was started; rejects when it never will be. */
  readonly started: Promise<FfmpegChild>;
  /** After the process has ended: why the sound is incomplete, if it is. */
  failure(): Promise<Error | null>;
  /** Ends everything at once; resolves when all resources are freed. */
  kill(): Promise<void>;
}

/** A file or a URL, which ffmpeg opens itself. */
class NamedInput implements Input {
  readonly started: Promise<FfmpegChild>;

  constructor(
    private readonly name: string,
    private readonly job: Omit<FfmpegJob, 'input'>,
  ) {
    const pictures = isMpegStream(firstBytes(name));
    this.started = ffmpegStarter().then((start) => start({ ...job, input: name, pictures }));
  }

  async failure(): Promise<Error | null> {
    const failure = await (await this.started).gone;
    if (failure || !this.name.startsWith('file:') || this.job.duration !== undefined) return failure;
    return (await lengthErrorOf(this.name.slice('file:'.length))) ?? null;
  }

  async kill(): Promise<void> {
    const child = await this.started;
    child.kill();
    await child.gone;
  }
}

/** The first bytes of a file; none for anything else, and for a file that ffmpeg will report as unreadable. */
function firstBytes(name: string): Uint8Array {
  const bytes = new Uint8Array(WALKER_BYTES);
  const file = name.startsWith('file:') ? name.slice('file:'.length) : undefined;
  try {
    // A named pipe can be read only once.
    if (file === undefined || !statSync(file).isFile()) return bytes.subarray(0, 0);
    const descriptor = openSync(file, 'r');
    try {
      return bytes.subarray(0, readSync(descriptor, bytes));
    } finally {
      closeSync(descriptor);
    }
  } catch {
    return bytes.subarray(0, 0);
  }
}

/** The error for a file that is incomplete. */
async function lengthErrorOf(file: string): Promise<Error | undefined> {
  const handle = await open(file).catch(() => undefined);
  if (!handle) return undefined;
  try {
    // A named pipe was read by now, and a folder of images never has sound.
    if (!(await handle.stat()).isFile()) return undefined;
    const mark = new Uint8Array(WALKER_BYTES);
    const { bytesRead } = await handle.read(mark, 0, mark.length, 0);
    const walker = walkerFor(mark.subarray(0, bytesRead));
    return walker && wrongLength(await walkFile(walker, handle));
  } finally {
    await handle.close();
  }
}

/** A Readable of bytes. */
class PipedInput implements Input {
  readonly started: Promise<FfmpegChild>;
  readonly #feed: FfmpegFeed;
  #inputError: Error | undefined;

  constructor(
    private readonly input: Readable,
    job: Omit<FfmpegJob, 'input'>,
    maxSpool: number | undefined,
  ) {
    this.#feed = new FfmpegFeed({ ...job, maxSpool });
    const fed = this.#copy();
    this.started = new Promise((resolve, reject) => {
      void this.#feed.started.then((child) => {
        resolve(child);
        // ffmpeg may have enough before its input ends.
        void child.gone.then(() => input.destroy());
      });
      fed.catch(reject);
    });
    this.started.catch(() => {});
  }

  async failure(): Promise<Error | null> {
    return this.#inputError ?? (await this.#feed.failure());
  }

  async kill(): Promise<void> {
    this.input.destroy();
    await this.#feed.kill();
  }

  /** When the input fails ffmpeg gets an end, so that what came before is decoded. */
  async #copy(): Promise<void> {
    let child: FfmpegChild | undefined;
    void this.#feed.started.then((started) => {
      child = started;
    });
    const pieces = this.input[Symbol.asyncIterator]() as AsyncIterator<Uint8Array>;
    finished(this.input, { writable: false }, (error) => {
      if (error && !child?.ended) this.#inputError ??= error;
    });
    for (;;) {
      const next = await pieces.next().catch(() => ({ done: true as const, value: undefined }));
      if (next.done) break;
      await this.#feed.write(next.value);
    }
    await this.#feed.end();
  }
}

class FfmpegSource extends Readable implements FfmpegAudio {
  readonly #job: Omit<FfmpegJob, 'input'>;
  readonly #input: Input;
  #child: FfmpegChild | undefined;
  #duration: number | undefined;
  /** The error to fail with once everything before it has been read: `destroy` would discard that. */
  #failure: Error | undefined;

  constructor(job: Omit<FfmpegJob, 'input'>, input: Input) {
    super({ highWaterMark: 65_536 });
    this.#job = job;
    this.#input = input;
    input.started.then(
      (child) => this.#attach(child),
      (error: Error) => this.#fail(error),
    );
  }

  get duration(): number | undefined {
    return this.#duration;
  }

  #attach(child: FfmpegChild): void {
    if (this.destroyed) return;
    this.#child = child;
    child.stdout.on('data', (piece: Buffer) => {
      child.count(piece);
      this.#tellDuration(child.duration);
      if (!this.push(piece)) child.stdout.pause();
    });
    void child.gone
      .then(() => this.#input.failure())
      .then((failure) => {
        if (failure) this.#fail(failure);
        else if (!this.destroyed) this.push(null);
      });
  }

  #tellDuration(whole: number | undefined): void {
    if (whole === undefined || this.#duration !== undefined) return;
    const { start = 0, duration = Number.POSITIVE_INFINITY } = this.#job;
    this.#duration = Math.max(0, Math.min(duration, whole - start));
    this.emit('duration', this.#duration);
  }

  #fail(error: Error): void {
    if (this.destroyed) return;
    this.#failure = error;
    this.#failWhenEmpty();
  }

  /** Node's. @internal */
  override _read(): void {
    this.#child?.stdout.resume();
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

  /** Node's. @internal */
  override _destroy(error: Error | null, callback: (error?: Error | null) => void): void {
    void this.#input.kill().then(() => callback(error));
  }
}
