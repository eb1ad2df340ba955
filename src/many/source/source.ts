/** A recording's bytes as every kind of place gives them, and the errors for those that it does not give. */
import { Readable } from 'node:stream';
import { abortedBy } from '../../abort.js';
import { JobError } from '../../errors.js';

/** The content of a source, opened. */
export interface Content {
  /** Bytes in all; undefined where the server does not say it. */
  readonly size: number | undefined;
  /** A local file's path. */
  readonly file: string | undefined;
  /** Whether {@link range} works. */
  readonly ranged: boolean;
  /** Whether the source still is what it was when it was opened, as far as its size, its time or its tag tells. */
  unchanged(signal?: AbortSignal): Promise<boolean>;
  /** All of it. A stream that breaks off fails with a {@link JobError}. */
  stream(signal?: AbortSignal): Promise<Readable>;
  /** The bytes from `from` up to `to`, which are there. */
  range(from: number, to: number, signal?: AbortSignal): Promise<Uint8Array>;
}

/** An address for messages: the query of a presigned one is a secret. */
export function withoutQuery(source: string): string {
  return /^https?:/i.test(source) ? source.replace(/[?#].*$/s, '') : source;
}

/** The error for a source that is not what it was when its work was planned. */
export function changed(source: string): JobError {
  return new JobError(
    'ERR_PARAKEET_JOB_SOURCE',
    `Expected ${withoutQuery(source)} to stay as it was while it is transcribed but it has changed. Enqueue it again.`,
  );
}

/** The error for a source that cannot be fetched. */
export function unreadable(source: string, reason: string, cause?: unknown): JobError {
  const message = `Expected to read ${withoutQuery(source)} but ${reason}. Check the address, and that the workers may read it.`;
  return new JobError('ERR_PARAKEET_JOB_SOURCE', message, cause === undefined ? undefined : { cause });
}

/** The error for a source that begins and then breaks off; an {@link AbortedError} if that is what `signal` asks for. */
export function brokenOff(source: string, cause: unknown, signal: AbortSignal | undefined): Error {
  if (signal?.aborted) return abortedBy(signal);
  const { message, cause: deeper } = cause as Error;
  const reason = deeper instanceof Error ? deeper.message : message;
  return unreadable(source, `it breaks off in the middle: ${reason}`, cause);
}

/** A body from afar as a stream whose failures are those of its source. */
export function bodyStream(
  source: string,
  body: AsyncIterable<Uint8Array>,
  signal: AbortSignal | undefined,
): Readable {
  async function* pieces() {
    try {
      yield* body;
    } catch (error) {
      throw brokenOff(source, error, signal);
    }
  }
  return Readable.from(pieces(), { objectMode: false });
}
