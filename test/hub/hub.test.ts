// Models by their hub name, against a hub of our own on this machine that speaks as much of the protocol as is asked for.
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, test, vi } from 'vitest';
import { AbortedError, ModelError, type ParakeetError } from '../../src/errors.js';
import { fetchFromHub, type HubProgress } from '../../src/hub/hub.js';
import { loadModel } from '../../src/load-model.js';
import { expectWhole, failure, hubCase } from '../support/hub-case.js';
import { BLOBS, COMMIT, FILES, REPO, WEIGHTS } from '../support/hub-server.js';
import { expectNothingAliveAtTheEnd, nothingAlive } from '../support/nothing-alive.js';

expectNothingAliveAtTheEnd();

const at = hubCase();
const { hub } = at;

describe('a repository', () => {
  test('is fetched once, into the layout that Hugging Face’s libraries share, and says nothing', async () => {
    const printed = (['log', 'debug', 'info', 'warn'] as const).map((name) =>
      vi.spyOn(console, name).mockImplementation(() => {}),
    );
    const progress: HubProgress[] = [];
    await using model = await loadModel(REPO, {
      cacheDir: at.cacheDir,
      threads: 1,
      onProgress: (one) => progress.push(one),
    });
    expect(model.info.architecture).toBe('ctc');
    expect(hub.weightGets).toHaveLength(1);

    const snapshot = path.join(at.root, 'snapshots', COMMIT);
    for (const [name, bytes] of Object.entries(FILES))
      expect(readFileSync(path.join(snapshot, name)).equals(bytes)).toBe(true);
    expect(readFileSync(path.join(at.root, 'refs', 'main'), 'utf8')).toBe(COMMIT);
    expect(readdirSync(path.join(at.root, 'blobs')).sort()).toEqual(BLOBS);

    const loaded = progress.filter(({ file }) => file === 'model.safetensors').map((one) => one.loaded);
    expect(loaded).toEqual([...loaded].sort((a, b) => a - b));
    expect(progress.at(-1)).toEqual({
      file: 'model.safetensors',
      loaded: WEIGHTS.length,
      total: WEIGHTS.length,
    });

    await using again = await loadModel(REPO, { cacheDir: at.cacheDir, threads: 1 });
    expect(again.info).toEqual(model.info);
    expect(hub.weightGets).toHaveLength(1);
    for (const spy of printed) expect(spy).not.toHaveBeenCalled();
  });

  test('is found under HF_HOME', async () => {
    vi.stubEnv('HF_HUB_CACHE', '');
    vi.stubEnv('HUGGINGFACE_HUB_CACHE', '');
    vi.stubEnv('HF_HOME', at.cacheDir);
    expect(await fetchFromHub(REPO)).toBe(
      path.join(at.cacheDir, 'hub', path.basename(at.root), 'snapshots', COMMIT),
    );
  });

  test('at a commit that is in the cache is not asked for', async () => {
    await fetchFromHub(REPO, { cacheDir: at.cacheDir, revision: COMMIT });
    hub.requests = [];
    await fetchFromHub(REPO, { cacheDir: at.cacheDir, revision: COMMIT });
    expect(hub.requests).toEqual([]);
  });

  test('fetched twice at once is whole', async () => {
    const [a, b] = await Promise.all([
      fetchFromHub(REPO, { cacheDir: at.cacheDir }),
      fetchFromHub(REPO, { cacheDir: at.cacheDir }),
    ]);
    expect(a).toBe(b);
    expectWhole(at.root);
  });

  test('that is private is read with HF_TOKEN', async () => {
    hub.faults = { token: 'hf_secret' };
    const error = await failure(fetchFromHub(REPO, { cacheDir: at.cacheDir }));
    expect(error.code).toBe('ERR_PARAKEET_MODEL_NOT_FOUND');
    expect(error.message).toMatch(/Invalid credentials.*HF_TOKEN/);
    vi.stubEnv('HF_TOKEN', 'hf_secret');
    expect(existsSync(await fetchFromHub(REPO, { cacheDir: at.cacheDir }))).toBe(true);
  });

  test.each([
    ['that is not there', 'someone/else', {}, /someone\/else.*Repository not found/],
    ['at a revision that is not there', REPO, { revision: 'v9' }, /'v9'.*Invalid rev id/],
  ])('%s', async (_, repo, options, said) => {
    const error = await failure(loadModel(repo, { cacheDir: at.cacheDir, ...options }));
    expect(error).toBeInstanceOf(ModelError);
    expect(error.code).toBe('ERR_PARAKEET_MODEL_NOT_FOUND');
    expect(error.message).toMatch(said);
  });

  test('without weights', async () => {
    hub.faults = { without: 'model.safetensors' };
    const error = await failure(loadModel(REPO, { cacheDir: at.cacheDir }));
    expect(error.code).toBe('ERR_PARAKEET_MODEL_NOT_FOUND');
    expect(error.message).toMatch(
      /has no model that can be read \(looked for config\.json with model\.safetensors or .*\.nemo; there is config\.json\)/,
    );
  });
});

describe('a download', () => {
  test('that breaks off goes on where it stopped', async () => {
    hub.faults = { cutAt: 300_000 };
    const folder = await fetchFromHub(REPO, { cacheDir: at.cacheDir });
    expect(readFileSync(path.join(folder, 'model.safetensors')).equals(WEIGHTS)).toBe(true);
    expect(hub.weightGets.length).toBeGreaterThanOrEqual(3);
    for (const { range } of hub.weightGets.slice(1)) expect(range).toMatch(/^bytes=[1-9]\d*-/);
  });

  test('that breaks off again and again is given up, and continued the next time', async () => {
    hub.faults = { cutAt: 50_000 };
    const error = await failure(fetchFromHub(REPO, { cacheDir: at.cacheDir }));
    expect(error.code).toBe('ERR_PARAKEET_MODEL_NOT_FOUND');
    expect(hub.weightGets).toHaveLength(5);
    hub.reset();
    const folder = await fetchFromHub(REPO, { cacheDir: at.cacheDir });
    expect(readFileSync(path.join(folder, 'model.safetensors')).equals(WEIGHTS)).toBe(true);
    expect(hub.weightGets).toHaveLength(1);
    const from = Number(/bytes=(\d+)-/.exec(hub.weightGets[0]?.range ?? '')?.[1]);
    expect(from).toBeGreaterThan(0);
    expect(from).toBeLessThanOrEqual(250_000);
  });

  test('that brings nothing is not tried again', async () => {
    hub.faults = { cutAt: 0 };
    await failure(fetchFromHub(REPO, { cacheDir: at.cacheDir }));
    expect(hub.weightGets).toHaveLength(1);
  });

  test('that is not what the hub said is thrown away', async () => {
    hub.faults = { corrupt: true };
    const error = await failure(fetchFromHub(REPO, { cacheDir: at.cacheDir }));
    expect(error.message).toMatch(/model.safetensors has the hash \w+ but should have/);
    hub.faults = {};
    const folder = await fetchFromHub(REPO, { cacheDir: at.cacheDir });
    expect(readFileSync(path.join(folder, 'model.safetensors')).equals(WEIGHTS)).toBe(true);
  });

  test('is given up by an abort', async () => {
    hub.faults = { stallAt: 1000 };
    const aborter = new AbortController();
    const loading = loadModel(REPO, {
      cacheDir: at.cacheDir,
      signal: aborter.signal,
      onProgress: ({ file }) => file === 'model.safetensors' && aborter.abort(new Error('enough')),
    });
    const error = await failure(loading);
    expect(error).toBeInstanceOf(AbortedError);
    expect(error.cause).toMatchObject({ message: 'enough' });
    await nothingAlive();
  });

  test('is not begun after an abort', async () => {
    expect(
      await failure(loadModel(REPO, { cacheDir: at.cacheDir, signal: AbortSignal.abort() })),
    ).toBeInstanceOf(AbortedError);
    expect(hub.requests).toEqual([]);
  });
});

describe('without a hub', () => {
  test('HF_HUB_OFFLINE asks the cache only', async () => {
    const folder = await fetchFromHub(REPO, { cacheDir: at.cacheDir });
    hub.requests = [];
    vi.stubEnv('HF_HUB_OFFLINE', '1');
    expect(await fetchFromHub(REPO, { cacheDir: at.cacheDir })).toBe(folder);
    const error = await failure(fetchFromHub(REPO, { cacheDir: at.cacheDir, revision: 'v2' }));
    expect(error.code).toBe('ERR_PARAKEET_MODEL_NOT_FOUND');
    expect(error.message).toContain('HF_HUB_OFFLINE');
    expect(hub.requests).toEqual([]);
  });

  test('HF_HUB_OFFLINE finds what another library fetched', async () => {
    const folder = path.join(at.root, 'snapshots', COMMIT);
    for (const part of [folder, path.join(at.root, 'refs')]) mkdirSync(part, { recursive: true });
    writeFileSync(path.join(at.root, 'refs', 'main'), `${COMMIT}\n`);
    for (const [name, bytes] of Object.entries(FILES)) writeFileSync(path.join(folder, name), bytes);
    vi.stubEnv('HF_HUB_OFFLINE', 'true');
    await using model = await loadModel(REPO, { cacheDir: at.cacheDir, threads: 1 });
    expect(model.info.architecture).toBe('ctc');
  });

  test.each([
    ['cannot be reached', { endpoint: 'http://127.0.0.1:1' }],
    ['is broken', { status: 503 }],
  ])('a hub that %s is stood in for by the cache', async (_, how) => {
    const folder = await fetchFromHub(REPO, { cacheDir: at.cacheDir });
    if ('endpoint' in how) vi.stubEnv('HF_ENDPOINT', how.endpoint);
    else hub.faults = how;
    expect(await fetchFromHub(REPO, { cacheDir: at.cacheDir })).toBe(folder);
    const error = await failure(fetchFromHub('someone/else', { cacheDir: at.cacheDir }));
    expect(error.code).toBe('ERR_PARAKEET_MODEL_NOT_FOUND');
  });
});

test('without the package @huggingface/hub the command that mends it is named', async () => {
  vi.resetModules();
  vi.doMock('@huggingface/hub', () => {
    throw new Error("Cannot find package '@huggingface/hub'");
  });
  const { fetchFromHub: fetchWithout } = await import('../../src/hub/hub.js');
  const error = (await fetchWithout(REPO, { cacheDir: at.cacheDir }).catch(
    (reason: unknown) => reason,
  )) as ParakeetError;
  vi.doUnmock('@huggingface/hub');
  expect(error.code).toBe('ERR_PARAKEET_MISSING_DEPENDENCY');
  expect(error.message).toContain('npm install @huggingface/hub');
});
