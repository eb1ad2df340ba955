// Models by their hub name, against a hub of our own on this machine that speaks as much of the protocol as is asked for.
import { createHash } from 'node:crypto';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { text } from 'node:stream/consumers';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test, vi } from 'vitest';
import { AbortedError, ModelError, ParakeetError } from '../../src/errors.js';
import { fetchFromHub, type HubProgress } from '../../src/model/hub.js';
import { loadModel } from '../../src/model/load-model.js';
import { goldenFolder } from '../support/goldens.js';
import { expectNothingAliveAtTheEnd, nothingAlive } from '../support/nothing-alive.js';

expectNothingAliveAtTheEnd();

const REPO = 'someone/parakeet-golden';
const COMMIT = '0123456789abcdef0123456789abcdef01234567';
const FILES = Object.fromEntries(
  ['config.json', 'model.safetensors'].map((name) => [
    name,
    readFileSync(path.join(goldenFolder('ctc'), name)),
  ]),
) as Record<string, Buffer>;
const WEIGHTS = FILES['model.safetensors'] as Buffer;
const sha256 = (bytes: Buffer) => createHash('sha256').update(bytes).digest('hex');
const gitHash = (bytes: Buffer) =>
  createHash('sha1').update(`blob ${bytes.length}\0`).update(bytes).digest('hex');

interface Faults {
  /** Sends only so many bytes of a body of the weights, then cuts the line. */
  cutAt?: number;
  /** Sends the first bytes of the weights, then nothing more. */
  stall?: boolean;
  /** Changes a byte of the weights. */
  corrupt?: boolean;
  /** Only who has this token gets anything. */
  token?: string;
  /** A file that the repository does not have. */
  without?: string;
  /** The hub is broken. */
  status?: number;
}

let server: Server;
let cacheDir: string;
let faults: Faults = {};
let requests: string[] = [];

/** Whole or partial GETs of the weights, not counting the probe of one byte. */
const weightGets = () => requests.filter((line) => /safetensors/.test(line) && !line.endsWith('bytes=0-0'));

async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
  const { method, url = '', headers } = request;
  requests.push(`${method} ${url.split('?')[0]} ${headers.range ?? ''}`.trim());
  const json = (status: number, body: unknown) => {
    response.writeHead(status, { 'Content-Type': 'application/json' }).end(JSON.stringify(body));
  };
  if (faults.status) return json(faults.status, { error: 'Internal trouble' });
  if (faults.token && headers.authorization !== `Bearer ${faults.token}`) {
    return json(401, { error: 'Invalid credentials' });
  }
  const { pathname } = new URL(url, 'http://hub');
  if (!pathname.includes(REPO)) return json(404, { error: 'Repository not found' });
  if (pathname.startsWith(`/api/models/${REPO}/revision/`)) {
    if (!['main', COMMIT].includes(decodeURIComponent(pathname.split('/').at(-1) as string)))
      return json(404, { error: 'Invalid rev id' });
    return json(200, { _id: '1', id: REPO, sha: COMMIT, lastModified: '2025-01-01T00:00:00.000Z' });
  }
  if (pathname === `/api/models/${REPO}/paths-info/${COMMIT}`) {
    const { paths } = JSON.parse(await text(request)) as { paths: string[] };
    const there = paths.filter((name) => name in FILES && name !== faults.without);
    return json(
      200,
      there.map((name) => {
        const bytes = FILES[name] as Buffer;
        const lfs = { oid: sha256(bytes), size: bytes.length, pointerSize: 130 };
        return {
          type: 'file',
          path: name,
          size: bytes.length,
          oid: gitHash(bytes),
          ...(name === 'model.safetensors' && { lfs }),
        };
      }),
    );
  }
  const name = pathname.replace(`/${REPO}/resolve/${COMMIT}/`, '');
  const bytes = FILES[name];
  if (!bytes) return json(404, { error: 'Entry not found' });
  const [begin, last] = (headers.range?.match(/\d+/g) ?? [0, bytes.length - 1]).map(Number) as [
    number,
    number,
  ];
  const body = Buffer.from(bytes.subarray(begin, last + 1));
  const isWeights = name === 'model.safetensors' && body.length > 1;
  if (isWeights && faults.corrupt) body[body.length - 1] = (body[body.length - 1] as number) ^ 1;
  response.writeHead(headers.range ? 206 : 200, {
    'X-Repo-Commit': COMMIT,
    ETag: `"${gitHash(bytes)}"`,
    'X-Linked-ETag': `"${sha256(bytes)}"`,
    'X-Linked-Size': bytes.length,
    'Accept-Ranges': 'bytes',
    'Content-Length': body.length,
    ...(headers.range && { 'Content-Range': `bytes ${begin}-${last}/${bytes.length}` }),
  });
  if (isWeights && (faults.cutAt || faults.stall)) {
    response.write(body.subarray(0, faults.cutAt ?? 1000), () => {
      if (!faults.stall) setTimeout(() => response.destroy(), 50);
    });
  } else response.end(body);
}

beforeAll(async () => {
  server = createServer((request, response) => void answer(request, response));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
});
afterAll(() => {
  server.closeAllConnections();
  server.close();
});
beforeEach(() => {
  cacheDir = mkdtempSync(path.join(tmpdir(), 'parakeet-hub-'));
  faults = {};
  requests = [];
  vi.stubEnv('HF_ENDPOINT', `http://127.0.0.1:${(server.address() as AddressInfo).port}/`);
  vi.stubEnv('HF_TOKEN', '');
  vi.stubEnv('HF_HUB_OFFLINE', '');
});
afterEach(() => {
  vi.unstubAllEnvs();
  vi.restoreAllMocks();
  rmSync(cacheDir, { recursive: true, force: true });
});

const failure = async (promise: Promise<unknown>) => {
  const error = await promise.then(
    () => undefined,
    (reason: unknown) => reason,
  );
  expect(error).toBeInstanceOf(ParakeetError);
  return error as ParakeetError;
};
const root = () => path.join(cacheDir, 'models--someone--parakeet-golden');

describe('a repository', () => {
  test('is fetched once, into the layout that Hugging Face’s libraries share, and says nothing', async () => {
    const printed = (['log', 'debug', 'info', 'warn'] as const).map((name) =>
      vi.spyOn(console, name).mockImplementation(() => {}),
    );
    const progress: HubProgress[] = [];
    await using model = await loadModel(REPO, {
      cacheDir,
      threads: 1,
      onProgress: (one) => progress.push(one),
    });
    expect(model.info.architecture).toBe('ctc');
    expect(weightGets()).toHaveLength(1);

    const snapshot = path.join(root(), 'snapshots', COMMIT);
    for (const [name, bytes] of Object.entries(FILES))
      expect(readFileSync(path.join(snapshot, name)).equals(bytes)).toBe(true);
    expect(readFileSync(path.join(root(), 'refs', 'main'), 'utf8')).toBe(COMMIT);
    expect(readdirSync(path.join(root(), 'blobs')).sort()).toEqual(
      [gitHash(FILES['config.json'] as Buffer), sha256(WEIGHTS)].sort(),
    );

    const loaded = progress.filter(({ file }) => file === 'model.safetensors').map((one) => one.loaded);
    expect(loaded).toEqual([...loaded].sort((a, b) => a - b));
    expect(progress.at(-1)).toEqual({
      file: 'model.safetensors',
      loaded: WEIGHTS.length,
      total: WEIGHTS.length,
    });

    await using again = await loadModel(REPO, { cacheDir, threads: 1 });
    expect(again.info).toEqual(model.info);
    expect(weightGets()).toHaveLength(1);
    for (const spy of printed) expect(spy).not.toHaveBeenCalled();
  });

  test('is found under HF_HOME', async () => {
    vi.stubEnv('HF_HUB_CACHE', '');
    vi.stubEnv('HUGGINGFACE_HUB_CACHE', '');
    vi.stubEnv('HF_HOME', cacheDir);
    expect(await fetchFromHub(REPO)).toBe(
      path.join(cacheDir, 'hub', path.basename(root()), 'snapshots', COMMIT),
    );
  });

  test('at a commit that is in the cache is not asked for', async () => {
    await fetchFromHub(REPO, { cacheDir, revision: COMMIT });
    requests = [];
    await fetchFromHub(REPO, { cacheDir, revision: COMMIT });
    expect(requests).toEqual([]);
  });

  test('fetched twice at once is whole', async () => {
    const [a, b] = await Promise.all([fetchFromHub(REPO, { cacheDir }), fetchFromHub(REPO, { cacheDir })]);
    expect(a).toBe(b);
    expect(readFileSync(path.join(a, 'model.safetensors')).equals(WEIGHTS)).toBe(true);
  });

  test('that is private is read with HF_TOKEN', async () => {
    faults = { token: 'hf_secret' };
    const error = await failure(fetchFromHub(REPO, { cacheDir }));
    expect(error.code).toBe('ERR_PARAKEET_MODEL_NOT_FOUND');
    expect(error.message).toMatch(/Invalid credentials.*HF_TOKEN/);
    vi.stubEnv('HF_TOKEN', 'hf_secret');
    expect(existsSync(await fetchFromHub(REPO, { cacheDir }))).toBe(true);
  });

  test.each([
    ['that is not there', 'someone/else', {}, /someone\/else.*Repository not found/],
    ['at a revision that is not there', REPO, { revision: 'v9' }, /'v9'.*Invalid rev id/],
  ])('%s', async (_, repo, options, said) => {
    const error = await failure(loadModel(repo, { cacheDir, ...options }));
    expect(error).toBeInstanceOf(ModelError);
    expect(error.code).toBe('ERR_PARAKEET_MODEL_NOT_FOUND');
    expect(error.message).toMatch(said);
  });

  test('without weights', async () => {
    faults = { without: 'model.safetensors' };
    const error = await failure(loadModel(REPO, { cacheDir }));
    expect(error.code).toBe('ERR_PARAKEET_MODEL_NOT_FOUND');
    expect(error.message).toMatch(/has no model.safetensors/);
  });
});

describe('a download', () => {
  test('that broke off goes on where it stopped', async () => {
    faults = { cutAt: 300_000 };
    const error = await failure(fetchFromHub(REPO, { cacheDir }));
    expect(error.code).toBe('ERR_PARAKEET_MODEL_NOT_FOUND');
    faults = {};
    requests = [];
    const folder = await fetchFromHub(REPO, { cacheDir });
    expect(readFileSync(path.join(folder, 'model.safetensors')).equals(WEIGHTS)).toBe(true);
    expect(weightGets()).toHaveLength(1);
    const from = Number(/bytes=(\d+)-/.exec(weightGets()[0] as string)?.[1]);
    expect(from).toBeGreaterThan(0);
    expect(from).toBeLessThanOrEqual(300_000);
  });

  test('that is not what the hub said is thrown away', async () => {
    faults = { corrupt: true };
    const error = await failure(fetchFromHub(REPO, { cacheDir }));
    expect(error.message).toMatch(/model.safetensors has the hash \w+ but should have/);
    faults = {};
    const folder = await fetchFromHub(REPO, { cacheDir });
    expect(readFileSync(path.join(folder, 'model.safetensors')).equals(WEIGHTS)).toBe(true);
  });

  test('is given up by an abort', async () => {
    faults = { stall: true };
    const aborter = new AbortController();
    const loading = loadModel(REPO, {
      cacheDir,
      signal: aborter.signal,
      onProgress: ({ file }) => file === 'model.safetensors' && aborter.abort(new Error('enough')),
    });
    const error = await failure(loading);
    expect(error).toBeInstanceOf(AbortedError);
    expect(error.cause).toMatchObject({ message: 'enough' });
    await nothingAlive();
  });

  test('is not begun after an abort', async () => {
    expect(await failure(loadModel(REPO, { cacheDir, signal: AbortSignal.abort() }))).toBeInstanceOf(
      AbortedError,
    );
    expect(requests).toEqual([]);
  });
});

describe('without a hub', () => {
  test('HF_HUB_OFFLINE asks the cache only', async () => {
    const folder = await fetchFromHub(REPO, { cacheDir });
    requests = [];
    vi.stubEnv('HF_HUB_OFFLINE', '1');
    expect(await fetchFromHub(REPO, { cacheDir })).toBe(folder);
    const error = await failure(fetchFromHub(REPO, { cacheDir, revision: 'v2' }));
    expect(error.code).toBe('ERR_PARAKEET_MODEL_NOT_FOUND');
    expect(error.message).toContain('HF_HUB_OFFLINE');
    expect(requests).toEqual([]);
  });

  test('HF_HUB_OFFLINE finds what another library fetched', async () => {
    const folder = path.join(root(), 'snapshots', COMMIT);
    for (const part of [folder, path.join(root(), 'refs')]) mkdirSync(part, { recursive: true });
    writeFileSync(path.join(root(), 'refs', 'main'), `${COMMIT}\n`);
    for (const [name, bytes] of Object.entries(FILES)) writeFileSync(path.join(folder, name), bytes);
    vi.stubEnv('HF_HUB_OFFLINE', 'true');
    await using model = await loadModel(REPO, { cacheDir, threads: 1 });
    expect(model.info.architecture).toBe('ctc');
  });

  test.each([
    ['cannot be reached', { endpoint: 'http://127.0.0.1:1' }],
    ['is broken', { status: 503 }],
  ])('a hub that %s is stood in for by the cache', async (_, how) => {
    const folder = await fetchFromHub(REPO, { cacheDir });
    if ('endpoint' in how) vi.stubEnv('HF_ENDPOINT', how.endpoint);
    else faults = how;
    expect(await fetchFromHub(REPO, { cacheDir })).toBe(folder);
    const error = await failure(fetchFromHub('someone/else', { cacheDir }));
    expect(error.code).toBe('ERR_PARAKEET_MODEL_NOT_FOUND');
  });
});

test('without the package @huggingface/hub the command that mends it is named', async () => {
  vi.resetModules();
  vi.doMock('@huggingface/hub', () => {
    throw new Error("Cannot find package '@huggingface/hub'");
  });
  const { fetchFromHub: fetchWithout } = await import('../../src/model/hub.js');
  const error = (await fetchWithout(REPO, { cacheDir }).catch((reason: unknown) => reason)) as ParakeetError;
  vi.doUnmock('@huggingface/hub');
  expect(error.code).toBe('ERR_PARAKEET_MISSING_DEPENDENCY');
  expect(error.message).toContain('npm install @huggingface/hub');
});
