/**
 * Errors as text that a queue or a journal can keep: `[CODE] message`. Back again they have their class and code.
 */
import {
  AbortedError,
  ArgumentError,
  AudioError,
  ClosedError,
  DependencyError,
  type ErrorCode,
  JobError,
  ModelError,
  NativeError,
  type ParakeetError,
  WriteError,
} from '../errors.js';

/** What is kept of a failure. */
export interface Failure {
  /** A code of this package, or of Node (`ENOENT`). */
  code: string;
  message: string;
}

const TEXT = /^\[([A-Z][A-Z0-9_]+)\] (.*)$/s;
const UNKNOWN = 'ERR_PARAKEET_JOB_FAILED';
/** What BullMQ says of a job whose workers went away too often. */
const STALLED = /^job stalled more than/;

export function failureOf(error: unknown): Failure {
  const { code, message } = error as { code?: unknown; message?: unknown };
  const text = typeof message === 'string' ? message : String(error);
  // What the queue itself says of a job has no code, unless it repeats ours.
  if (typeof code !== 'string') return parseFailure(text);
  return { code, message: text };
}

/** The text that a queue keeps. */
export function failureText({ code, message }: Failure): string {
  return `[${code}] ${message}`;
}

export function parseFailure(text: string): Failure {
  if (STALLED.test(text))
    return { code: UNKNOWN, message: 'Expected a worker to finish it but each one died in the middle of it' };
  const [, code = UNKNOWN, message = text] = TEXT.exec(text) ?? [];
  return { code, message };
}

type Make = (message: string) => ParakeetError;

/** How an error of a code is made again. What is not here happens in live streams and servers only. */
const MAKERS: Partial<Record<ErrorCode, Make>> = {
  ERR_PARAKEET_INVALID_ARGUMENT: (message) => new ArgumentError(message),
  ERR_PARAKEET_UNSUPPORTED_FORMAT: (message) => new AudioError('ERR_PARAKEET_UNSUPPORTED_FORMAT', message),
  ERR_PARAKEET_INVALID_AUDIO: (message) => new AudioError('ERR_PARAKEET_INVALID_AUDIO', message),
  ERR_PARAKEET_MODEL_NOT_FOUND: (message) => new ModelError('ERR_PARAKEET_MODEL_NOT_FOUND', message),
  ERR_PARAKEET_UNSUPPORTED_MODEL: (message) => new ModelError('ERR_PARAKEET_UNSUPPORTED_MODEL', message),
  ERR_PARAKEET_INVALID_LANGUAGE_MODEL: (message) =>
    new ModelError('ERR_PARAKEET_INVALID_LANGUAGE_MODEL', message),
  ERR_PARAKEET_ENGINE: (message) => new NativeError('ERR_PARAKEET_ENGINE', message),
  ERR_PARAKEET_OUT_OF_MEMORY: (message) => new NativeError('ERR_PARAKEET_OUT_OF_MEMORY', message),
  ERR_PARAKEET_MISSING_DEPENDENCY: (message) => new DependencyError(message),
  ERR_PARAKEET_NO_SPACE: (message) => new WriteError('ERR_PARAKEET_NO_SPACE', message),
  ERR_PARAKEET_WRITE: (message) => new WriteError('ERR_PARAKEET_WRITE', message),
  ERR_PARAKEET_CLOSED: (message) => new ClosedError(message),
  ERR_PARAKEET_ABORTED: (message) => new AbortedError(message),
  ERR_PARAKEET_JOB_SOURCE: (message) => new JobError('ERR_PARAKEET_JOB_SOURCE', message),
  ERR_PARAKEET_JOB_DELIVERY: (message) => new JobError('ERR_PARAKEET_JOB_DELIVERY', message),
  ERR_PARAKEET_JOB_QUEUE: (message) => new JobError('ERR_PARAKEET_JOB_QUEUE', message),
};

/** The error of a failure; Node's codes and unknown ones become a {@link JobError} that names them. */
export function errorOf(failure: Failure): ParakeetError {
  const make = MAKERS[failure.code as ErrorCode];
  if (make) return make(failure.message);
  const { code, message } = failure;
  return new JobError(UNKNOWN, code === UNKNOWN ? message : `${code}: ${message}`);
}
