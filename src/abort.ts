/**
 * Abort signals: one listener per signal, however many streams and jobs share it, and streams that are destroyed with this package's own
 * error. Node's `signal` option uses an error with another code.
 */
import type { Stream } from 'node:stream';
import { AbortedError } from './errors.js';

/** The callbacks that wait for a signal. One listener each: a signal with more than ten makes Node warn of a leak. */
interface Waiting {
  callbacks: Set<() => void>;
  listener: () => void;
}

const waiting = new WeakMap<AbortSignal, Waiting>();

/**
 * Calls `callback` once when `signal` is aborted from now on.
 *
 * @returns a function that removes the callback. Call it when the work is over: a long-lived signal outlives many jobs.
 */
export function onAbort(signal: AbortSignal, callback: () => void): () => void {
  const entry = waiting.get(signal) ?? listen(signal);
  // A wrapper, since the same function may be registered twice.
  const own = () => callback();
  entry.callbacks.add(own);
  return () => {
    entry.callbacks.delete(own);
    if (entry.callbacks.size > 0) return;
    signal.removeEventListener('abort', entry.listener);
    if (waiting.get(signal) === entry) waiting.delete(signal);
  };
}

function listen(signal: AbortSignal): Waiting {
  const callbacks = new Set<() => void>();
  const listener = () => {
    waiting.delete(signal);
    for (const callback of callbacks) callback();
  };
  const entry = { callbacks, listener };
  waiting.set(signal, entry);
  signal.addEventListener('abort', listener, { once: true });
  return entry;
}

/** The error of work that `signal` cancelled: the signal's reason is its cause. */
export function abortedBy(signal: AbortSignal): AbortedError {
  return new AbortedError('The operation was aborted', { cause: signal.reason as unknown });
}

/** @throws {@link AbortedError} when `signal` is aborted already. */
export function throwIfAborted(signal: AbortSignal | undefined): void {
  if (signal?.aborted) throw abortedBy(signal);
}

/** `work`, or an {@link AbortedError} as soon as `signal` is aborted. */
export async function unlessAborted<T>(work: Promise<T>, signal: AbortSignal | undefined): Promise<T> {
  if (!signal) return work;
  throwIfAborted(signal);
  let forget = () => {};
  const aborted = new Promise<never>((_, reject) => {
    forget = onAbort(signal, () => reject(abortedBy(signal)));
  });
  return Promise.race([work, aborted]).finally(forget);
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
