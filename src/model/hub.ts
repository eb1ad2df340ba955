/**
 * Models of the Hugging Face hub, through `@huggingface/hub` into the cache that all of Hugging Face's libraries share.
 * Only this file knows of the hub; what a model folder must hold is load-model's matter.
 */
import path from 'node:path';
import { AbortedError, ModelError, ParakeetError } from '../errors.js';

/** How far the fetching of a repository is. */
export interface HubProgress {
  /** The file at work. */
  file: string;
  /** Bytes of it that are here. */
  loaded: number;
  /** Bytes that it has in all; 0 when the hub does not say. */
  total: number;
}

/** What fetching can be told. */
export interface HubOptions {
  revision?: string | undefined;
  cacheDir?: string | undefined;
  signal?: AbortSignal | undefined;
  onProgress?: ((progress: HubProgress) => void) | undefined;
}

const FILES = ['config.json', 'model.safetensors'] as const;

/** True for what can be a repository's id: `owner/name`. */
export function isRepositoryId(name: string): boolean {
  return /^[\w][\w.-]*\/[\w][\w.-]*$/.test(name);
}

/**
 * The folder of a repository's files in the cache; what is missing is downloaded. `HF_ENDPOINT`, `HF_TOKEN` and `HF_HOME` are
 * respected.
 *
 * @throws {ModelError} `ERR_PARAKEET_MODEL_NOT_FOUND` when the hub does not give the files.
 * @throws {ParakeetError} `ERR_PARAKEET_MISSING_DEPENDENCY` when `@huggingface/hub` is not installed.
 */
export async function fetchFromHub(repo: string, options: HubOptions = {}): Promise<string> {
  const { downloadFileToCacheDir } = await importHub();
  const token = process.env.HF_TOKEN;
  let folder = '';
  for (const file of FILES) {
    try {
      const found = await downloadFileToCacheDir({
        repo: { type: 'model', name: repo },
        path: file,
        revision: options.revision ?? 'main',
        ...(options.cacheDir === undefined ? {} : { cacheDir: options.cacheDir }),
        ...(process.env.HF_ENDPOINT ? { hubUrl: process.env.HF_ENDPOINT } : {}),
        ...(token ? { accessToken: token } : {}),
        fetch: watchedFetch(file, options),
      });
      folder = path.dirname(found);
    } catch (cause) {
      if (options.signal?.aborted) throw new AbortedError(undefined, { cause: options.signal.reason });
      throw new ModelError(
        'ERR_PARAKEET_MODEL_NOT_FOUND',
        `Expected ${file} of the Hugging Face repository ${repo} but could not get it: ` +
          `${cause instanceof Error ? cause.message : String(cause)}. Check the name, the network, and HF_TOKEN for a private one; ` +
          'or name a folder with config.json and model.safetensors.',
        { cause },
      );
    }
  }
  return folder;
}

async function importHub(): Promise<typeof import('@huggingface/hub')> {
  try {
    return await import('@huggingface/hub');
  } catch (cause) {
    throw new ParakeetError(
      'ERR_PARAKEET_MISSING_DEPENDENCY',
      'Expected the package @huggingface/hub, which fetches models by name, but it is not installed. ' +
        'Run `npm install @huggingface/hub`, or name a folder with config.json and model.safetensors.',
      { cause },
    );
  }
}

/** `fetch` that can be aborted and that reports the bytes of `file` as they come. */
function watchedFetch(file: string, { signal, onProgress }: HubOptions): typeof fetch {
  return async (input, init) => {
    const response = await fetch(input, signal ? { ...init, signal } : init);
    if (!onProgress || !response.body || !response.ok) return response;
    const total = Number(response.headers.get('content-length') ?? 0);
    let loaded = 0;
    const counted = response.body.pipeThrough(
      new TransformStream<Uint8Array, Uint8Array>({
        transform(bytes, controller) {
          loaded += bytes.length;
          onProgress({ file, loaded, total });
          controller.enqueue(bytes);
        },
      }),
    );
    const { status, statusText, headers } = response;
    const watched = new Response(counted, { status, statusText, headers });
    // A Response made by hand forgets where it came from.
    Object.defineProperty(watched, 'url', { value: response.url });
    return watched;
  };
}
