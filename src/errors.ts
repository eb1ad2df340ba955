/**
 * The errors of this package: one class with a stable `code`, and a subclass per kind that a caller may want to tell
 * apart with `instanceof`. Messages say what was expected, what came, and what to do.
 */

import type { TranscriptResult } from './events.js';

/** Every `code` this package uses. */
export type ErrorCode =
  | 'ERR_PARAKEET_INVALID_ARGUMENT'
  | 'ERR_PARAKEET_UNSUPPORTED_FORMAT'
  | 'ERR_PARAKEET_INVALID_AUDIO'
  | 'ERR_PARAKEET_MODEL_NOT_FOUND'
  | 'ERR_PARAKEET_INVALID_CONFIG'
  | 'ERR_PARAKEET_INVALID_WEIGHTS'
  | 'ERR_PARAKEET_UNSUPPORTED_MODEL'
  | 'ERR_PARAKEET_NATIVE_LOAD'
  | 'ERR_PARAKEET_MISSING_DEPENDENCY'
  | 'ERR_PARAKEET_HUB_BUSY'
  | 'ERR_PARAKEET_NO_SPACE'
  | 'ERR_PARAKEET_ABORTED'
  | 'ERR_PARAKEET_CLOSED'
  | 'ERR_PARAKEET_ENGINE'
  | 'ERR_PARAKEET_WRITE'
  | 'ERR_PARAKEET_LAG'
  | 'ERR_PARAKEET_INVALID_SNAPSHOT'
  | 'ERR_PARAKEET_INVALID_SESSION';

/** Base of every error this package makes. */
export class ParakeetError extends Error {
  override name = 'ParakeetError';
  /** What `model.transcribe` had heard when it failed: a recording that was cut short, or an abort between windows. */
  heard?: TranscriptResult;
  constructor(
    readonly code: ErrorCode,
    message: string,
    options?: ErrorOptions,
  ) {
    super(message, options);
  }
}

/** An option or argument of the wrong type or range (`ERR_PARAKEET_INVALID_ARGUMENT`). */
export class ArgumentError extends ParakeetError {
  override name = 'ArgumentError';
  constructor(message: string, options?: ErrorOptions) {
    super('ERR_PARAKEET_INVALID_ARGUMENT', message, options);
  }
}

/** Audio that cannot be read: unknown format, broken header, NaN samples. */
export class AudioError extends ParakeetError {
  override name = 'AudioError';
  constructor(
    code: 'ERR_PARAKEET_UNSUPPORTED_FORMAT' | 'ERR_PARAKEET_INVALID_AUDIO',
    message: string,
    options?: ErrorOptions,
  ) {
    super(code, message, options);
  }
}

/** A model that cannot be found, read, or run. */
export class ModelError extends ParakeetError {
  override name = 'ModelError';
}

/** A hub that has too many requests, for longer than we ask again (`ERR_PARAKEET_HUB_BUSY`). */
export class HubBusyError extends ParakeetError {
  override name = 'HubBusyError';
  constructor(
    message: string,
    /** Seconds after which it said to come back. */
    readonly retryAfter: number,
    options?: ErrorOptions,
  ) {
    super('ERR_PARAKEET_HUB_BUSY', message, options);
  }
}

/** A disk that has no room for a model of the hub, or for a container that has to be stored before it can be read (`ERR_PARAKEET_NO_SPACE`). */
export class NoSpaceError extends ParakeetError {
  override name = 'NoSpaceError';
  constructor(
    message: string,
    /** Bytes that the file at work still needs. */
    readonly needed: number,
    options?: ErrorOptions,
  ) {
    super('ERR_PARAKEET_NO_SPACE', message, options);
  }
}

/** The native addon could not be loaded, or failed (`ERR_PARAKEET_NATIVE_LOAD`, `ERR_PARAKEET_ENGINE`). */
export class NativeError extends ParakeetError {
  override name = 'NativeError';
}

/** Something live that could not be kept up with, so that a part of it is lost (`ERR_PARAKEET_LAG`). */
export class LagError extends ParakeetError {
  override name = 'LagError';
  constructor(message: string, options?: ErrorOptions) {
    super('ERR_PARAKEET_LAG', message, options);
  }
}

/** Work that was given up because of a signal, `destroy()` or `close()` (`name` is `AbortError`, as in Node). */
export class AbortedError extends ParakeetError {
  override name = 'AbortError';
  constructor(message = 'The operation was aborted', options?: ErrorOptions) {
    super('ERR_PARAKEET_ABORTED', message, options);
  }
}

/** True for the error that a caller's own `abort()` or `destroy()` makes. */
export function isAbort(error: unknown): boolean {
  return error instanceof Error && error.name === 'AbortError';
}
