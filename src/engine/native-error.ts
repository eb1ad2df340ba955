/** Makes the errors of the addon: the engine knows codes and messages, this file the class of each code. */
import {
  AbortedError,
  ArgumentError,
  AudioError,
  ClosedError,
  type ErrorCode,
  ModelError,
  NativeError,
  type ParakeetError,
  SavedStateError,
} from '../errors.js';

/** The error of this package for a native failure. `cause` is what Node-API threw, if anything: a wrong argument type, no memory. */
export function nativeError(code: string, message: string, cause?: unknown): ParakeetError {
  const options: ErrorOptions = cause === undefined ? {} : { cause };
  switch (code as ErrorCode) {
    case 'ERR_PARAKEET_ABORTED':
      return new AbortedError(message, options);
    case 'ERR_PARAKEET_INVALID_ARGUMENT':
      return new ArgumentError(message, options);
    case 'ERR_PARAKEET_INVALID_AUDIO':
      return new AudioError('ERR_PARAKEET_INVALID_AUDIO', message, options);
    case 'ERR_PARAKEET_INVALID_WEIGHTS':
      return new ModelError('ERR_PARAKEET_INVALID_WEIGHTS', message, options);
    case 'ERR_PARAKEET_INVALID_LANGUAGE_MODEL':
      return new ModelError('ERR_PARAKEET_INVALID_LANGUAGE_MODEL', message, options);
    case 'ERR_PARAKEET_CLOSED':
      return new ClosedError(message, options);
    case 'ERR_PARAKEET_INVALID_SNAPSHOT':
      return new SavedStateError('ERR_PARAKEET_INVALID_SNAPSHOT', message, options);
    case 'ERR_PARAKEET_OUT_OF_MEMORY':
      return new NativeError('ERR_PARAKEET_OUT_OF_MEMORY', message, options);
    default:
      return new NativeError('ERR_PARAKEET_ENGINE', message, options);
  }
}
