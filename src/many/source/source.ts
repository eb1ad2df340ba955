/** A recording's bytes as every kind of place gives them, and the errors for those that it does not give. */
import type { Readable } from 'node:stream';
import { JobError } from '../../errors.js';

/** The content of a source, opened. */
export interface Content {
  /** Bytes in all; undefined where the server does not say it. */
  readonly size: number | undefined;
  /** A local file's path. */
  readonly file: string | undefined;
  /** Whether {@link range} works. */
  readonly ranged: boolean;
  /** All of it. */
  stream(signal?: AbortSignal): Promise<Readable>;
  /** The bytes from `from` up to `to`, which are there. */
  range(from: number, to: number, signal?: AbortSignal): Promise<Uint8Array>;
}

/** The error for a source that is not what it was when its work was planned. */
export function changed(source: string): JobError {
  return new JobError(
    'ERR_PARAKEET_JOB_SOURCE',
    `Expected ${source} to stay as it was while it is transcribed but it has changed. Enqueue it again.`,
  );
}

/** The error for a source that cannot be fetched. */
export function unreadable(source: string, reason: string, cause?: unknown): JobError {
  const message = `Expected to read ${source} but ${reason}. Check the address, and that the workers may read it.`;
  return new JobError('ERR_PARAKEET_JOB_SOURCE', message, cause === undefined ? undefined : { cause });
}
