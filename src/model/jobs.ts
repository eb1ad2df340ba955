/** Ties native jobs to an `AbortSignal`: each gets a number by which the addon can be told to give it up. */
import { AbortedError } from '../errors.js';
import type { NativeAddon } from './addon.js';
import { fromNative } from './native-error.js';

let last = 0;

/**
 * Runs `start(job)`; when `signal` is aborted the job is given up and the promise rejects with an `AbortedError` whose cause is the
 * signal's reason. The job is in `running` while it runs.
 */
export async function runJob<T>(
  addon: NativeAddon,
  signal: AbortSignal | undefined,
  start: (job: number) => Promise<T>,
  running?: Set<number>,
): Promise<T> {
  const aborted = () => new AbortedError('The operation was aborted', { cause: signal?.reason as unknown });
  if (signal?.aborted) throw aborted();
  last = (last % 0x7fffffff) + 1;
  const job = last;
  const abort = () => addon.cancel(job);
  signal?.addEventListener('abort', abort, { once: true });
  running?.add(job);
  try {
    return await start(job);
  } catch (error) {
    throw signal?.aborted ? aborted() : fromNative(error);
  } finally {
    running?.delete(job);
    signal?.removeEventListener('abort', abort);
  }
}
