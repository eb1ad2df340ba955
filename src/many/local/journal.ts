/**
 * What a queue in this process has done so far, in a folder: after a crash the same work goes on where it was, and at most the windows that
 * were being transcribed are repeated. Lines are appended; one that is torn is not believed.
 */
import { type FileHandle, mkdir, open, readFile, rm, stat } from 'node:fs/promises';
import path from 'node:path';
import { writeError } from '../../sinks/destination.js';
import { isStoredWindow, type StoredWindow } from '../heard.js';
import { isRemote } from '../source/content.js';

/** How a file looked when its content was hashed. */
interface SeenFile {
  source: string;
  size: number;
  modified: number;
  content: string;
}

/** A journal that keeps nothing. */
export interface Journal {
  /** The hash of a file's content, if it looks as it did then. */
  contentOf(source: string): Promise<string | undefined>;
  /** The file has this content. */
  sawContent(source: string, content: string): Promise<void>;
  /** The windows of a recording that were heard before. */
  windowsOf(key: string): Promise<Map<number, StoredWindow>>;
  heard(key: string, window: number, stored: StoredWindow): Promise<void>;
  /** The recording is done: its windows are not needed any more. */
  done(key: string): Promise<void>;
  close(): Promise<void>;
}

export const noJournal: Journal = {
  contentOf: async () => undefined,
  sawContent: async () => {},
  windowsOf: async () => new Map(),
  heard: async () => {},
  done: async () => {},
  close: async () => {},
};

/** The journal in a folder; reads what is there. */
export async function openJournal(folder: string): Promise<Journal> {
  const sources = path.join(folder, 'sources.jsonl');
  const seen = new Map<string, SeenFile>();
  for (const line of await linesOf(sources)) {
    const file = line as SeenFile;
    if (typeof file?.source === 'string' && typeof file.content === 'string') seen.set(file.source, file);
  }
  const writer = new LineWriter();
  const fileOf = (key: string) => path.join(folder, 'windows', `${key}.jsonl`);
  return {
    contentOf: async (source) => {
      const before = seen.get(source);
      if (!before || isRemote(source)) return undefined;
      const now = await stat(source);
      return now.size === before.size && now.mtimeMs === before.modified ? before.content : undefined;
    },
    sawContent: async (source, content) => {
      if (isRemote(source)) return;
      const { size, mtimeMs: modified } = await stat(source);
      const file: SeenFile = { source, size, modified, content };
      seen.set(source, file);
      await writer.append(sources, file);
    },
    windowsOf: async (key) => {
      const found = new Map<number, StoredWindow>();
      for (const line of await linesOf(fileOf(key))) {
        const { window } = (line ?? {}) as { window?: unknown };
        if (typeof window === 'number' && isStoredWindow(line)) found.set(window, line);
      }
      return found;
    },
    heard: (key, window, stored) => writer.append(fileOf(key), { window, ...stored }),
    done: async (key) => {
      await writer.close(fileOf(key));
      await rm(fileOf(key), { force: true });
    },
    close: () => writer.closeAll(),
  };
}

/** The lines of a file that are whole JSON values; none of a file that is not there. */
async function linesOf(file: string): Promise<unknown[]> {
  let text: string;
  try {
    text = await readFile(file, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return [];
    throw error;
  }
  return text.split('\n').flatMap((line) => {
    try {
      return line === '' ? [] : [JSON.parse(line) as unknown];
    } catch {
      return [];
    }
  });
}

/** Appends lines to files that stay open. */
class LineWriter {
  readonly #files = new Map<string, Promise<FileHandle>>();

  /** Resolves when the line is on the disk. @throws {@link WriteError} */
  async append(file: string, value: unknown): Promise<void> {
    try {
      const handle = await this.#open(file);
      // Behind a torn line the new one stands by itself.
      await handle.appendFile(`\n${JSON.stringify(value)}\n`);
      await handle.datasync();
    } catch (error) {
      throw writeError(file, error);
    }
  }

  async close(file: string): Promise<void> {
    const opening = this.#files.get(file);
    this.#files.delete(file);
    await (await opening?.catch(() => undefined))?.close();
  }

  async closeAll(): Promise<void> {
    await Promise.all([...this.#files.keys()].map((file) => this.close(file)));
  }

  #open(file: string): Promise<FileHandle> {
    const before = this.#files.get(file);
    if (before) return before;
    const opening = mkdir(path.dirname(file), { recursive: true }).then(() => open(file, 'a'));
    this.#files.set(file, opening);
    // The next line tries again.
    opening.catch(() => this.#files.get(file) === opening && this.#files.delete(file));
    return opening;
  }
}
