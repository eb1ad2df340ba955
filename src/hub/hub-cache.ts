/**
 * One repository in the cache that all of Hugging Face's libraries share: where its files are, and how a complete file gets there. It knows
 * the layout of the cache and nothing of the network.
 *
 * `downloadFileToCacheDir` and `snapshotDownload` of `@huggingface/hub` (2.17) are not used; the package lists and reads files for us
 * (hub.ts). They lack the following:
 * - an interrupted download is resumed; theirs restarts at byte 0;
 * - a file is checked against the hub's hash before it gets its name; theirs is not checked, and an existing file is trusted;
 * - two processes write to separate files (partial-blob.ts); theirs share one `.incomplete`;
 * - free space is checked before a download, and a full disk is an error of its own;
 * - links and refs appear complete, by a rename;
 * - progress and abort work within a file; theirs support neither;
 * - only the files of a model are downloaded, not the whole repository;
 * - nothing is written to the console.
 *
 * They also ignore HF_HUB_OFFLINE, HF_TOKEN and HF_ENDPOINT, and do not wait for a busy hub: hub.ts and hub-fetch.ts do.
 */
import { createHash, randomUUID } from 'node:crypto';
import { createReadStream } from 'node:fs';
import {
  copyFile,
  mkdir,
  readdir,
  readFile,
  rename,
  rm,
  stat,
  statfs,
  symlink,
  writeFile,
} from 'node:fs/promises';
import { homedir } from 'node:os';
import path from 'node:path';
import { pipeline } from 'node:stream/promises';
import { WriteError } from '../errors.js';
import { PartialBlob } from './partial-blob.js';

/** A file of a repository, as the hub describes it. */
export interface HubFile {
  path: string;
  size: number;
  /** Its git object id, or the SHA-256 of its content when it is kept in Git LFS; also its name in the cache. */
  hash: string;
  lfs: boolean;
}

/** The bytes of a file from an offset on. */
export type Download = (from: number) => Promise<AsyncIterable<Uint8Array>>;

const COMMIT = /^[0-9a-f]{40}$/;
/** Most connections for a file before it is given up until the next attempt; each must deliver something. */
const LINES = 5;

/** `HF_HUB_CACHE`, `HF_HOME/hub` or the user's cache folder, as in Hugging Face's own libraries. */
export function defaultCacheDir(): string {
  const { HF_HUB_CACHE, HUGGINGFACE_HUB_CACHE, HF_HOME, XDG_CACHE_HOME } = process.env;
  const home = HF_HOME || path.join(XDG_CACHE_HOME || path.join(homedir(), '.cache'), 'huggingface');
  return HF_HUB_CACHE || HUGGINGFACE_HUB_CACHE || path.join(home, 'hub');
}

/** A repository's folder in the cache: `blobs/` by content, `snapshots/<commit>/` by name, `refs/` from branches to commits. */
export class CachedRepository {
  readonly #root: string;

  constructor(cacheDir: string, repo: string) {
    this.#root = path.join(cacheDir, `models--${repo.replaceAll('/', '--')}`);
  }

  /** The folder of `revision` (a branch, tag or commit) if its files, judged by their names, are a complete model. */
  async find(revision: string, isWhole: (names: readonly string[]) => boolean): Promise<string | undefined> {
    const commit = COMMIT.test(revision) ? revision : await this.#commitOf(revision);
    if (!COMMIT.test(commit)) return undefined;
    const folder = this.#snapshot(commit);
    return isWhole(await namesIn(folder)) ? folder : undefined;
  }

  /** Records that `revision` is `commit`, for when the hub cannot be reached. Returns the commit's folder. */
  async remember(revision: string, commit: string): Promise<string> {
    if (revision !== commit && (await this.#commitOf(revision)) !== commit) {
      const ref = path.join(this.#root, 'refs', revision);
      await mkdir(path.dirname(ref), { recursive: true });
      await place(ref, (name) => writeFile(name, commit));
    }
    return this.#snapshot(commit);
  }

  /**
   * Puts `file` into the snapshot of `commit` unless it is there already. An earlier download is resumed, and the content is checked
   * against its hash before it becomes visible.
   *
   * @throws {@link WriteError} when the disk is full. The partial download is kept, under a name that is not taken for the file.
   * @throws {@link Error} when the content differs from what the hub announced, or whatever `download` throws.
   */
  async store(commit: string, file: HubFile, download: Download): Promise<void> {
    const blob = path.join(this.#root, 'blobs', file.hash);
    const name = path.join(this.#snapshot(commit), file.path);
    if ((await sizeOf(name)) === file.size) return;
    try {
      await mkdir(path.dirname(blob), { recursive: true });
      await mkdir(path.dirname(name), { recursive: true });
      if ((await sizeOf(blob)) !== file.size) await fetchBlob(blob, file, download);
      await link(blob, name);
    } catch (error) {
      throw isFull(error) ? noSpace(file, file.size, this.#root, error) : error;
    }
  }

  async #commitOf(revision: string): Promise<string> {
    const ref = path.join(this.#root, 'refs', revision);
    return readFile(ref, 'utf8').then(
      (text) => text.trim(),
      () => '',
    );
  }

  #snapshot(commit: string): string {
    return path.join(this.#root, 'snapshots', commit);
  }
}

/** Downloads a blob; starts over once if the resumed part does not match what was there. */
async function fetchBlob(blob: string, file: HubFile, download: Download): Promise<void> {
  const partial = await PartialBlob.take(blob);
  try {
    while (true) {
      const begun = await writeAll(partial, file, download);
      const hash = await hashOf(partial.name, file);
      if (hash === file.hash) break;
      await partial.discard();
      if (begun === 0) throw new Error(`${file.path} has the hash ${hash} but should have ${file.hash}`);
    }
    await partial.finish();
  } catch (error) {
    await partial.leave();
    throw error;
  }
}

/** Writes what is missing, over several connections if they are interrupted. Returns how much was there before. */
async function writeAll(partial: PartialBlob, file: HubFile, download: Download): Promise<number> {
  const begun = await sizeUpTo(file.size, partial);
  for (let from = begun, line = 1; from < file.size; line++) {
    const error = await writeRest(partial, from, file, download);
    const size = await partial.size();
    if (size >= file.size) break;
    // A connection that delivered nothing is not retried.
    if (error instanceof WriteError || size <= from || line >= LINES) {
      throw error ?? new Error(`${file.path} ended after ${size} of ${file.size} bytes`);
    }
    from = size;
  }
  return begun;
}

/** Writes what one connection delivers; returns the error that ended it early. */
async function writeRest(
  partial: PartialBlob,
  from: number,
  file: HubFile,
  download: Download,
): Promise<unknown> {
  const folder = path.dirname(partial.name);
  const { bavail, bsize, blocks } = await statfs(folder);
  // Some file systems do not support this.
  if (blocks > 0 && bavail * bsize < file.size - from)
    return noSpace(file, file.size - from, folder, undefined, bavail * bsize);
  try {
    await partial.write(from, await download(from));
    return undefined;
  } catch (error) {
    return isFull(error) ? noSpace(file, file.size - (await partial.size()), folder, error) : error;
  }
}

/** Data beyond the full size is invalid as a whole. */
async function sizeUpTo(whole: number, partial: PartialBlob): Promise<number> {
  const size = await partial.size();
  return size > whole ? 0 : size;
}

function isFull(error: unknown): boolean {
  return ['ENOSPC', 'EDQUOT'].includes((error as NodeJS.ErrnoException | undefined)?.code ?? '');
}

function noSpace(file: HubFile, needed: number, folder: string, cause?: unknown, free?: number): WriteError {
  const but = free === undefined ? 'the disk is full' : `only ${free} bytes are free`;
  return new WriteError(
    'ERR_PARAKEET_NO_SPACE',
    `Expected space for ${needed} more bytes of ${file.path} (${file.size} in all) in ${folder} but ${but}. ` +
      'Free some space, or name another folder with cacheDir or HF_HUB_CACHE; the download is kept and will be resumed.',
    { needed, ...(cause !== undefined && { cause }) },
  );
}

async function hashOf(name: string, file: HubFile): Promise<string> {
  const hash = createHash(file.lfs ? 'sha256' : 'sha1');
  // Git prepends a small header to the content before hashing.
  if (!file.lfs) hash.update(`blob ${await sizeOf(name)}\0`);
  await pipeline(createReadStream(name), hash);
  return hash.digest('hex');
}

/** A relative link, so that the cache can be moved; a copy where links are not supported. */
async function link(blob: string, name: string): Promise<void> {
  const target = path.relative(path.dirname(name), blob);
  await place(name, (temporary) => symlink(target, temporary).catch(() => copyFile(blob, temporary)));
}

/** Creates a file under a temporary name first, so that readers see either the old state or the complete file. */
async function place(name: string, make: (temporary: string) => Promise<void>): Promise<void> {
  const temporary = `${name}.${randomUUID()}`;
  try {
    await make(temporary);
    await rename(temporary, name);
  } catch (error) {
    await rm(temporary, { force: true });
    throw error;
  }
}

async function sizeOf(name: string): Promise<number | undefined> {
  return stat(name).then(
    ({ size }) => size,
    () => undefined,
  );
}

/** The non-empty files of a folder. A link whose blob was removed does not count. */
export async function namesIn(folder: string): Promise<string[]> {
  const names = await readdir(folder).catch(() => []);
  const sizes = await Promise.all(names.map((name) => sizeOf(path.join(folder, name))));
  return names.filter((_, i) => sizes[i]);
}
