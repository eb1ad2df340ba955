/**
 * One repository in the cache that all of Hugging Face's libraries share: where its files lie, and how a file gets there whole.
 * Knows the cache's layout, nothing of the network.
 */
import { createHash, randomUUID } from 'node:crypto';
import { createReadStream, createWriteStream } from 'node:fs';
import { copyFile, mkdir, readFile, rename, rm, stat, symlink, writeFile } from 'node:fs/promises';
import { homedir } from 'node:os';
import path from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';

/** A file of a repository, as the hub describes it. */
export interface HubFile {
  path: string;
  size: number;
  /** Its git object id, or the SHA-256 of its content when it is kept in Git LFS; also its name in the cache. */
  hash: string;
  lfs: boolean;
}

const COMMIT = /^[0-9a-f]{40}$/;

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

  /** The folder of `revision` (a branch, tag or commit) if all `files` are in it. */
  async find(revision: string, files: readonly string[]): Promise<string | undefined> {
    const commit = COMMIT.test(revision)
      ? revision
      : await readFile(path.join(this.#root, 'refs', revision), 'utf8').then(
          (text) => text.trim(),
          () => '',
        );
    if (!COMMIT.test(commit)) return undefined;
    const folder = this.#snapshot(commit);
    for (const file of files) if (!(await sizeOf(path.join(folder, file)))) return undefined;
    return folder;
  }

  /** Remembers that `revision` is `commit`, for when the hub cannot be asked. Returns the commit's folder. */
  async remember(revision: string, commit: string): Promise<string> {
    if (revision !== commit) {
      const ref = path.join(this.#root, 'refs', revision);
      await mkdir(path.dirname(ref), { recursive: true });
      await writeFile(ref, commit);
    }
    return this.#snapshot(commit);
  }

  /**
   * Puts `file` into the snapshot of `commit`, unless it is there. `download(from)` gives its bytes from offset `from` on: what an
   * earlier attempt left is continued. The content is checked against its hash before anybody can see it.
   *
   * @throws {@link Error} when the content is not what the hub said, or what `download` throws.
   */
  async store(
    commit: string,
    file: HubFile,
    download: (from: number) => Promise<AsyncIterable<Uint8Array>>,
  ): Promise<void> {
    const blob = path.join(this.#root, 'blobs', file.hash);
    const name = path.join(this.#snapshot(commit), file.path);
    if (await sizeOf(name)) return;
    await mkdir(path.dirname(blob), { recursive: true });
    await mkdir(path.dirname(name), { recursive: true });
    if ((await sizeOf(blob)) === undefined) await this.#download(blob, file, download);
    await link(blob, name);
  }

  async #download(
    blob: string,
    file: HubFile,
    download: (from: number) => Promise<AsyncIterable<Uint8Array>>,
  ): Promise<void> {
    const rest = `${blob}.incomplete`;
    // Taken by its new name, so that two who fetch the same file never write into one.
    const mine = `${blob}.${randomUUID()}.incomplete`;
    let begun = await rename(rest, mine).then(
      () => sizeOf(mine),
      () => 0,
    );
    if ((begun ?? 0) > file.size) begun = 0;
    try {
      if (begun !== file.size) {
        const bytes = await download(begun ?? 0);
        await pipeline(Readable.from(bytes), createWriteStream(mine, { flags: begun ? 'a' : 'w' }));
      }
    } catch (error) {
      await rename(mine, rest).catch(() => {});
      throw error;
    }
    const hash = await hashOf(mine, file);
    if (hash !== file.hash) {
      await rm(mine, { force: true });
      throw new Error(`${file.path} has the hash ${hash} but should have ${file.hash}`);
    }
    await rename(mine, blob);
  }

  #snapshot(commit: string): string {
    return path.join(this.#root, 'snapshots', commit);
  }
}

async function hashOf(name: string, file: HubFile): Promise<string> {
  const hash = createHash(file.lfs ? 'sha256' : 'sha1');
  // Git hashes a small header with the content.
  if (!file.lfs) hash.update(`blob ${await sizeOf(name)}\0`);
  await pipeline(createReadStream(name), hash);
  return hash.digest('hex');
}

/** A relative link, so that the cache can be moved; a copy where links are not to be had. */
async function link(blob: string, name: string): Promise<void> {
  await rm(name, { force: true });
  await symlink(path.relative(path.dirname(name), blob), name).catch(async (error: NodeJS.ErrnoException) => {
    // Another process made it meanwhile.
    if (error.code !== 'EEXIST') await copyFile(blob, name);
  });
}

async function sizeOf(name: string): Promise<number | undefined> {
  return stat(name).then(
    ({ size }) => size,
    () => undefined,
  );
}
