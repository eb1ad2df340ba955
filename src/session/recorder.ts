/**
 * Records a live session, so that it can be run again: what was pushed and when, the options, the events; the audio in a file beside. Every
 * line is written at once, so a crash leaves everything that led to it.
 *
 * Not through `wavWriter`: a replay pushes exactly the bytes that came, in the same pieces. They may be a damaged MP3 as well as PCM, and a
 * WAV file has only what the decoder made of them. To listen to it, add `decode()` and `wavWriter()`.
 */
import { type FileHandle, open } from 'node:fs/promises';
import { Transform, type TransformCallback, Writable } from 'node:stream';
import { WriteError } from '../errors.js';
import type { TranscriptEvent } from '../events.js';
import { packageVersion } from '../version.js';
import {
  audioPath,
  SESSION_FORMAT,
  type SessionLine,
  type SessionModel,
  type SessionOptions,
} from './format.js';

/** A session that is being recorded. */
export interface SessionRecorder {
  /** Bytes pass through it on their way to `parakeet()`. */
  input: Transform;
  /** Takes the events, besides other sinks. */
  sink: Writable;
  /** Closes the files, once both streams have ended. */
  close(): Promise<void>;
}

/** The files of a session, open and empty. */
export interface SessionFiles {
  name: string;
  lines: FileHandle;
  audio: FileHandle;
  /** Closes them if no recording was begun. */
  close(): Promise<void>;
}

/**
 * Opens the files of a session: `session.jsonl` for the lines, `session.audio` beside it. Both are replaced.
 *
 * @throws {@link WriteError} `ERR_PARAKEET_WRITE` (as a rejection) when they cannot be written.
 */
export async function openSession(name: string): Promise<SessionFiles> {
  const lines = await openFile(name);
  const audio = await openFile(audioPath(name)).catch(async (error: unknown) => {
    await lines.close();
    throw error;
  });
  return {
    name,
    lines,
    audio,
    async close() {
      await Promise.all([lines.close(), audio.close()]);
    },
  };
}

/**
 * Begins to record a session, which `replaySession` can run again: pipe the bytes through `input` and the events into `sink`.
 *
 * @param files The path of the lines (`session.jsonl`; the audio goes to `session.audio` beside it, both are replaced), or files that are
 * already open.
 * @param model The name that loads the model again, and its identity.
 * @param options The options of the recorded `parakeet()`, without `model` and `signal`.
 * @throws {@link WriteError} `ERR_PARAKEET_WRITE` (as a rejection) when the files cannot be written.
 *
 * @example
 * ```js
 * import { createReadStream } from 'node:fs';
 * import { pipeline } from 'node:stream/promises';
 * import { loadModel, parakeet, recordSession } from 'parakeet-stream';
 *
 * const model = await loadModel();
 * const { dtype } = model.info;
 * const session = await recordSession('talk.jsonl', { name: null, dtype, identity: model.identity }, {});
 * await pipeline(createReadStream('talk.flac'), session.input, parakeet({ model }), session.sink);
 * await session.close();
 * await model.close();
 * ```
 */
export async function recordSession(
  files: string | SessionFiles,
  model: SessionModel,
  options: SessionOptions,
): Promise<SessionRecorder> {
  const opened = typeof files === 'string' ? await openSession(files) : files;
  const { name: file, lines, audio } = opened;
  const began = performance.now();
  const at = () => Math.round(performance.now() - began) / 1000;
  // One after the other: lines of both streams share the file.
  let last: Promise<unknown> = Promise.resolve();
  const write = (line: SessionLine, bytes?: Uint8Array): Promise<void> => {
    const written = last.then(async () => {
      if (bytes) await audio.write(bytes);
      await lines.write(`${JSON.stringify(line)}\n`);
    });
    last = written.catch(() => undefined);
    return written.catch((cause: Error) => {
      throw writeError(file, cause);
    });
  };
  await write({ type: 'session', format: SESSION_FORMAT, package: packageVersion, model, options });
  const settle = (done: Promise<void>, callback: TransformCallback, bytes?: Uint8Array) =>
    done.then(() => (bytes ? callback(null, bytes) : callback()), callback);
  const input = new Transform({
    transform: (bytes: Uint8Array, _encoding, callback) =>
      void settle(write({ type: 'push', at: at(), bytes: bytes.length }, bytes), callback, bytes),
    flush: (callback) => void settle(write({ type: 'end', at: at() }), callback),
  });
  const sink = new Writable({
    objectMode: true,
    write: (event: TranscriptEvent, _encoding, callback) =>
      void settle(write({ type: 'event', at: at(), event }), callback),
  });
  return {
    input,
    sink,
    async close() {
      await last;
      await opened.close();
    },
  };
}

async function openFile(file: string): Promise<FileHandle> {
  return open(file, 'w').catch((cause: Error) => {
    throw writeError(file, cause);
  });
}

function writeError(file: string, cause: Error): WriteError {
  return new WriteError('ERR_PARAKEET_WRITE', `Expected to write ${file} but could not: ${cause.message}`, {
    cause,
  });
}
