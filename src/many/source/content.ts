/** Opens the bytes of a recording, wherever it lies: a file, HTTP, S3. What the bytes mean is not known here. */
import { createReadStream } from 'node:fs';
import { open, stat } from 'node:fs/promises';
import { httpContent } from './http.js';
import { isS3, s3Content } from './s3.js';
import { type Content, changed, unreadable } from './source.js';

/** Whether a source is fetched over a network. */
export function isRemote(source: string): boolean {
  return isHttp(source) || isS3(source);
}

/** Whether a source is fetched with HTTP. */
export function isHttp(source: string): boolean {
  return /^https?:\/\//i.test(source);
}

/** @throws Node's own error for a file that cannot be opened; {@link JobError} `ERR_PARAKEET_JOB_SOURCE` for what cannot be fetched. */
export async function openContent(source: string, signal?: AbortSignal): Promise<Content> {
  if (isS3(source)) return s3Content(source, signal);
  if (isHttp(source)) return httpContent(source, signal);
  return fileContent(source);
}

async function fileContent(file: string): Promise<Content> {
  const found = await stat(file);
  // A named pipe has no size, and can be read only once.
  if (!found.isFile()) throw unreadable(file, 'it is not a regular file');
  return {
    size: found.size,
    file,
    ranged: true,
    unchanged: async () => {
      const now = await stat(file);
      return now.size === found.size && now.mtimeMs === found.mtimeMs && now.ino === found.ino;
    },
    stream: async (signal) => createReadStream(file, { signal }),
    range: async (from, to) => {
      const handle = await open(file);
      try {
        const bytes = new Uint8Array(to - from);
        for (let at = 0; at < bytes.length; ) {
          const { bytesRead } = await handle.read(bytes, at, bytes.length - at, from + at);
          if (bytesRead === 0) throw changed(file);
          at += bytesRead;
        }
        return bytes;
      } finally {
        await handle.close();
      }
    },
  };
}
