/**
 * Where a sink's text goes: a file, a descriptor, or another stream; one write at a time, each written whole.
 * Knows nothing of transcripts.
 */
import { close, open, write } from 'node:fs';
import { finished, Writable } from 'node:stream';
import { fileURLToPath } from 'node:url';
import { inspect, promisify } from 'node:util';
import { ParakeetError } from '../errors.js';
import { expected } from '../options.js';

/**
 * Where to write: a path (created or truncated; its folder must exist), an open file descriptor (left open), or a Writable
 * (ended with the sink, except `process.stdout` and `process.stderr`).
 */
export type SinkTarget = string | URL | number | Writable;

/** An open target. */
export interface Destination {
  /** Resolves when `text` has been handed to the system (or to the Writable's own queue, and that has drained). */
  write(text: string): Promise<void>;
  /** Ends it; resolves when all is written. */
  close(): Promise<void>;
  /** Gives up: frees what is open without waiting for it. */
  abort(error: Error | null): Promise<void>;
}

const openFile = promisify(open);
const closeFile = promisify(close);
const writeFile = promisify(write) as (
  fd: number,
  bytes: Buffer,
  offset: number,
) => Promise<{ bytesWritten: number }>;

const REMEDIES: Record<string, string> = {
  ENOENT: 'Create the folder first, or give another path',
  ENOTDIR: 'Part of the path is a file, not a folder: give another path',
  EISDIR: 'It is a folder: give the path of a file in it',
  EACCES: 'Change the permissions, or give another path',
  EPERM: 'Change the permissions, or give another path',
  EROFS: 'The file system is read-only: give another path',
  ENOSPC: 'Free some space on the device; what was written before is kept',
  EDQUOT: 'Free some of your quota; what was written before is kept',
  EPIPE: 'The reader has gone away',
  EBADF: 'The descriptor is not open for writing',
};

/** A failed write as an error of this package, with the system's error as its cause. */
export function writeError(name: string, cause: unknown): ParakeetError {
  const code = cause instanceof Error ? (cause as NodeJS.ErrnoException).code : undefined;
  const reason = cause instanceof Error ? cause.message : String(cause);
  const remedy = code === undefined ? undefined : REMEDIES[code];
  const message = `Could not write the transcript to ${name}: ${reason}${remedy === undefined ? '' : `. ${remedy}`}`;
  return new ParakeetError('ERR_PARAKEET_WRITE', message, { cause });
}

/** The target as a path, if it is one. */
export function targetPath(target: SinkTarget): string | undefined {
  if (target instanceof URL) return fileURLToPath(target);
  return typeof target === 'string' ? target : undefined;
}

/** How messages call the target. */
export function targetName(target: SinkTarget): string {
  const path = targetPath(target);
  if (path !== undefined) return path;
  if (typeof target === 'number') return `descriptor ${target}`;
  return isStandard(target as Writable) ? 'the standard output' : 'the given Writable';
}

/** @throws {@link ArgumentError} when `target` is none of the kinds of {@link SinkTarget}. */
export function checkTarget(target: unknown): SinkTarget {
  if (typeof target === 'string' && target.length > 0) return target;
  if (target instanceof URL && target.protocol === 'file:') return target;
  if (typeof target === 'number' && Number.isSafeInteger(target) && target >= 0) return target;
  if (isWritable(target)) return target;
  throw expected('a path, a file: URL, a file descriptor or a Writable', 'the destination', target);
}

function isWritable(value: unknown): value is Writable {
  if (value instanceof Writable) return true;
  const like = value as Partial<Writable> | null;
  return typeof like === 'object' && typeof like?.write === 'function' && typeof like.on === 'function';
}

const isStandard = (stream: Writable): boolean => stream === process.stdout || stream === process.stderr;

/** Opens a target. `failed` is called when it breaks between two writes. */
export async function openTarget(target: SinkTarget, failed: (error: Error) => void): Promise<Destination> {
  const name = targetName(target);
  if (typeof target === 'number') return descriptorDestination(target, name, false);
  const path = targetPath(target);
  if (path === undefined) return streamDestination(target as Writable, name, failed);
  try {
    return descriptorDestination(await openFile(path, 'w'), name, true);
  } catch (error) {
    throw writeError(name, error);
  }
}

function descriptorDestination(fd: number, name: string, owned: boolean): Destination {
  let isOpen = owned;
  const shut = async (): Promise<void> => {
    if (!isOpen) return;
    isOpen = false;
    await closeFile(fd);
  };
  return {
    async write(text) {
      const bytes = Buffer.from(text);
      let offset = 0;
      while (offset < bytes.length) {
        try {
          offset += (await writeFile(fd, bytes, offset)).bytesWritten;
        } catch (error) {
          // A full non-blocking pipe: its reader is slow, which is no failure.
          if ((error as NodeJS.ErrnoException).code !== 'EAGAIN') throw writeError(name, error);
          await new Promise((resolve) => setTimeout(resolve, 5));
        }
      }
    },
    async close() {
      try {
        await shut();
      } catch (error) {
        throw writeError(name, error);
      }
    },
    async abort() {
      await shut().catch(() => {});
    },
  };
}

function streamDestination(stream: Writable, name: string, failed: (error: Error) => void): Destination {
  let over = false;
  let writing = false;
  const broke = (cause: unknown): void => {
    // A write in flight reports the failure itself.
    if (over || writing) return;
    over = true;
    failed(writeError(name, cause));
  };
  const onError = (error: Error): void => broke(error);
  const onClose = (): void => broke(new Error('it was closed before the transcript ended'));
  stream.on('error', onError);
  stream.on('close', onClose);
  const release = (): void => {
    over = true;
    stream.off('close', onClose);
    // The error listener stays on a stream of our own ending: a late error has nobody else to hear it.
    if (isStandard(stream)) stream.off('error', onError);
  };
  if (stream.destroyed || stream.writableEnded) {
    const state = inspect({ destroyed: stream.destroyed, writableEnded: stream.writableEnded });
    release();
    throw writeError(name, new Error(`it is closed already (${state})`));
  }
  return {
    write: (text) =>
      new Promise((resolve, reject) => {
        writing = true;
        stream.write(text, (error) => {
          writing = false;
          if (!error) {
            resolve();
            return;
          }
          over = true;
          reject(writeError(name, error));
        });
      }),
    async close() {
      release();
      if (isStandard(stream)) return;
      await new Promise<void>((resolve, reject) => {
        finished(stream, { readable: false }, (error) =>
          error ? reject(writeError(name, error)) : resolve(),
        );
        stream.end();
      });
    },
    async abort(error) {
      release();
      if (!isStandard(stream)) stream.destroy(error ?? undefined);
    },
  };
}
