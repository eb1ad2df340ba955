// How the bytes of a model come over from the hub and into the cache's layout: redirects, ranges, what is there already.
import { mkdirSync, rmSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, test } from 'vitest';
import { fetchFromHub } from '../../src/hub/hub.js';
import { expectWhole, failure, hubCase } from '../support/hub-case.js';
import { COMMIT, CONFIG, FILES, gitHash, REPO, sha256, WEIGHTS } from '../support/hub-server.js';

const at = hubCase();
const { hub } = at;
const fetchIt = (token?: string) => fetchFromHub(REPO, { cacheDir: at.cacheDir, token });
const ranges = () => hub.weightGets.map(({ range }) => range);
const blob = (name: string) => path.join(at.root, 'blobs', name);
const rest = (from: number) => `bytes=${from}-${WEIGHTS.length - 1}`;

/** Puts there what an earlier attempt left of the weights. */
function left(bytes: Uint8Array): void {
  mkdirSync(path.join(at.root, 'blobs'), { recursive: true });
  writeFileSync(blob(`${sha256(WEIGHTS)}.parakeet.incomplete`), bytes);
}

/** The cache as Python's library lays it out: blobs, and relative links to them. */
function asPythonDoes(): string {
  const snapshot = path.join(at.root, 'snapshots', COMMIT);
  for (const folder of ['blobs', 'refs', `snapshots/${COMMIT}`, `.no_exist/${COMMIT}`])
    mkdirSync(path.join(at.root, folder), { recursive: true });
  writeFileSync(path.join(at.root, 'refs', 'main'), COMMIT);
  writeFileSync(path.join(at.root, '.no_exist', COMMIT, 'streaming.json'), '');
  for (const [name, bytes] of Object.entries(FILES)) {
    const hash = bytes === WEIGHTS ? sha256(bytes) : gitHash(bytes);
    writeFileSync(blob(hash), bytes);
    symlinkSync(path.join('..', '..', 'blobs', hash), path.join(snapshot, name));
  }
  return snapshot;
}

describe('a hub that keeps its files elsewhere', () => {
  test('is followed there, without the token', async () => {
    hub.faults = { redirect: true, token: 'hf_secret' };
    await fetchIt('hf_secret');
    expectWhole(at.root);
    const elsewhere = hub.requests.filter((one) => one.elsewhere);
    expect(elsewhere.length).toBeGreaterThan(0);
    for (const one of elsewhere) expect(one.authorization).toBeUndefined();
    for (const one of hub.requests.filter((request) => !request.elsewhere))
      expect(one.authorization).toBe('Bearer hf_secret');
  });

  test('gives the rest of a file that was cut off', async () => {
    hub.faults = { redirect: true };
    left(WEIGHTS.subarray(0, 400_000));
    await fetchIt();
    expect(ranges()).toEqual([rest(400_000)]);
    expectWhole(at.root);
  });

  test('and would rather speak its own protocol is read with plain ranges', async () => {
    hub.faults = { redirect: true, xet: true };
    left(WEIGHTS.subarray(0, 400_000));
    await fetchIt();
    expect(ranges()).toEqual([rest(400_000)]);
    expect(hub.requests.filter((one) => one.path.includes('/xet/'))).toEqual([]);
    expectWhole(at.root);
  });
});

describe('what is continued', () => {
  test.each([
    ['was not of this file', new Uint8Array(400_000), [rest(400_000), '']],
    ['is longer than the file', Buffer.concat([WEIGHTS, CONFIG]), ['']],
    ['is as long, but another', new Uint8Array(WEIGHTS.length), ['']],
    ['is all there', WEIGHTS, []],
  ])('%s', async (_, bytes, asked) => {
    left(bytes);
    await fetchIt();
    expect(ranges()).toEqual(asked);
    expectWhole(at.root);
  });

  test('comes from the beginning when the hub knows no ranges', async () => {
    hub.faults = { ignoreRange: true };
    left(WEIGHTS.subarray(0, 400_000));
    const loaded: number[] = [];
    await fetchFromHub(REPO, { cacheDir: at.cacheDir, onProgress: (one) => loaded.push(one.loaded) });
    expect(ranges()).toEqual([rest(400_000), '']);
    expectWhole(at.root);
    // What is more than the whole is not read.
    expect(loaded.filter((one) => one >= WEIGHTS.length).length).toBeLessThanOrEqual(2);
    expect(Math.max(...loaded)).toBe(WEIGHTS.length);
  });

  test('and is wrong to its end is given up after one more', async () => {
    hub.faults = { corrupt: true };
    left(WEIGHTS.subarray(0, 400_000));
    expect((await failure(fetchIt())).message).toMatch(/has the hash/);
    expect(ranges()).toEqual([rest(400_000), '']);
  });
});

describe('a cache', () => {
  test('that Python filled is taken as it is', async () => {
    expect(asPythonDoes()).toBe(await fetchIt());
    expect(ranges()).toEqual([]);
    expect(await fetchFromHub(REPO, { cacheDir: at.cacheDir, offline: true })).toBe(await fetchIt());
  });

  test('whose file was cut short by a crash gets it anew', async () => {
    asPythonDoes();
    writeFileSync(blob(sha256(WEIGHTS)), WEIGHTS.subarray(0, 1000));
    const folder = await fetchIt();
    expect(statSync(path.join(folder, 'model.safetensors')).size).toBe(WEIGHTS.length);
    expect(ranges()).toEqual(['']);
  });

  test('that has the blob but no name for it is not filled again', async () => {
    rmSync(path.join(asPythonDoes(), 'model.safetensors'));
    await fetchIt();
    expect(ranges()).toEqual([]);
  });
});

test.each([
  ['config.json', 'model.safetensors'],
  ['model.safetensors', 'config.json'],
])('a repository without %s: what was looked for is listed, and what was found', async (without, found) => {
  hub.faults = { without };
  const error = await failure(fetchIt());
  expect(error.code).toBe('ERR_PARAKEET_MODEL_NOT_FOUND');
  expect(error.message).toContain(REPO);
  expect(error.message).toMatch(/looked for config\.json with model\.safetensors or .*\.nemo/);
  expect(error.message).toContain(`there is ${found})`);
});
