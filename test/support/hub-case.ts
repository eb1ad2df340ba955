// The setup of every hub test: a hub, an empty cache, an environment that names no other.
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, expect, vi } from 'vitest';
import { ParakeetError } from '../../src/errors.js';
import { BLOBS, COMMIT, CONFIG, FILES, gitHash, HubServer, REPO_FOLDER } from './hub-server.js';

export interface HubCase {
  hub: HubServer;
  readonly cacheDir: string;
  /** The repository's folder in the cache. */
  readonly root: string;
}

/** Registers the hooks that reset the case for each test. */
export function hubCase(): HubCase {
  const hub = new HubServer();
  let cacheDir = '';
  beforeAll(() => hub.listen());
  afterAll(() => hub.close());
  beforeEach(() => {
    hub.reset();
    cacheDir = mkdtempSync(path.join(tmpdir(), 'parakeet-hub-'));
    vi.stubEnv('HF_ENDPOINT', hub.url);
    vi.stubEnv('HF_TOKEN', '');
    vi.stubEnv('HF_HUB_OFFLINE', '');
  });
  afterEach(() => {
    vi.unstubAllEnvs();
    vi.restoreAllMocks();
    rmSync(cacheDir, { recursive: true, force: true });
  });
  return {
    hub,
    get cacheDir() {
      return cacheDir;
    },
    get root() {
      return path.join(cacheDir, REPO_FOLDER);
    },
  };
}

/** The error of this package that the promise must end with. */
export async function failure(promise: Promise<unknown>): Promise<ParakeetError> {
  const error = await promise.then(
    () => undefined,
    (reason: unknown) => reason,
  );
  expect(error).toBeInstanceOf(ParakeetError);
  return error as ParakeetError;
}

/** The repository is in the cache, byte for byte, and nothing else is. */
export function expectWhole(root: string): void {
  const snapshot = path.join(root, 'snapshots', COMMIT);
  for (const [name, bytes] of Object.entries(FILES))
    expect(readFileSync(path.join(snapshot, name)).equals(bytes), name).toBe(true);
  expect(readdirSync(snapshot).sort()).toEqual(Object.keys(FILES).sort());
  expect(readdirSync(path.join(root, 'blobs')).sort()).toEqual(BLOBS);
  expect(readdirSync(path.join(root, 'refs'))).toEqual(['main']);
  expect(readFileSync(path.join(root, 'refs', 'main'), 'utf8')).toBe(COMMIT);
}

/** The model's weights cannot be found in the cache: the name of a partial file shows that it is incomplete. */
export function expectNoWeights(root: string): void {
  expect(readdirSync(path.join(root, 'snapshots', COMMIT))).not.toContain('model.safetensors');
  const blobs = readdirSync(path.join(root, 'blobs')).filter((name) => name !== gitHash(CONFIG));
  for (const name of blobs) expect(name).toMatch(/\.incomplete$/);
}
