/**
 * An `ffmpeg` process that we own: starts it without a shell, keeps the tail of what it complains of, says how it ended, kills it.
 * It knows nothing of streams of ours; `ffmpeg.ts` (a source) and `transforms/formats/ffmpeg.ts` (a decoder) are built on it.
 *
 * Its output is WAV with 32-bit floats at the file's own rate and channels: mixing and resampling stay our stages' matter.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import type { Readable, Writable } from 'node:stream';
import { AudioError, ParakeetError } from '../errors.js';

/** What is read without ffmpeg; part of the message when it is missing. */
const WITHOUT = 'WAV, FLAC, Ogg/Opus, WebM/Opus and raw PCM are read without it.';
/** Characters of stderr that are kept: the end, where the cause is. */
const TAIL = 2000;

/** What {@link FfmpegChild} is asked. */
export interface FfmpegJob {
  /** A name or URL as ffmpeg takes it (`file:…`, `https://…`), or `null` for its standard input. */
  input: string | null;
  /** The audio stream, counted from 0. Default 0. */
  stream?: number | undefined;
  /** Seconds to skip. Default 0. */
  start?: number | undefined;
  /** Seconds to read. Default all. */
  duration?: number | undefined;
  /** The program. Default: FFMPEG_PATH, or `ffmpeg` on PATH. */
  ffmpegPath?: string | undefined;
}

/** All that live: a process that exits must not leave them behind, waiting for a network or a pipe. */
const living = new Set<ChildProcess>();
function killAll(): void {
  for (const child of living) child.kill('SIGKILL');
}

/** The process, and what became of it. */
export class FfmpegChild {
  readonly stdin: Writable | null;
  readonly stdout: Readable;
  /** Settles when the process is gone and its pipes are closed: `null`, or why it failed. Never rejects. */
  readonly gone: Promise<ParakeetError | null>;
  /** True once it is gone. */
  ended = false;

  readonly #child: ChildProcess;
  #killed = false;
  #complaint = '';

  constructor(job: FfmpegJob) {
    const program = job.ffmpegPath ?? (process.env.FFMPEG_PATH || 'ffmpeg');
    const child = spawn(program, commandLine(job), {
      stdio: [job.input === null ? 'pipe' : 'ignore', 'pipe', 'pipe'],
      windowsHide: true,
    });
    this.#child = child;
    this.stdin = child.stdin;
    // It may be done before its input is: the exit code tells whether that was right, a broken pipe does not.
    child.stdin?.on('error', () => {});
    this.stdout = child.stdout as Readable;
    child.stderr?.setEncoding('utf8').on('data', (text: string) => {
      this.#complaint = (this.#complaint + text).slice(-TAIL);
    });
    if (living.size === 0) process.on('exit', killAll);
    living.add(child);
    this.gone = new Promise((resolve) => {
      const settle = (failure: ParakeetError | null) => {
        this.ended = true;
        if (living.delete(child) && living.size === 0) process.off('exit', killAll);
        resolve(failure);
      };
      child.once('error', (error: NodeJS.ErrnoException) => settle(notStarted(program, error)));
      child.once('close', (code, signal) => settle(this.#failure(job, code, signal)));
    });
  }

  /** Ends it at once; `gone` then gives `null`. Nothing of its output counts any more. */
  kill(): void {
    if (this.ended) return;
    this.#killed = true;
    this.#child.kill('SIGKILL');
    this.#child.stdin?.destroy();
    this.stdout.destroy();
  }

  #failure(job: FfmpegJob, code: number | null, signal: NodeJS.Signals | null): ParakeetError | null {
    if (this.#killed || code === 0) return null;
    const how = signal === null ? `exit code ${code}` : `ended by ${signal}`;
    const why = this.#complaint.trim() || 'it said nothing';
    return new AudioError(
      'ERR_PARAKEET_INVALID_AUDIO',
      `Expected ffmpeg to read ${job.input ?? 'the input'} but it failed (${how}): ${why}`,
    );
  }
}

function commandLine({ input, stream, start, duration }: FfmpegJob): string[] {
  // A playlist or script inside of untrusted audio must not make ffmpeg open other files or addresses.
  const allowed = input === null ? 'pipe' : input.startsWith('file:') ? 'file' : undefined;
  return [
    ...['-hide_banner', '-nostdin', '-loglevel', 'error'],
    ...(allowed ? ['-protocol_whitelist', allowed] : []),
    ...(start ? ['-ss', String(start)] : []),
    ...(duration === undefined ? [] : ['-t', String(duration)]),
    ...['-i', input ?? 'pipe:0', '-map', `0:a:${stream ?? 0}`],
    ...['-f', 'wav', '-c:a', 'pcm_f32le', 'pipe:1'],
  ];
}

function notStarted(program: string, cause: NodeJS.ErrnoException): ParakeetError {
  const missing = cause.code === 'ENOENT';
  return new ParakeetError(
    'ERR_PARAKEET_MISSING_DEPENDENCY',
    `Expected ffmpeg for this audio but ${missing ? `there is no ${program}` : `${program} did not start (${cause.message})`}. ` +
      `Install it (apt install ffmpeg, brew install ffmpeg) or name it in FFMPEG_PATH. ${WITHOUT}`,
    { cause },
  );
}
