/**
 * Where a sink's text or bytes go: a file, a descriptor, or another stream; one write at a time, each written completely. It knows nothing
 * of transcripts or audio.
 */
import { close, fstat, ftruncate, open, type Stats, write } from 'node:fs';
import { stat } from 'node:fs/promises';
import { finished, Writable } from 'node:stream';
import { fileURLToPath } from 'node:url';
import { inspect, promisify } from 'node:util';
import { type ParakeetError, WriteError } from '../errors.js';
import { expected } from '../options.js';

/**
 * Where to write: a path (created or truncated; its folder must exist), an open file descriptor (left open), or a Writable
 * (ended with the sink, except `process.stdout` and `process.stderr`).
 */
export type SinkTarget = string | URL | number | Writable;

/** An open target. */
export interface Destination {
  /** Resolves when `data` has been passed to the system (or to the Writable's own queue, and that has drained). */
  write(data: string | Uint8Array): Promise<void>;
  /** Replaces the first bytes of what was written. Only available for a file that was opened by its path. */
  rewriteStart?(bytes: Uint8Array): Promise<void>;
  /** Ends it; resolves when everything is written. */
  close(): Promise<void>;
  /** Whether it is a regular file. */
  isFile?(): Promise<boolean>;
  /** Gives up: frees what is open without waiting for it. */
  abort(error: Error | null): Promise<void>;
}

const openFile = promisify(open);
const closeFile = promisify(close);
const statFile = promisify(fstat) as (fd: number) => Promise<Stats>;
const truncateFile = promisify(ftruncate) as (fd: number, size: number) => Promise<void>;
const writeFile = promisify(write) as (
  fd: number,
  bytes: Uint8Array,
  offset: number,
  length?: number,
  position?: number,
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
  EFBIG: 'The file would grow beyond a limit; what was written before is kept',
};

/** A failed write as an error of this package, with the system's error as its cause. */
export function writeError(name: string, cause: unknown): ParakeetError {
  const code = cause instanceof Error ? (cause as NodeJS.ErrnoException).code : undefined;
  const reason = cause instanceof Error ? cause.message : String(cause);
  const remedy = code === undefined ? undefined : REMEDIES[code];
  const message = `Could not write to ${name}: ${reason}${remedy === undefined ? '' : `. ${remedy}`}`;
  return new WriteError('ERR_PARAKEET_WRITE', message, { cause });
}

/** The target as a path, if it is one. */
export function targetPath(target: SinkTarget): string | undefined {
  if (target instanceof URL) return fileURLToPath(target);
  return typeof target === 'string' ? target : undefined;
}

/** The target's name in messages. */
function targetName(target: SinkTarget): string {
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

/**
 * Opens a target. `failed` is called when it breaks between two writes.
 *
 * @param append continue a file behind its content instead of truncating it; only for a path.
 */
export async function openTarget(
  target: SinkTarget,
  failed: (error: Error) => void,
  append = false,
): Promise<Destination> {
  const name = targetName(target);
  if (typeof target === 'number') return new DescriptorDestination(target, name);
  const path = targetPath(target);
  if (path === undefined) return streamDestination(target as Writable, name, failed);
  try {
    return new FileDestination(await openFile(path, append ? 'a' : 'w'), name, path);
  } catch (error) {
    throw writeError(name, error);
  }
}

/** A file, a pipe or a device behind a descriptor. Each write to a regular file is complete or not there at all. */
class DescriptorDestination implements Destination {
  #open: boolean;
  /** The length of the file after our last write. */
  #size = 0;

  /** @param path of a file that was opened here, and is closed here. */
  constructor(
    readonly fd: number,
    readonly name: string,
    readonly path?: string,
  ) {
    this.#open = path !== undefined;
  }

  async write(data: string | Uint8Array): Promise<void> {
    const before = await this.#check();
    const bytes = typeof data === 'string' ? Buffer.from(data) : data;
    let offset = 0;
    while (offset < bytes.length) {
      try {
        offset += (await writeFile(this.fd, bytes, offset)).bytesWritten;
      } catch (error) {
        // A full non-blocking pipe: its reader is slow, which is not a failure.
        if ((error as NodeJS.ErrnoException).code === 'EAGAIN') {
          await new Promise((resolve) => setTimeout(resolve, 5));
          continue;
        }
        // Half a record is worse than none.
        if (before !== undefined && offset > 0) await truncateFile(this.fd, before).catch(() => {});
        throw writeError(this.name, error);
      }
    }
    if (before !== undefined) this.#size = before + bytes.length;
  }

  async close(): Promise<void> {
    try {
      await this.#check();
    } finally {
      await this.#shut().catch((error: unknown) => {
        throw writeError(this.name, error);
      });
    }
  }

  async isFile(): Promise<boolean> {
    return statFile(this.fd).then(
      (file) => file.isFile(),
      () => false,
    );
  }

  async abort(): Promise<void> {
    await this.#shut().catch(() => {});
  }

  /** The size of a regular file, `undefined` for anything else. @throws when the file was removed, replaced or truncated meanwhile. */
  async #check(): Promise<number | undefined> {
    const file = await statFile(this.fd).catch((error: unknown) => {
      throw writeError(this.name, error);
    });
    if (!file.isFile()) return undefined;
    if (file.size < this.#size)
      throw changed(this.name, `truncated (it had ${this.#size} bytes and now has ${file.size})`);
    const named = this.path === undefined ? file : await stat(this.path).catch(() => undefined);
    const same = named?.ino === file.ino && named.dev === file.dev && file.nlink > 0;
    if (!same) throw changed(this.name, 'removed or replaced');
    return file.size;
  }

  async #shut(): Promise<void> {
    if (!this.#open) return;
    this.#open = false;
    await closeFile(this.fd);
  }
}

/** A file that was opened here, so that its beginning is known. */
class FileDestination extends DescriptorDestination {
  async rewriteStart(bytes: Uint8Array): Promise<void> {
    await writeFile(this.fd, bytes, 0, bytes.length, 0).catch((error: unknown) => {
      throw writeError(this.name, error);
    });
  }
}

function changed(name: string, what: string): ParakeetError {
  return writeError(name, new Error(`the file was ${what} while it was being written`));
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
  const onClose = (): void => broke(new Error('it was closed before the sink ended'));
  stream.on('error', onError);
  stream.on('close', onClose);
  const release = (): void => {
    over = true;
    stream.off('close', onClose);
    // The error listener stays on a stream of our own that is ending: nothing else would handle a late error.
    if (isStandard(stream)) stream.off('error', onError);
  };
  if (stream.destroyed || stream.writableEnded) {
    const state = inspect({ destroyed: stream.destroyed, writableEnded: stream.writableEnded });
    release();
    throw writeError(name, new Error(`it is already closed (${state})`));
  }
  return {
    write: (data) =>
      new Promise((resolve, reject) => {
        writing = true;
        stream.write(data, (error) => {
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
