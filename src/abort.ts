/**
 * What this package does with an `AbortSignal`: one listener a signal, however many streams and jobs share it, and streams that are
 * destroyed with this package's own error. Node's `signal` option does the latter with an error that has another code.
 */
import type { Stream } from 'node:stream';
import { AbortedError } from './errors.js';

/** Callbacks by signal. One listener each: a signal with more than ten makes Node warn of a leak. */
const callbacks = new WeakMap<AbortSignal, Set<() => void>>();

/**
 * Calls `callback` once when `signal` is aborted from now on.
 *
 * @returns a function that takes the callback back. Call it when the work is over: a long-lived signal outlives many jobs.
 */
export function onAbort(signal: AbortSignal, callback: () => void): () => void {
  let waiting = callbacks.get(signal);
  if (!waiting) {
    waiting = new Set();
    callbacks.set(signal, waiting);
    signal.addEventListener(
      'abort',
      () => {
        const all = callbacks.get(signal);
        callbacks.delete(signal);
        for (const one of all ?? []) one();
      },
      { once: true },
    );
  }
  // The same function may be registered twice.
  const entry = () => callback();
  waiting.add(entry);
  return () => waiting.delete(entry);
}

/** The error of work that `signal` ended: the signal's reason is its cause. */
export function abortedBy(signal: AbortSignal): AbortedError {
  return new AbortedError('The operation was aborted', { cause: signal.reason as unknown });
}

/** Destroys `stream` with an {@link AbortedError} when `signal` is aborted. */
export function destroyOnAbort(
  stream: Stream & { destroy(error: Error): unknown },
  signal: AbortSignal | undefined,
): void {
  if (!signal) return;
  const abort = () => stream.destroy(abortedBy(signal));
  if (signal.aborted) {
    // Called from constructors: a subclass has yet to set the fields that its `_destroy` frees.
    process.nextTick(abort);
    return;
  }
  stream.once('close', onAbort(signal, abort));
}
