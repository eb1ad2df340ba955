/** `parakeet enqueue`, `work` and `jobs` as programs, with Redis and without. */
import { type ChildProcessWithoutNullStreams, spawn } from 'node:child_process';
import { once } from 'node:events';
import { copyFileSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { type AddressInfo, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, beforeEach, expect, test, vi } from 'vitest';
import { run as runHere } from '../../src/cli/run.js';
import { fakeTerminal } from '../support/command-line.js';
import { writeSpeech } from '../support/long-recording.js';
import { noRedis, RedisServer } from '../support/redis-server.js';

const main = fileURLToPath(new URL('../../dist/cli/main.js', import.meta.url));
const audio = (name: string) => fileURLToPath(new URL(`../audio/${name}`, import.meta.url));
const root = mkdtempSync(path.join(tmpdir(), 'parakeet-archive-'));
let folder: string;
let redis: RedisServer | undefined;
const running: ChildProcessWithoutNullStreams[] = [];

beforeAll(async () => {
  if (!noRedis) redis = await RedisServer.start();
});
beforeEach(async () => {
  folder = mkdtempSync(path.join(root, 'a-'));
  mkdirSync(path.join(folder, 'sound'));
  for (const name of ['jfk.flac', 'af_sky_10.flac'])
    copyFileSync(audio(name), path.join(folder, 'sound', name));
  await redis?.empty();
});
afterAll(async () => {
  for (const child of running) child.kill('SIGKILL');
  await redis?.stop();
  rmSync(root, { recursive: true, force: true });
});

function start(...args: string[]) {
  const child = spawn(process.execPath, [main, ...args], { cwd: folder });
  running.push(child);
  const said = { stdout: '', stderr: '' };
  for (const name of ['stdout', 'stderr'] as const)
    child[name].setEncoding('utf8').on('data', (text: string) => {
      said[name] += text;
    });
  return { child, said, ended: once(child, 'close').then(([code]) => code as number | null) };
}

/** Runs a command to its end. */
async function run(args: string[], stdin = '') {
  const { child, said, ended } = start(...args);
  child.stdin.end(stdin);
  return { code: await ended, ...said };
}

test('a pattern becomes transcripts; again they are found; one that fails does not stop the others', async () => {
  const first = await run(['enqueue', '-f', 'txt', '--output-dir', 'out', 'sound/*.flac', 'none.wav']);
  expect(first.code).toBe(1);
  expect(first.stderr).toContain('none.wav');
  expect(first.stderr).toContain('ENOENT');
  const out = path.join(folder, 'out');
  expect(first.stdout.trim().split('\n').sort()).toEqual(
    ['af_sky_10.txt', 'jfk.txt'].map((name) => path.join(out, name)),
  );
  expect(readFileSync(path.join(out, 'jfk.txt'), 'utf8')).toContain('country');

  const args = [
    'enqueue',
    '-v',
    '-f',
    'srt',
    '--output-dir',
    'out',
    '--output-template',
    '{index}-{filename}',
    '-',
  ];
  const again = await run(args, 'sound/jfk.flac\nsound/af_sky_10.flac\n');
  expect(again).toMatchObject({ code: 0 });
  expect(again.stderr.match(/transcribed before/g)).toHaveLength(2);
  expect(readdirSync(out).filter((name) => name.endsWith('.srt'))).toEqual(['1-jfk.srt', '2-af_sky_10.srt']);
});

test('a terminal sees how many recordings are done', async () => {
  const { terminal, said, shown } = fakeTerminal();
  const sound = path.join(folder, 'sound');
  const args = [
    'enqueue',
    '--output-dir',
    path.join(folder, 'out'),
    `${sound}/jfk.flac`,
    `${sound}/af_sky_10.flac`,
  ];
  expect(await runHere(args, terminal)).toBe(0);
  expect(said().trim().split('\n')).toHaveLength(2);
  expect(shown()).toMatch(/100 % 2 of 2, 0 found, 0:\d\d of sound/);
});

test('Ctrl-C finishes the window; the same command goes on', async () => {
  await writeSpeech(path.join(folder, 'long.wav'), { times: 4 });
  const args = [
    'enqueue',
    '-f',
    'json',
    '--chunk-duration',
    '5',
    '--overlap-duration',
    '1',
    '--output-dir',
    'out',
    'long.wav',
  ];
  const { child, said, ended } = start(...args);
  const windows = () => {
    try {
      const journal = path.join(folder, 'out', '.parakeet', 'windows');
      const [name = ''] = readdirSync(journal);
      return readFileSync(path.join(journal, name), 'utf8').match(/}\n/g)?.length ?? 0;
    } catch {
      return 0;
    }
  };
  await vi.waitUntil(() => windows() > 1, { timeout: 60_000, interval: 5 });
  child.kill('SIGINT');
  expect(await ended).toBe(130);
  expect(said.stderr).toBe('');
  expect(windows()).toBeGreaterThan(1);
  expect(await run(args)).toMatchObject({ code: 0 });
  expect(readdirSync(path.join(folder, 'out'))).toEqual(['.parakeet', 'long.json']);
});

test.each([
  [['enqueue', '--wait', 'a.wav'], '--redis'],
  [['work'], '--redis'],
  [['jobs', 'list'], '--redis'],
  [['enqueue', 'no*.wav'], 'no*.wav'],
  [['enqueue', '--redis', 'http://host', 'a.wav'], 'redis://'],
  [['enqueue', '--webhook', 'host/hook', 'a.wav'], '--webhook'],
])('%j is not understood', async (args, message) => {
  const { code, stderr } = await run(args);
  expect(code).not.toBe(0);
  expect(stderr).toContain(message);
});

test.skipIf(noRedis)('a worker whose metrics have no port ends, and takes nothing', async () => {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  const { url } = redis as RedisServer;
  const { code, stderr } = await run(['work', '--redis', url, '--metrics-port', String(port)]);
  server.close();
  expect(code).toBe(1);
  expect(stderr).toContain('EADDRINUSE');
});

test.skipIf(noRedis)('recordings through Redis: a worker, and those who look after it', async () => {
  const at = ['--redis', (redis as RedisServer).url];
  const enqueued = await run([
    'enqueue',
    ...at,
    '--attempts',
    '1',
    '--output-dir',
    'out',
    'sound/*.flac',
    'none.wav',
  ]);
  expect(enqueued).toMatchObject({ code: 0, stdout: '3 recordings are in the queue parakeet\n' });
  expect((await run(['jobs', 'list', ...at])).stdout).toContain('0 workers; 0 active, 0 planned, 3 waiting');

  const worker = start('work', ...at, '--takeover', '2', '--metrics-port', '0');
  await vi.waitUntil(() => worker.said.stderr.includes('metrics at'), { timeout: 60_000 });
  const state = async () => {
    const { stdout } = await run(['jobs', 'list', 'done', 'failed', ...at, '--json']);
    return JSON.parse(stdout) as {
      recordings: Record<string, number>;
      jobs: { id: string; state: string }[];
    };
  };
  await vi.waitUntil(async () => (await state()).recordings.done === 2, { timeout: 60_000 });
  await vi.waitUntil(async () => (await state()).recordings.failed === 1, { timeout: 60_000 });
  expect(readdirSync(path.join(folder, 'out')).filter((name) => name.endsWith('.srt'))).toHaveLength(2);
  const failed = await run(['jobs', 'failed', ...at]);
  expect(failed.stdout).toMatch(/failed +\S+none\.wav +ENOENT after 1 attempt: /);
  expect(await run(['jobs', 'retry', ...at])).toMatchObject({
    code: 0,
    stdout: '1 recording back in the queue\n',
  });
  await vi.waitUntil(async () => (await state()).recordings.failed === 1, { timeout: 60_000 });
  const id = (await state()).jobs.find((job) => job.state === 'failed')?.id as string;
  expect(await run(['jobs', 'cancel', ...at, id])).toMatchObject({
    code: 0,
    stdout: '1 recording cancelled\n',
  });
  expect((await run(['jobs', 'cancel', ...at, id])).stderr).toContain('ERR_PARAKEET_JOB_QUEUE');

  const waited = await run(['enqueue', ...at, '--wait', '--output-dir', 'out', 'sound/jfk.flac']);
  expect(waited).toMatchObject({ code: 0, stdout: `${path.join(folder, 'out', 'jfk.srt')}\n` });
  worker.child.kill('SIGTERM');
  expect(await worker.ended).toBe(0);
});
