/** Gives the errors of the addon their classes: natively they are plain `Error`s with a `code`. */
import {
  AbortedError,
  ArgumentError,
  type ErrorCode,
  ModelError,
  NativeError,
  ParakeetError,
} from '../errors.js';

/** The failure of a call into the addon as an error of this package. Every one has a `code`. */
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
      // Not a failure that the engine knows: bad arguments to the addon, or no memory left.
      return new NativeError('ERR_PARAKEET_ENGINE', `The engine failed: ${message}`, options);
  }
}
