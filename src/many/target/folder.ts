/** Transcripts in a folder. A file gets its name when it is complete, so whatever has a name is whole. */
import { randomUUID } from 'node:crypto';
import { mkdir, open, readFile, rename, rm } from 'node:fs/promises';
import path from 'node:path';
import { writeError } from '../../sinks/destination.js';
import { keptName, keptText, readKept } from './kept.js';
import type { Target } from './target.js';

export function folderTarget(folder: string): Target {
  return {
    recall: async (key) => {
      try {
        return readKept(await readFile(path.join(folder, keptName(key)), 'utf8'));
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
        throw error;
      }
    },
    deliver: async ({ key, files, heard }) => {
      const written: string[] = [];
      for (const { name, bytes } of files) {
        const file = path.resolve(folder, name);
        await writeWhole(file, bytes);
        written.push(file);
      }
      // Last: where it is, the transcripts are.
      await writeWhole(path.join(folder, keptName(key)), keptText(heard));
      return written;
    },
  };
}

/** Writes under another name, and renames. @throws {@link WriteError} */
async function writeWhole(file: string, content: string | Uint8Array): Promise<void> {
  const draft = path.join(path.dirname(file), `.${path.basename(file)}.${randomUUID()}.tmp`);
  try {
    await mkdir(path.dirname(file), { recursive: true });
    const handle = await open(draft, 'wx');
    try {
      await handle.writeFile(content);
      // Without it a power failure may leave the name without the content.
      await handle.sync();
    } finally {
      await handle.close();
    }
    await rename(draft, file);
  } catch (error) {
    await rm(draft, { force: true }).catch(() => {});
    throw writeError(file, error);
  }
}
