/** `parakeet models`: on a cache as Hugging Face's libraries lay it out. Fetching itself is in test/hub/hub.test.ts. */
import { spawnSync } from 'node:child_process';
import { cpSync, existsSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { goldenFolder } from '../support/goldens.js';

const main = fileURLToPath(new URL('../../dist/cli/main.js', import.meta.url));
const cache = mkdtempSync(path.join(tmpdir(), 'parakeet-cache-'));
const commit = 'a'.repeat(40);
const root = path.join(cache, 'models--someone--small-tdt');

beforeAll(() => {
  const snapshot = path.join(root, 'snapshots', commit);
  mkdirSync(snapshot, { recursive: true });
  mkdirSync(path.join(root, 'blobs'));
  mkdirSync(path.join(root, 'refs'));
  writeFileSync(path.join(root, 'refs', 'main'), commit);
  for (const file of ['config.json', 'model.safetensors']) {
    cpSync(path.join(goldenFolder('tdt'), file), path.join(root, 'blobs', file));
    symlinkSync(path.join('..', '..', 'blobs', file), path.join(snapshot, file));
  }
  // What another library keeps is none of ours.
  mkdirSync(path.join(cache, 'models--other--thing', 'snapshots', commit), { recursive: true });
});
afterAll(() => rmSync(cache, { recursive: true, force: true }));

function models(...args: string[]) {
  const env = { PATH: process.env.PATH, HF_HUB_CACHE: cache, HF_ENDPOINT: 'http://127.0.0.1:9' };
  const { status, stdout, stderr } = spawnSync(process.execPath, [main, 'models', ...args], {
    env,
    encoding: 'utf8',
  });
  return { status, stdout, stderr };
}

test('list shows what can be loaded', () => {
  expect(models('list').stdout).toMatch(/^someone\/small-tdt {2}main {2}\d+ MB\n$/);
  const [one, ...others] = JSON.parse(models('list', '--json').stdout) as object[];
  expect(one).toMatchObject({ name: 'someone/small-tdt', revision: 'main', commit });
  expect(others).toEqual([]);
});

test('info describes a model of the cache without asking the hub', () => {
  const { status, stdout } = models('info', 'someone/small-tdt', '--json');
  expect(status).toBe(0);
  expect(JSON.parse(stdout)).toMatchObject({
    architecture: 'tdt',
    sampleRate: 16_000,
    prior: false,
    languageModel: false,
  });
  expect(models('info', 'someone/else')).toMatchObject({
    status: 1,
    stderr: expect.stringContaining('offline'),
  });
});

test('convert writes an archive of NVIDIA as a folder that info describes', () => {
  const nemo = fileURLToPath(new URL('../fixtures/nemo/tdt.nemo', import.meta.url));
  const folder = path.join(cache, 'converted');
  const { status, stdout, stderr } = models('convert', '--dtype', 'int8', nemo, folder);
  expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
  expect(stdout).toMatch(/converted {2}\d MB\n$/);
  expect(JSON.parse(models('info', folder, '--json').stdout)).toMatchObject({
    architecture: 'tdt',
    dtype: 'int8',
  });
  expect(models('convert', nemo, folder)).toMatchObject({
    status: 1,
    stderr: expect.stringContaining('an empty folder'),
  });
  expect(models('convert', nemo).status).toBe(2);
  rmSync(folder, { recursive: true });
});

test('pull says why it cannot, and what is not understood ends with 2', () => {
  expect(models('pull', 'someone/else')).toMatchObject({
    status: 1,
    stderr: expect.stringContaining('ERR_PARAKEET_MODEL_NOT_FOUND'),
  });
  for (const args of [[], ['fetch'], ['rm'], ['list', 'x'], ['pull', 'no id']]) {
    expect(models(...args), args.join(' ')).toMatchObject({ status: 2 });
  }
});

test('rm removes one, and only what is there', () => {
  expect(models('rm', 'someone/else')).toMatchObject({
    status: 1,
    stderr: expect.stringMatching(/There are: someone\/small-tdt/),
  });
  expect(models('rm', '../..')).toMatchObject({ status: 1 });
  expect(models('rm', 'someone/small-tdt')).toMatchObject({
    status: 0,
    stdout: expect.stringMatching(/freed/),
  });
  expect(existsSync(root)).toBe(false);
  expect(models('list').stdout).toBe('');
});
