/** Ties native jobs to an `AbortSignal`: each gets a number by which the addon can cancel it. */
import { abortedBy, onAbort, throwIfAborted } from '../abort.js';
import type { NativeAddon } from './addon.js';

let last = 0;

/**
 * Runs `start(job)`. When `signal` is aborted, the job is cancelled and the promise rejects with an `AbortedError` whose cause is the
 * signal's reason. The job is in `running` while it runs.
 */
export async function runJob<T>(
  addon: NativeAddon,
  signal: AbortSignal | undefined,
  start: (job: number) => Promise<T>,
  running?: Set<number>,
): Promise<T> {
  throwIfAborted(signal);
  last = (last % 0x7fffffff) + 1;
  const job = last;
  const forget = signal && onAbort(signal, () => addon.cancel(job));
  running?.add(job);
  try {
    return await start(job);
  } catch (error) {
    throw signal?.aborted ? abortedBy(signal) : error;
  } finally {
    running?.delete(job);
    forget?.();
  }
}
