/** An upload in a temporary file, to be read when the rest of its form has come. It is unlinked at once, so nothing of it can remain. */
import { type FileHandle, mkdtemp, open, rm } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import type { Readable } from 'node:stream';
import { ServerError, WriteError } from '../../index.js';

export class UploadSpool {
  readonly #most: number;
  #file: FileHandle | undefined;
  #folder: string | undefined;
  #size = 0;
  #removed = false;
  /** Settles when nothing is being written. */
  #last: Promise<void> = Promise.resolve();

  /** @param most Most bytes. */
  constructor(most: number) {
    this.#most = most;
  }

  /** Whether so many more bytes are allowed. */
  hasRoomFor(bytes: number): boolean {
    return this.#size + bytes <= this.#most;
  }

  /**
   * Appends bytes. Rejects with `ERR_PARAKEET_SERVER_LIMIT` beyond the limit, and with `ERR_PARAKEET_WRITE` or `ERR_PARAKEET_NO_SPACE` when
   * they cannot be written.
   */
  write(bytes: Uint8Array): Promise<void> {
    const written = this.#write(bytes);
    this.#last = written.catch(() => {});
    return written;
  }

  async #write(bytes: Uint8Array): Promise<void> {
    if (this.#removed) return;
    if (!this.hasRoomFor(bytes.length)) throw tooLarge(this.#most);
    try {
      this.#file ??= await this.#open();
      for (let at = 0; at < bytes.length; ) {
        const { bytesWritten } = await this.#file.write(bytes, at, bytes.length - at, this.#size + at);
        at += bytesWritten;
      }
    } catch (error) {
      throw unwritten(error as NodeJS.ErrnoException, bytes.length);
    }
    this.#size += bytes.length;
  }

  /** All bytes from the beginning. To be read before {@link remove}. */
  async read(): Promise<Readable> {
    this.#file ??= await this.#open();
    return this.#file.createReadStream({ start: 0, autoClose: false });
  }

  /** Gives the file up. */
  async remove(): Promise<void> {
    this.#removed = true;
    await this.#last;
    await this.#file?.close();
    this.#file = undefined;
    if (this.#folder !== undefined) await rm(this.#folder, { recursive: true, force: true, maxRetries: 5 });
  }

  async #open(): Promise<FileHandle> {
    const folder = await mkdtemp(path.join(os.tmpdir(), 'parakeet-upload-'));
    try {
      return await open(path.join(folder, 'upload'), 'wx+', 0o600);
    } finally {
      // Windows has no files without a name: there it keeps it until it is removed.
      if (process.platform === 'win32') this.#folder = folder;
      else await rm(folder, { recursive: true, force: true });
    }
  }
}

function tooLarge(most: number): ServerError {
  return new ServerError(
    'ERR_PARAKEET_SERVER_LIMIT',
    `Expected at most ${most} bytes (maxSpool) before the fields model and prompt but received more. Send these fields before the file.`,
  );
}

function unwritten(cause: NodeJS.ErrnoException, needed: number): WriteError {
  const isFull = cause.code === 'ENOSPC' || cause.code === 'EDQUOT';
  const message = `Expected room in ${os.tmpdir()} for an upload but writing failed (${cause.message}). Name another folder in TMPDIR.`;
  return isFull
    ? new WriteError('ERR_PARAKEET_NO_SPACE', message, { needed, cause })
    : new WriteError('ERR_PARAKEET_WRITE', message, { cause });
}
