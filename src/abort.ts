/**
 * Ties a stream to an `AbortSignal`, with this package's own error. Node's `signal` option does the same with an error that has
 * another code.
 */
import type { Stream } from 'node:stream';
import { AbortedError } from './errors.js';

/** Destroys `stream` with an `AbortedError` (the signal's reason is its cause) when `signal` is aborted, or already was. */
export function destroyOnAbort(
  stream: Stream & { destroy(error: Error): unknown },
  signal: AbortSignal | undefined,
): void {
  if (!signal) return;
  const abort = () => {
    stream.destroy(new AbortedError('The operation was aborted', { cause: signal.reason }));
  };
  if (signal.aborted) {
    abort();
    return;
  }
  signal.addEventListener('abort', abort);
  // A long-lived signal outlives many streams.
  stream.once('close', () => signal.removeEventListener('abort', abort));
}
