/**
 * A blob on its way into the cache: a file with one writer, whose id is in the file's name. When the writer is gone, the next one takes
 * over the file and continues it. It does not know what the bytes are, nor whether they are correct.
 *
 * There is no lock, because Node has none that ends with its process. Taking over a file by mistake, from a writer that was only suspended,
 * does no harm: both write the same bytes to the same positions.
 */
import { createHash, randomBytes } from 'node:crypto';
import { createWriteStream } from 'node:fs';
import { readdir, rename, rm, stat, utimes } from 'node:fs/promises';
import { hostname } from 'node:os';
import path from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';

/** Not just `.incomplete`: other libraries write to that name and must not find their file gone. */
const NOBODYS = '.parakeet.incomplete';
const SOMEBODYS = /\.parakeet-([0-9a-f]{8})-(\d+)-[0-9a-f]{8}\.incomplete$/;
const HERE = createHash('sha256').update(hostname()).digest('hex').slice(0, 8);

/** How often a writer signals that it is alive, and after how long a silence it counts as dead; in milliseconds. */
const SIGN_OF_LIFE = 10_000;
const SILENCE = 120_000;

export class PartialBlob {
  readonly #blob: string;
  readonly #file: string;
  readonly #alive: NodeJS.Timeout;

  private constructor(blob: string, file: string) {
    this.#blob = blob;
    this.#file = file;
    this.#alive = setInterval(() => void touch(file).catch(() => {}), SIGN_OF_LIFE).unref();
  }

  /** What an earlier writer of `blob` left, the longest if there are several; otherwise an empty one without a file. */
  static async take(blob: string): Promise<PartialBlob> {
    const owner = `parakeet-${HERE}-${process.pid}-${randomBytes(4).toString('hex')}`;
    const mine = `${blob}.${owner}.incomplete`;
    for (const left of await leftOf(blob)) {
      try {
        // Touch it first, so that it is never ours and stale at once.
        await touch(left);
        await rename(left, mine);
        break;
      } catch {
        // Another process was faster.
      }
    }
    return new PartialBlob(blob, mine);
  }

  /** The name of the file. */
  get name(): string {
    return this.#file;
  }

  /** Bytes that are on the disk. */
  async size(): Promise<number> {
    return (await statOf(this.#file))?.size ?? 0;
  }

  /** Writes `bytes` from offset `from` on (0: from scratch), and waits until they are on the disk. */
  async write(from: number, bytes: AsyncIterable<Uint8Array>): Promise<void> {
    const where = from > 0 ? { flags: 'r+', start: from } : { flags: 'w' };
    await pipeline(Readable.from(bytes), createWriteStream(this.#file, { ...where, flush: true }));
  }

  /** It is complete and correct: it becomes the blob. Partial files of other writers are removed. */
  async finish(): Promise<void> {
    clearInterval(this.#alive);
    await rename(this.#file, this.#blob);
    for (const left of await leftOf(this.#blob)) await rm(left, { force: true });
  }

  /** Releases it; another writer may take over at once. */
  async leave(): Promise<void> {
    clearInterval(this.#alive);
    if ((await this.size()) === 0) await this.discard();
    else await rename(this.#file, this.#blob + NOBODYS).catch(() => {});
  }

  /** Discards its content. */
  async discard(): Promise<void> {
    await rm(this.#file, { force: true });
  }
}

/** Files of `blob` without a writer, the longest first. */
async function leftOf(blob: string): Promise<string[]> {
  const folder = path.dirname(blob);
  const left: { name: string; size: number }[] = [];
  for (const entry of await readdir(folder)) {
    if (!entry.startsWith(`${path.basename(blob)}.parakeet`)) continue;
    const name = path.join(folder, entry);
    const status = await statOf(name);
    if (status && (await isLeft(entry, status.mtimeMs))) left.push({ name, size: status.size });
  }
  return left.sort((a, b) => b.size - a.size).map(({ name }) => name);
}

function isLeft(name: string, lastSign: number): boolean {
  const [, host, pid] = SOMEBODYS.exec(name) ?? [];
  if (pid === undefined) return name.endsWith(NOBODYS);
  if (host === HERE && !isRunning(Number(pid))) return true;
  // For a process on another machine, or one whose id was reused, only the missing signal tells.
  return Date.now() - lastSign > SILENCE;
}

function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code !== 'ESRCH';
  }
}

async function touch(file: string): Promise<void> {
  const now = new Date();
  await utimes(file, now, now);
}

async function statOf(file: string): Promise<{ size: number; mtimeMs: number } | undefined> {
  return stat(file).catch(() => undefined);
}
