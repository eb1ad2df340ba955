/**
 * The errors of this package: one base class with a stable `code`, and one subclass for each family of codes. Messages say what was
 * expected, what was received, and what to do.
 */

import type { TranscriptResult } from './events.js';

/** Every `code` of this package, and the class of the errors that have it. */
export interface ErrorClasses {
  ERR_PARAKEET_INVALID_ARGUMENT: ArgumentError;
  ERR_PARAKEET_UNSUPPORTED_FORMAT: AudioError;
  ERR_PARAKEET_INVALID_AUDIO: AudioError;
  ERR_PARAKEET_MODEL_NOT_FOUND: ModelError;
  ERR_PARAKEET_INVALID_CONFIG: ModelError;
  ERR_PARAKEET_INVALID_WEIGHTS: ModelError;
  ERR_PARAKEET_UNSUPPORTED_MODEL: ModelError;
  ERR_PARAKEET_INVALID_LANGUAGE_MODEL: ModelError;
  ERR_PARAKEET_NATIVE_LOAD: NativeError;
  ERR_PARAKEET_ENGINE: NativeError;
  ERR_PARAKEET_OUT_OF_MEMORY: NativeError;
  ERR_PARAKEET_MISSING_DEPENDENCY: DependencyError;
  ERR_PARAKEET_HUB_BUSY: HubError;
  ERR_PARAKEET_NO_SPACE: WriteError;
  ERR_PARAKEET_WRITE: WriteError;
  ERR_PARAKEET_ABORTED: AbortedError;
  ERR_PARAKEET_CLOSED: ClosedError;
  ERR_PARAKEET_LAG: LagError;
  ERR_PARAKEET_INVALID_SNAPSHOT: SavedStateError;
  ERR_PARAKEET_INVALID_SESSION: SavedStateError;
  ERR_PARAKEET_SERVER_BUSY: ServerError;
  ERR_PARAKEET_SERVER_LIMIT: ServerError;
  ERR_PARAKEET_SERVER_PROTOCOL: ServerError;
  ERR_PARAKEET_SERVER_ACCESS: ServerError;
}

/** Every `code` that this package uses. */
export type ErrorCode = keyof ErrorClasses;

/** Base of every error of this package. */
export abstract class ParakeetError extends Error {
  override name = 'ParakeetError';
  /** Stable, for programs to compare. */
  abstract readonly code: ErrorCode;
}

/** An option or argument of the wrong type or range (`ERR_PARAKEET_INVALID_ARGUMENT`). */
export class ArgumentError extends ParakeetError {
  override name = 'ArgumentError';
  readonly code = 'ERR_PARAKEET_INVALID_ARGUMENT';
}

/** Audio that cannot be read: unknown format, broken header, a file cut short, NaN samples. */
export class AudioError extends ParakeetError {
  override name = 'AudioError';
  /** The transcript before the audio broke off, from `transcribe`; undefined without a word. */
  heard?: TranscriptResult;
  constructor(
    readonly code: 'ERR_PARAKEET_UNSUPPORTED_FORMAT' | 'ERR_PARAKEET_INVALID_AUDIO',
    message: string,
    options?: ErrorOptions,
  ) {
    super(message, options);
  }
}

/** A model, or a language model, that cannot be found, read, or run. */
export class ModelError extends ParakeetError {
  override name = 'ModelError';
  constructor(
    readonly code:
      | 'ERR_PARAKEET_MODEL_NOT_FOUND'
      | 'ERR_PARAKEET_INVALID_CONFIG'
      | 'ERR_PARAKEET_INVALID_WEIGHTS'
      | 'ERR_PARAKEET_UNSUPPORTED_MODEL'
      | 'ERR_PARAKEET_INVALID_LANGUAGE_MODEL',
    message: string,
    options?: ErrorOptions,
  ) {
    super(message, options);
  }
}

/** The hub was still rate-limiting after all retries (`ERR_PARAKEET_HUB_BUSY`). */
export class HubError extends ParakeetError {
  override name = 'HubError';
  readonly code = 'ERR_PARAKEET_HUB_BUSY';
  constructor(
    message: string,
    /** Seconds after which the hub asks to try again. */
    readonly retryAfter: number,
    options?: ErrorOptions,
  ) {
    super(message, options);
  }
}

/**
 * A file that cannot be written (`ERR_PARAKEET_WRITE`), or a disk without room for a model of the hub or for a container that must be
 * stored before it can be read (`ERR_PARAKEET_NO_SPACE`).
 */
export class WriteError extends ParakeetError {
  override name = 'WriteError';
  /** With `ERR_PARAKEET_NO_SPACE`: bytes that the file still needs. */
  readonly needed: number | undefined;
  constructor(
    readonly code: 'ERR_PARAKEET_WRITE' | 'ERR_PARAKEET_NO_SPACE',
    message: string,
    { needed, ...options }: ErrorOptions & { needed?: number } = {},
  ) {
    super(message, options);
    this.needed = needed;
  }
}

/**
 * The native addon could not be loaded (`ERR_PARAKEET_NATIVE_LOAD`), failed (`ERR_PARAKEET_ENGINE`), or found no memory even for one signal
 * by itself (`ERR_PARAKEET_OUT_OF_MEMORY`).
 */
export class NativeError extends ParakeetError {
  override name = 'NativeError';
  /** The transcript before the engine failed, from `transcribe`; undefined without a word. */
  heard?: TranscriptResult;
  constructor(
    readonly code: 'ERR_PARAKEET_NATIVE_LOAD' | 'ERR_PARAKEET_ENGINE' | 'ERR_PARAKEET_OUT_OF_MEMORY',
    message: string,
    options?: ErrorOptions,
  ) {
    super(message, options);
  }
}

/** A package or program that only this feature needs is not installed (`ERR_PARAKEET_MISSING_DEPENDENCY`). */
export class DependencyError extends ParakeetError {
  override name = 'DependencyError';
  readonly code = 'ERR_PARAKEET_MISSING_DEPENDENCY';
}

/** A live source was not read fast enough, so that part of it is lost (`ERR_PARAKEET_LAG`). */
export class LagError extends ParakeetError {
  override name = 'LagError';
  readonly code = 'ERR_PARAKEET_LAG';
}

/** A snapshot or a recorded session that cannot be read, or does not fit (`ERR_PARAKEET_INVALID_SNAPSHOT`, `ERR_PARAKEET_INVALID_SESSION`). */
export class SavedStateError extends ParakeetError {
  override name = 'SavedStateError';
  constructor(
    readonly code: 'ERR_PARAKEET_INVALID_SNAPSHOT' | 'ERR_PARAKEET_INVALID_SESSION',
    message: string,
    options?: ErrorOptions,
  ) {
    super(message, options);
  }
}

/**
 * A request that the caption server refuses, or ends: it has no room for more work (`ERR_PARAKEET_SERVER_BUSY`), the request is beyond a
 * limit (`ERR_PARAKEET_SERVER_LIMIT`), it is not what the protocol says (`ERR_PARAKEET_SERVER_PROTOCOL`), or the client may not do that
 * (`ERR_PARAKEET_SERVER_ACCESS`).
 */
export class ServerError extends ParakeetError {
  override name = 'ServerError';
  /** With `ERR_PARAKEET_SERVER_BUSY`: seconds after which trying again may help. */
  readonly retryAfter: number | undefined;
  constructor(
    readonly code:
      | 'ERR_PARAKEET_SERVER_BUSY'
      | 'ERR_PARAKEET_SERVER_LIMIT'
      | 'ERR_PARAKEET_SERVER_PROTOCOL'
      | 'ERR_PARAKEET_SERVER_ACCESS',
    message: string,
    { retryAfter, ...options }: ErrorOptions & { retryAfter?: number } = {},
  ) {
    super(message, options);
    this.retryAfter = retryAfter;
  }
}

/** An object was used after its end, or a source was closed before its end (`ERR_PARAKEET_CLOSED`). */
export class ClosedError extends ParakeetError {
  override name = 'ClosedError';
  readonly code = 'ERR_PARAKEET_CLOSED';
  /** The transcript before the source was closed, from `transcribe`; undefined without a word. */
  heard?: TranscriptResult;
}

/** Work that was cancelled by a signal, `destroy()` or `close()` (`name` is `AbortError`, as in Node). */
export class AbortedError extends ParakeetError {
  override name = 'AbortError';
  readonly code = 'ERR_PARAKEET_ABORTED';
  /** The transcript before the cancellation, from `transcribe`; undefined without a word. */
  heard?: TranscriptResult;
  constructor(message = 'The operation was aborted', options?: ErrorOptions) {
    super(message, options);
  }
}

/**
 * Whether `error` is one of this package and, if `code` is given, has that code. Narrows the type to the class of the code.
 *
 * @example
 * ```js
 * import { isParakeetError, transcribe } from 'parakeet-stream';
 *
 * try {
 *   console.log((await transcribe('talk.flac')).text);
 * } catch (error) {
 *   if (!isParakeetError(error, 'ERR_PARAKEET_INVALID_AUDIO')) throw error;
 *   console.log(`As far as it goes: ${error.heard?.text}`);
 * }
 * ```
 */
export function isParakeetError(error: unknown): error is ErrorClasses[ErrorCode];
export function isParakeetError<C extends ErrorCode>(error: unknown, code: C): error is ErrorClasses[C];
export function isParakeetError(error: unknown, code?: ErrorCode): boolean {
  return error instanceof ParakeetError && (code === undefined || error.code === code);
}

/** The errors that may have the transcript so far. */
export function canTellHeard(error: unknown): error is AudioError | NativeError | ClosedError | AbortedError {
  return (
    error instanceof AudioError ||
    error instanceof NativeError ||
    error instanceof ClosedError ||
    error instanceof AbortedError
  );
}

/** True for the error that a caller's own `abort()` or `destroy()` causes. */
export function isAbort(error: unknown): boolean {
  return error instanceof Error && error.name === 'AbortError';
}
