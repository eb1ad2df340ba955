/**
 * An `ffmpeg` process that we own: starts it without a shell, keeps its error messages, reports how it ended, kills it. `execa` runs it,
 * and kills it when our process exits; how an exit is interpreted is decided here. It knows nothing of our streams; `sources/ffmpeg.ts` (a
 * source) and `formats/ffmpeg.ts` (a decoder) are built on it.
 *
 * Its output is WAV with 32-bit floats at the file's own rate and channels: mixing and resampling are left to our stages.
 */
import type { Readable, Writable } from 'node:stream';
import type { execa } from 'execa';
import { AudioError, DependencyError, type ParakeetError } from '../../errors.js';
import { FfmpegLog } from './ffmpeg-log.js';
import { ffmpegProgram } from './ffmpeg-program.js';
import { Watchdog } from './watchdog.js';

/** What can be read without ffmpeg; part of the message when it is missing. */
const WITHOUT = 'WAV, FLAC, MP3, Ogg/Opus, WebM/Opus and raw PCM are read without it.';
/** Offset of the byte rate in the header of its output, and the bytes within which the samples begin. */
const BYTE_RATE_AT = 28;
const HEADER_BYTES = 256;
/** The child's descriptor of a file that it inherits: the first one after those that every process has. */
const FILE_DESCRIPTOR = 3;
/** Seconds by which the sound may be shorter than its container says. */
const SHORT = 1;

/** The job of an {@link FfmpegChild}. */
export interface FfmpegJob {
  /** A name or URL as ffmpeg takes it (`file:…`, `https://…`), or `null` for its standard input. */
  input: string | null;
  /** With `input: null`, a file that it reads instead of its standard input, so that it can seek: a descriptor of it, or its path. */
  file?: number | string | undefined;
  /**
   * The audio stream, counted from 0.
   * @defaultValue 0
   */
  stream?: number | undefined;
  /**
   * Seconds to skip.
   * @defaultValue 0
   */
  start?: number | undefined;
  /**
   * Seconds to read.
   * @defaultValue all
   */
  duration?: number | undefined;
  /**
   * The program.
   * @defaultValue see `ffmpeg-program.ts`
   */
  ffmpegPath?: string | undefined;
  /**
   * Read the video too, and drop it, so that times count from its start.
   * @defaultValue false
   */
  pictures?: boolean | undefined;
  /** What the input looks like if our code does not recognise it: it may then not be sound at all, and the error says so. */
  unknown?: string | undefined;
}

type Run = typeof execa;

/** What execa reports of a process that has ended; without a code and a signal it was never started. */
interface Ending {
  exitCode?: number | undefined;
  signal?: NodeJS.Signals | undefined;
  cause?: unknown;
}

/** Starts processes. Loads execa when it is needed: that takes as long as the rest of this package. */
export async function ffmpegStarter(): Promise<(job: FfmpegJob) => FfmpegChild> {
  const { execa: run } = await import('execa');
  return (job) => new FfmpegChild(job, run);
}

/** The process, and how it ended. */
export class FfmpegChild {
  readonly stdin: Writable | null;
  readonly stdout: Readable;
  /** Settles when the process has ended and its pipes are closed: with `null`, or with the reason of its failure. Never rejects. */
  readonly gone: Promise<ParakeetError | null>;
  /** True once it has ended. */
  ended = false;

  readonly #end: () => void;
  readonly #log = new FfmpegLog();
  #killed = false;
  #header = Buffer.alloc(0);
  #bytes = 0;

  /** Use {@link ffmpegStarter}. */
  constructor(job: FfmpegJob, run: Run) {
    const program = ffmpegProgram(job.ffmpegPath);
    const child = run(program, commandLine(job), {
      stdio: [
        job.input === null && job.file === undefined ? 'pipe' : 'ignore',
        'pipe',
        'pipe',
        // Any descriptor works, although execa's types know only small ones.
        ...(typeof job.file === 'number' ? [job.file as 3] : []),
      ],
      buffer: false,
      reject: false,
      killSignal: 'SIGKILL',
    });
    this.stdin = child.stdin;
    this.stdout = child.stdout as Readable;
    child.stderr?.setEncoding('utf8').on('data', (text: string) => this.#log.push(text));
    // A process that reads our pipe sees its end when we are gone; one that waits for a network or a device does not.
    const watchdog = job.input !== null && child.pid !== undefined ? new Watchdog(child.pid, run) : undefined;
    child.once('exit', () => watchdog?.release());
    this.#end = () => child.kill();
    this.gone = child.then((result) => {
      this.ended = true;
      return this.#failure(job, program, result);
    });
  }

  /** Seconds of the whole input without `start`, if its container says so and ffmpeg has reported it by now. */
  get duration(): number | undefined {
    return this.#log.duration;
  }

  /** Counts bytes of its output: how much sound came is part of how it ended. To be called by the reader of `stdout`. */
  count(bytes: Uint8Array): void {
    if (this.#header.length < HEADER_BYTES) {
      this.#header = Buffer.concat([this.#header, bytes.subarray(0, HEADER_BYTES - this.#header.length)]);
    }
    this.#bytes += bytes.length;
  }

  /** Seconds of sound so far. */
  get #seconds(): number {
    const begin = this.#header.indexOf('data') + 8;
    if (begin < 8) return 0;
    return Math.max(0, this.#bytes - begin) / this.#header.readUInt32LE(BYTE_RATE_AT);
  }

  /** Ends it at once; `gone` then resolves with `null`. Its output is ignored from then on. */
  kill(): void {
    if (this.ended) return;
    this.#killed = true;
    this.#end();
    this.stdin?.destroy();
    this.stdout.destroy();
  }

  #failure(job: FfmpegJob, program: string, { exitCode, signal, cause }: Ending): ParakeetError | null {
    if (this.#killed) return null;
    if (exitCode === undefined && signal === undefined) return notStarted(program, cause, job.unknown);
    const what = job.input ?? 'the input';
    const said = this.#log.complaint || 'it said nothing';
    if (job.unknown !== undefined && this.#seconds === 0) {
      return notSupported(`${job.unknown}, which ffmpeg cannot read either (${said})`);
    }
    if (exitCode !== 0) {
      const how = signal === undefined ? `exit code ${exitCode}` : `ended by ${signal}`;
      return failed(`Expected ffmpeg to read ${what} but it failed (${how}): ${said}`);
    }
    // An exit code of 0 proves nothing: ffmpeg returns it for a file without its index, and for one that is cut short.
    if (this.#log.failed) {
      return failed(
        `Expected ffmpeg to read all of ${what} but it reported errors: ${said}. Check that the file is complete.`,
      );
    }
    if (this.#seconds === 0 && !job.start) {
      return failed(`Expected sound in ${what} but ffmpeg found none. Check that the file is complete.`);
    }
    const { duration, durationIsOfSound } = this.#log;
    if (job.start || job.duration !== undefined || !durationIsOfSound || duration === undefined) return null;
    if (this.#seconds >= 0.995 * duration - SHORT) return null;
    return failed(
      `Expected ${duration} s of sound, as the container of ${what} says, but received ${this.#seconds.toFixed(2)} s. ` +
        'Check that the file is complete.',
    );
  }
}

function failed(message: string): ParakeetError {
  return new AudioError('ERR_PARAKEET_INVALID_AUDIO', message);
}

function commandLine({ input, file, stream, start, duration, pictures }: FfmpegJob): string[] {
  const stored = typeof file === 'number' ? `/dev/fd/${FILE_DESCRIPTOR}` : file;
  const name = stored === undefined ? (input ?? 'pipe:0') : `file:${stored}`;
  // A playlist or script inside untrusted audio must not make ffmpeg open other files or addresses.
  const allowed = name.startsWith('pipe:') ? 'pipe' : name.startsWith('file:') ? 'file' : undefined;
  return [
    ...['-hide_banner', '-nostdin', '-nostats', '-loglevel', 'level+info'],
    ...(allowed ? ['-protocol_whitelist', allowed] : []),
    ...(start ? ['-ss', String(start)] : []),
    ...(duration === undefined ? [] : ['-t', String(duration)]),
    ...['-i', name, '-map', `0:a:${stream ?? 0}`],
    // Silence where the container has no sound: before the first packet, and in gaps between packets. Nothing is stretched.
    ...['-af', 'aresample=async=1:first_pts=0'],
    ...['-flush_packets', '1', '-f', 'wav', '-c:a', 'pcm_f32le', 'pipe:1'],
    ...(pictures ? ['-map', '0:v?', '-c', 'copy', '-f', 'null', '-'] : []),
  ];
}

function notStarted(program: string, cause: unknown, unknown: string | undefined): ParakeetError {
  const { code, message } = cause as NodeJS.ErrnoException;
  const why = code === 'ENOENT' ? `there is no ${program}` : `${program} did not start (${message})`;
  if (unknown !== undefined) return notSupported(`${unknown}, and ffmpeg could not be asked: ${why}`, cause);
  return new DependencyError(
    `Expected ffmpeg for this audio but ${why}. ` +
      `Install it (apt install ffmpeg, brew install ffmpeg, npm install ffmpeg-static) or name it in FFMPEG_PATH. ${WITHOUT}`,
    { cause },
  );
}

/** The error for something that is not a sound file. @param seen What was received instead. */
export function notSupported(seen: string, cause?: unknown): AudioError {
  return new AudioError(
    'ERR_PARAKEET_UNSUPPORTED_FORMAT',
    `Expected a sound file, or a format option that names raw PCM, but received ${seen}.`,
    cause === undefined ? undefined : { cause },
  );
}
