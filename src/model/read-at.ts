/** Reads bytes of an open file: all that were requested, even if the system returns fewer at a time. */
import type { FileHandle } from 'node:fs/promises';

/** `count` bytes from `offset` on. Throws an `Error` when the file ends before. */
export async function readAt(handle: FileHandle, offset: number, count: number): Promise<Buffer> {
  const buffer = Buffer.alloc(count);
  for (let done = 0; done < count; ) {
    const { bytesRead } = await handle.read(buffer, done, count - done, offset + done);
    if (bytesRead === 0) throw new Error('it is cut short');
    done += bytesRead;
  }
  return buffer;
}
