/** Bytes that wait in a temporary file until they are all there, for a reader that has to seek. It does not know what they are. */
import { rmSync } from 'node:fs';
import { type FileHandle, mkdtemp, open, rm } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { AudioError, NoSpaceError, ParakeetError } from '../errors.js';

/** Default of `maxSpool`: 4 GiB, more than an hour of a phone's film. */
export const DEFAULT_MAX_SPOOL = 2 ** 32;

/** Folders of all spools: a process that exits must not leave them behind. */
const folders = new Set<string>();
function removeAll(): void {
  for (const folder of folders) rmSync(folder, { recursive: true, force: true });
}

/** One temporary file, readable by its owner alone. */
export class Spool {
  #folder: string | undefined;
  #handle: FileHandle | undefined;
  #size = 0;
  #working: Promise<unknown> = Promise.resolve();
  #removed = false;

  /** @param most Bytes that it takes at most. */
  constructor(private readonly most: number) {}

  /**
   * Appends bytes; resolves when they are written.
   *
   * Fails with `ERR_PARAKEET_UNSUPPORTED_FORMAT` beyond the limit, `ERR_PARAKEET_NO_SPACE` on a full disk, `ERR_PARAKEET_WRITE` where
   * there is no folder for temporary files.
   */
  write(bytes: Uint8Array): Promise<void> {
    return this.#do(async () => {
      this.#size += bytes.length;
      if (this.#size > this.most) throw tooLarge(this.most);
      try {
        const handle = await this.#open();
        for (let at = 0; at < bytes.length; ) at += (await handle.write(bytes, at)).bytesWritten;
      } catch (error) {
        throw unwritten(error as NodeJS.ErrnoException, bytes.length);
      }
    });
  }

  /** Everything is there: the file's path. */
  finish(): Promise<string> {
    return this.#do(async () => {
      const handle = await this.#open();
      await handle.close();
      this.#handle = undefined;
      return path.join(this.#folder as string, 'audio');
    });
  }

  /** Removes the file, whatever became of it. Never rejects. */
  remove(): Promise<void> {
    this.#removed = true;
    return this.#working
      .catch(() => {})
      .then(async () => {
        await this.#handle?.close().catch(() => {});
        this.#handle = undefined;
        const folder = this.#folder;
        if (folder === undefined) return;
        this.#folder = undefined;
        await rm(folder, { recursive: true, force: true }).catch(() => {});
        folders.delete(folder);
        if (folders.size === 0) process.off('exit', removeAll);
      });
  }

  /** One after the other, so that `remove` comes last. */
  #do<T>(work: () => Promise<T>): Promise<T> {
    const done = this.#working
      .catch(() => {})
      .then(() => {
        if (this.#removed) throw new ParakeetError('ERR_PARAKEET_CLOSED', 'The spool was removed');
        return work();
      });
    this.#working = done;
    done.catch(() => {});
    return done;
  }

  async #open(): Promise<FileHandle> {
    if (this.#handle) return this.#handle;
    this.#folder = await mkdtemp(path.join(os.tmpdir(), 'parakeet-spool-'));
    if (folders.size === 0) process.on('exit', removeAll);
    folders.add(this.#folder);
    this.#handle = await open(path.join(this.#folder, 'audio'), 'wx', 0o600);
    return this.#handle;
  }
}

function tooLarge(most: number): AudioError {
  return new AudioError(
    'ERR_PARAKEET_UNSUPPORTED_FORMAT',
    `Expected at most ${most} bytes (maxSpool) of a container whose index comes after its sound, which has to be stored before it can be ` +
      'read, but received more. Raise maxSpool, pass the file by its path, or move the index: ffmpeg -i in -c copy -movflags +faststart out.mp4',
  );
}

function unwritten(cause: NodeJS.ErrnoException, bytes: number): ParakeetError {
  const message =
    `Expected room in ${os.tmpdir()} for a container whose index comes after its sound but writing failed (${cause.message}). ` +
    'Name another folder in TMPDIR, or pass the file by its path.';
  if (cause.code === 'ENOSPC' || cause.code === 'EDQUOT') return new NoSpaceError(message, bytes, { cause });
  return new ParakeetError('ERR_PARAKEET_WRITE', message, { cause });
}
