/** Gives the errors of the addon their classes: natively they are plain `Error`s with a `code`. */
import {
  AbortedError,
  ArgumentError,
  type ErrorCode,
  ModelError,
  NativeError,
  ParakeetError,
} from '../errors.js';

/** The same failure as an error of this package. */
export function fromNative(error: unknown): Error {
  if (error instanceof ParakeetError || !(error instanceof Error)) return error as Error;
  const { code, message } = error as Error & { code?: ErrorCode };
  const options = { cause: error };
  switch (code) {
    case 'ERR_PARAKEET_ABORTED':
      return new AbortedError(message, options);
    case 'ERR_PARAKEET_INVALID_ARGUMENT':
      return new ArgumentError(message, options);
    case 'ERR_PARAKEET_INVALID_WEIGHTS':
      return new ModelError(code, message, options);
    case 'ERR_PARAKEET_ENGINE':
      return new NativeError(code, message, options);
    case 'ERR_PARAKEET_CLOSED':
    case 'ERR_PARAKEET_INVALID_SNAPSHOT':
      return new ParakeetError(code, message, options);
    default:
      return error;
  }
}
