/** Bytes that wait in a temporary file until they are all there, for a reader that has to seek. It does not know what they are. */
import { type FileHandle, mkdtemp, open, rm } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { AudioError, ClosedError, WriteError } from '../../errors.js';

/** Default of `maxSpool`: 4 GiB, more than an hour of a phone's film. */
export const DEFAULT_MAX_SPOOL = 2 ** 32;

/**
 * One temporary file. It is unlinked as soon as it is open, so nothing remains when its last user is gone, even after a signal. Windows
 * has no files without a name, so there it keeps its name until it is removed.
 */
export class Spool {
  #writer: FileHandle | undefined;
  #reader: FileHandle | undefined;
  #size = 0;
  #working: Promise<unknown> = Promise.resolve();
  #removed = false;
  #folder: string | undefined;

  /** @param most Most bytes that it takes. */
  constructor(
    private readonly most: number,
    private readonly named = process.platform === 'win32',
  ) {}

  /**
   * Appends bytes; resolves when they are written.
   *
   * Fails with `ERR_PARAKEET_UNSUPPORTED_FORMAT` beyond the limit, `ERR_PARAKEET_NO_SPACE` on a full disk, `ERR_PARAKEET_WRITE` without a
   * folder for temporary files.
   */
  write(bytes: Uint8Array): Promise<void> {
    return this.#do(async () => {
      this.#size += bytes.length;
      if (this.#size > this.most) throw tooLarge(this.most);
      try {
        this.#writer ??= await this.#open();
        for (let at = 0; at < bytes.length; ) at += (await this.#writer.write(bytes, at)).bytesWritten;
      } catch (error) {
        throw unwritten(error as NodeJS.ErrnoException, bytes.length);
      }
    });
  }

  /**
   * All bytes have arrived: returns a descriptor to read them from the beginning, or the path of a file that has a name; undefined when
   * there were none. Valid until {@link remove}.
   */
  finish(): Promise<number | string | undefined> {
    return this.#do(async () => (this.#folder ? spoolIn(this.#folder) : this.#reader?.fd));
  }

  /** Gives the file up. Never rejects. */
  remove(): Promise<void> {
    this.#removed = true;
    return this.#working
      .catch(() => {})
      .then(async () => {
        for (const handle of [this.#writer, this.#reader]) await handle?.close().catch(() => {});
        this.#writer = undefined;
        this.#reader = undefined;
        if (this.#folder)
          await rm(this.#folder, { recursive: true, force: true, maxRetries: 5 }).catch(() => {});
      });
  }

  /** One after the other, so that `remove` comes last. */
  #do<T>(work: () => Promise<T>): Promise<T> {
    const done = this.#working
      .catch(() => {})
      .then(() => {
        if (this.#removed) throw new ClosedError('The spool was removed');
        return work();
      });
    this.#working = done;
    done.catch(() => {});
    return done;
  }

  async #open(): Promise<FileHandle> {
    const folder = await mkdtemp(path.join(os.tmpdir(), 'parakeet-spool-'));
    if (this.named) this.#folder = folder;
    try {
      const file = spoolIn(folder);
      const writer = await open(file, 'wx', 0o600);
      if (this.named) return writer;
      try {
        // Another descriptor, since each has its own position in the file.
        this.#reader = await open(file, 'r');
      } catch (error) {
        await writer.close();
        throw error;
      }
      return writer;
    } finally {
      if (!this.named) await rm(folder, { recursive: true, force: true });
    }
  }
}

function spoolIn(folder: string): string {
  return path.join(folder, 'audio');
}

function tooLarge(most: number): AudioError {
  return new AudioError(
    'ERR_PARAKEET_UNSUPPORTED_FORMAT',
    `Expected at most ${most} bytes (maxSpool) of a container whose index comes after its sound, which has to be stored before it can be ` +
      'read, but received more. Raise maxSpool, pass the file by its path, or move the index: ffmpeg -i in -c copy -movflags +faststart out.mp4',
  );
}

function unwritten(cause: NodeJS.ErrnoException, bytes: number): WriteError {
  const message =
    `Expected room in ${os.tmpdir()} for a container whose index comes after its sound but writing failed (${cause.message}). ` +
    'Name another folder in TMPDIR, or pass the file by its path.';
  if (cause.code === 'ENOSPC' || cause.code === 'EDQUOT')
    return new WriteError('ERR_PARAKEET_NO_SPACE', message, { needed: bytes, cause });
  return new WriteError('ERR_PARAKEET_WRITE', message, { cause });
}
