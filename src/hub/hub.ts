/**
 * Models of the Hugging Face hub, downloaded through `@huggingface/hub` into the cache that all of Hugging Face's libraries share. Only
 * this file talks to the hub; the cache is in hub-cache.ts, and load-model.ts knows what a model folder must contain.
 */
import { throwIfAborted } from '../abort.js';
import { HubError, ModelError, WriteError } from '../errors.js';
import { importPeer } from '../optional-peer.js';
import { CachedRepository, defaultCacheDir, type HubFile } from './hub-cache.js';
import { ATTEMPTS, PatientFetch } from './hub-fetch.js';
import { LOOKED_FOR, modelLayout } from './layout.js';

/** Progress of downloading a repository. */
export interface HubProgress {
  /** The current file. */
  file: string;
  /** Bytes of it that are there. */
  loaded: number;
  /** Its size in bytes. */
  total: number;
  /** Set while waiting for a rate-limiting hub: seconds until the next attempt. */
  retryIn?: number;
}

/** Options of a download. */
export interface HubOptions {
  revision?: string | undefined;
  cacheDir?: string | undefined;
  /**
   * Never ask the hub.
   * @defaultValue what `HF_HUB_OFFLINE` says
   */
  offline?: boolean | undefined;
  /**
   * For private repositories.
   * @defaultValue `HF_TOKEN`
   */
  token?: string | undefined;
  signal?: AbortSignal | undefined;
  onProgress?: ((progress: HubProgress) => void) | undefined;
}

type Hub = typeof import('@huggingface/hub');
type ListFileEntry = import('@huggingface/hub').ListFileEntry;

const MOST_NAMES = 20;
const COMMIT = /^[0-9a-f]{40}$/;
const HASH = /^(?:[0-9a-f]{40}|[0-9a-f]{64})$/;

/** True for a possible repository id: `owner/name`. */
export function isRepositoryId(name: string): boolean {
  return /^\w[\w.-]*\/\w[\w.-]*$/.test(name);
}

/**
 * The folder of a repository's files in the cache. Missing files are downloaded, checked against the hub's hashes, and resumed where an
 * earlier attempt stopped. `HF_ENDPOINT`, `HF_TOKEN`, `HF_HOME`, `HF_HUB_CACHE` and `HF_HUB_OFFLINE` are respected. The cache is used when
 * the hub cannot be reached, and a cached commit is not requested.
 *
 * @throws {@link ModelError} `ERR_PARAKEET_MODEL_NOT_FOUND` when neither the hub nor the cache has the files.
 * @throws {@link HubError} when the hub is still rate-limiting after all retries. There are none when the cache has the files.
 * @throws {@link WriteError} when the disk is full, with the number of bytes needed.
 * @throws {@link DependencyError} `ERR_PARAKEET_MISSING_DEPENDENCY` when `@huggingface/hub` is not installed.
 * @throws {@link AbortedError} when `signal` is aborted.
 */
export async function fetchFromHub(repo: string, options: HubOptions = {}): Promise<string> {
  const { revision = 'main', signal } = options;
  const cache = new CachedRepository(options.cacheDir ?? defaultCacheDir(), repo);
  const cached = () => cache.find(revision, (names) => modelLayout(names) !== undefined);
  const offline = options.offline ?? isOffline();
  if (offline || COMMIT.test(revision)) {
    const folder = await cached();
    if (folder !== undefined) return folder;
  }
  if (offline) {
    throw new ModelError(
      'ERR_PARAKEET_MODEL_NOT_FOUND',
      `Expected the Hugging Face repository ${repo} at '${revision}' in the cache, because the hub must not be used (offline, ` +
        'HF_HUB_OFFLINE), but it is not there. Load it once online, or name a folder or an archive.',
    );
  }
  const hub = await importHub();
  let last: HubProgress = { file: repo, loaded: 0, total: 0 };
  const onProgress = (progress: HubProgress) => {
    last = progress;
    options.onProgress?.(progress);
  };
  const onWait = (retryIn: number) => options.onProgress?.({ ...last, retryIn });
  const asking = new PatientFetch((await cached()) === undefined ? ATTEMPTS : 1, signal, onWait);
  try {
    throwIfAborted(signal);
    return await download(hub, cache, repo, revision, asking.fetch, { ...options, onProgress });
  } catch (error) {
    throwIfAborted(signal);
    const cause = asking.gaveUp ?? error;
    if (cause instanceof WriteError) throw cause;
    const folder = isRefusal(cause) ? undefined : await cached();
    if (folder !== undefined) return folder;
    const wanted = `Expected a model of the Hugging Face repository ${repo} at '${revision}' but could not get it: ${reasonOf(cause)}.`;
    if (cause instanceof HubError) {
      throw new HubError(
        `${wanted} Try again later; with a token (HF_TOKEN) the limit is higher.`,
        cause.retryAfter,
        { cause },
      );
    }
    throw new ModelError(
      'ERR_PARAKEET_MODEL_NOT_FOUND',
      `${wanted} Check the name, the network, and HF_TOKEN for a private one; or name a folder or an archive.`,
      { cause },
    );
  }
}

async function download(
  hub: Hub,
  cache: CachedRepository,
  repo: string,
  revision: string,
  fetch: typeof globalThis.fetch,
  { signal, onProgress, token = process.env.HF_TOKEN }: HubOptions,
): Promise<string> {
  const { HF_ENDPOINT } = process.env;
  const common = {
    ...(HF_ENDPOINT ? { hubUrl: HF_ENDPOINT.replace(/\/+$/, '') } : {}),
    ...(token ? { accessToken: token } : {}),
    fetch,
  };
  // One commit for all files: a branch may move meanwhile.
  const { sha } = await hub.modelInfo({ name: repo, revision, additionalFields: ['sha'], ...common });
  if (!COMMIT.test(sha))
    throw new Error(`the hub names no commit for '${revision}' but ${JSON.stringify(sha)}`);
  const there = new Map<string, ListFileEntry>();
  for await (const entry of hub.listFiles({ repo, revision: sha, ...common }))
    if (entry.type === 'file') there.set(entry.path, entry);
  const layout = modelLayout([...there.keys()]);
  if (!layout) {
    throw new Error(
      `it has no model that can be read (looked for ${LOOKED_FOR}; there is ${named([...there.keys()])})`,
    );
  }
  for (const [path, info] of layout.files.map((name) => [name, there.get(name) as ListFileEntry] as const)) {
    const file: HubFile = {
      path,
      size: info.lfs?.size ?? info.size,
      hash: info.lfs?.oid ?? info.oid ?? '',
      lfs: info.lfs !== undefined,
    };
    if (!HASH.test(file.hash)) throw new Error(`the hub has no hash of ${path}`);
    await cache.store(sha, file, async (from) => {
      // Plain ranges, not Xet: an interrupted download is resumed, and a full file is one stream.
      const blob = await hub.downloadFile({ repo, path, revision: sha, xet: false, ...common });
      if (!blob) throw new Error(`it has no ${path}`);
      if (blob.size !== file.size)
        throw new Error(`${path} has ${blob.size} bytes but should have ${file.size}`);
      const bytes = (from > 0 ? blob.slice(from) : blob).stream();
      return counted(bytes as unknown as AsyncIterable<Uint8Array>, file, from, signal, onProgress);
    });
  }
  return cache.remember(revision, sha);
}

/** Some of the names; a repository may have thousands. */
function named(names: readonly string[]): string {
  const some = names.slice(0, MOST_NAMES).join(', ') || 'nothing';
  return names.length > MOST_NAMES ? `${some} and ${names.length - MOST_NAMES} more` : some;
}

async function* counted(
  bytes: AsyncIterable<Uint8Array>,
  { path: file, size: total }: HubFile,
  from: number,
  signal: AbortSignal | undefined,
  onProgress: HubOptions['onProgress'],
): AsyncGenerator<Uint8Array> {
  let loaded = from;
  for await (const piece of bytes) {
    throwIfAborted(signal);
    loaded += piece.length;
    onProgress?.({ file, loaded: Math.min(loaded, total), total });
    yield piece;
    // This is not the range that was requested; the hash check will fail.
    if (loaded > total) return;
  }
}

function importHub(): Promise<Hub> {
  return importPeer<Hub>(
    '@huggingface/hub',
    'fetches models by name',
    'Run `npm install @huggingface/hub`, or name a folder or an archive.',
  );
}

function isOffline(): boolean {
  return /^(?:1|on|yes|true)$/i.test(process.env.HF_HUB_OFFLINE ?? '');
}

/** The hub answered with a refusal: the cache must not hide that. */
function isRefusal(cause: unknown): boolean {
  const { statusCode } = (cause ?? {}) as { statusCode?: unknown };
  return typeof statusCode === 'number' && statusCode >= 400 && statusCode < 500;
}

function reasonOf(cause: unknown): string {
  if (!(cause instanceof Error)) return String(cause);
  // fetch says only "fetch failed"; the reason is in its cause.
  return cause.cause instanceof Error ? `${cause.message} (${cause.cause.message})` : cause.message;
}
