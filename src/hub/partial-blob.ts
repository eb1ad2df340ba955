/**
 * A blob on its way into the cache: a file with one writer, whose name says who that is. When the writer is gone, the next one takes
 * the file over and goes on where it ends. Knows nothing of what the bytes are, nor whether they are right.
 *
 * There is no lock, since Node has none that ends with its process. A file taken over by mistake, from a writer that only slept,
 * does no harm: both write the same bytes to the same places.
 */
import { createHash, randomBytes } from 'node:crypto';
import { createWriteStream } from 'node:fs';
import { readdir, rename, rm, stat, utimes } from 'node:fs/promises';
import { hostname } from 'node:os';
import path from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';

/** Not `.incomplete` alone: other libraries write to that, and must not find it gone. */
const NOBODYS = '.parakeet.incomplete';
const SOMEBODYS = /\.parakeet-([0-9a-f]{8})-(\d+)-[0-9a-f]{8}\.incomplete$/;
const HERE = createHash('sha256').update(hostname()).digest('hex').slice(0, 8);

/** How often a writer shows that it is alive, and after which silence it is not; milliseconds. */
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

  /** What an earlier writer of `blob` left, the longest if there are several; else one that is empty, and no file yet. */
  static async take(blob: string): Promise<PartialBlob> {
    const owner = `parakeet-${HERE}-${process.pid}-${randomBytes(4).toString('hex')}`;
    const mine = `${blob}.${owner}.incomplete`;
    for (const left of await leftOf(blob)) {
      try {
        // First a sign of life, so that it is never mine and old at once.
        await touch(left);
        await rename(left, mine);
        break;
      } catch {
        // Somebody else was faster.
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

  /** Writes `bytes` from offset `from` on (0: all anew), and waits until the disk has them. */
  async write(from: number, bytes: AsyncIterable<Uint8Array>): Promise<void> {
    const where = from > 0 ? { flags: 'r+', start: from } : { flags: 'w' };
    await pipeline(Readable.from(bytes), createWriteStream(this.#file, { ...where, flush: true }));
  }

  /** It is all there and right: it becomes the blob. What others left of the same is of no use any more. */
  async finish(): Promise<void> {
    clearInterval(this.#alive);
    await rename(this.#file, this.#blob);
    for (const left of await leftOf(this.#blob)) await rm(left, { force: true });
  }

  /** Gives it up; the next one may go on at once. */
  async leave(): Promise<void> {
    clearInterval(this.#alive);
    if ((await this.size()) === 0) await this.discard();
    else await rename(this.#file, this.#blob + NOBODYS).catch(() => {});
  }

  /** Throws away what is there. */
  async discard(): Promise<void> {
    await rm(this.#file, { force: true });
  }
}

/** Files of `blob` that nobody writes to, the longest first. */
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
  // Of a process elsewhere, or of one that got the number of another, only its silence tells.
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
