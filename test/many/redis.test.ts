/** A queue in a real Redis with workers in this process: flows, failures, cancelled and repeated recordings. */
import { copyFileSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { Queue } from 'bullmq';
import { afterAll, afterEach, beforeAll, beforeEach, expect, test, vi } from 'vitest';
import { loadModel, type Model } from '../../src/index.js';
import { errorOf } from '../../src/many/failure.js';
import {
  type FinishedJob,
  type QueueWorker,
  type RecordingResult,
  redisQueue,
  startWorker,
  type TranscribeManyOptions,
  transcribeMany,
} from '../../src/many/index.js';
import { settleMany } from '../../src/many/options.js';
import { writeSpeech } from '../support/long-recording.js';
import { noRedis, RedisServer } from '../support/redis-server.js';

const audio = (name: string) => fileURLToPath(new URL(`../audio/${name}`, import.meta.url));
const windows = { duration: 6, overlap: 1.5 };

let redis: RedisServer;
let model: Model;
let folder: string;
let long: string;
const workers: QueueWorker[] = [];
const finished: FinishedJob[] = [];

if (!noRedis) {
  beforeAll(async () => {
    redis = await RedisServer.start();
    model = await loadModel();
    folder = mkdtempSync(path.join(tmpdir(), 'parakeet-redis-many-'));
    long = path.join(folder, 'long.wav');
    await writeSpeech(long);
  });
  beforeEach(async () => {
    finished.length = 0;
    await redis.empty();
  });
  afterEach(async () => {
    await Promise.all(workers.splice(0).map((worker) => worker.stop()));
  });
  afterAll(async () => {
    await model.close();
    await redis.stop();
    rmSync(folder, { recursive: true, force: true });
  });
}

const withRedis = test.skipIf(noRedis);

async function work(): Promise<void> {
  const onJob = (job: FinishedJob) => void finished.push(job);
  workers.push(await startWorker({ url: redis.url, model, takeover: 1, onJob }));
}

async function run(sources: string[], options: TranscribeManyOptions = {}, attempts = 1) {
  const queue = redisQueue({ url: redis.url, attempts });
  const results: RecordingResult[] = [];
  try {
    for await (const result of transcribeMany(sources, { queue, windows, ...options })) results.push(result);
  } finally {
    await queue.close();
  }
  return results;
}

withRedis('a long recording becomes a flow, and its transcript is that of one machine', async () => {
  await work();
  await work();
  const [first, second] = await run([long, audio('jfk.flac')], { windows: { duration: 6, overlap: 1.5 } });
  expect(first?.result).toEqual(await model.transcribe(long, { windows }));
  expect(second?.result).toEqual(await model.transcribe(audio('jfk.flac'), { windows }));
  const heard = finished.filter(({ kind, status }) => kind === 'window' && status === 'done');
  expect(heard.length).toBe((first?.stats?.windows as number) + (second?.stats?.windows as number));
});

withRedis('transcripts are written once, and found again by the content', async () => {
  await work();
  const out = path.join(folder, 'out');
  const outputs = { to: out, formats: ['srt', 'json'] as const };
  const [first] = await run([long], { outputs });
  expect(first?.status).toBe('done');
  expect(first?.outputs).toEqual([path.join(out, 'long.srt'), path.join(out, 'long.json')]);
  const before = readFileSync(path.join(out, 'long.srt'), 'utf8');
  const copy = path.join(folder, 'copy.wav');
  copyFileSync(long, copy);
  finished.length = 0;
  const results = await run([long, copy], { outputs });
  expect(results.map(({ status }) => status)).toEqual(['found', 'found']);
  expect(readFileSync(path.join(out, 'copy.srt'), 'utf8')).toBe(before);
  expect(finished.some(({ kind }) => kind === 'window')).toBe(false);
  const [forced] = await run([long], { outputs, force: true });
  expect(forced?.status).toBe('done');
});

withRedis('a poison file fails alone after its attempts, with its typed error', async () => {
  await work();
  const poison = path.join(folder, 'poison.flac');
  writeFileSync(poison, readFileSync(audio('jfk.flac')).subarray(0, 9000));
  const results = await run([poison, audio('af_sky_10.flac'), path.join(folder, 'none.wav')], {}, 2);
  expect(results.map(({ status }) => status)).toEqual(['failed', 'done', 'failed']);
  expect(results[0]?.error).toMatchObject({ code: 'ERR_PARAKEET_INVALID_AUDIO', name: 'AudioError' });
  expect(results[2]?.error?.message).toContain('ENOENT');
  expect(finished.filter(({ status }) => status === 'failed')).toHaveLength(4);
});

withRedis('a recording that changes under way fails, and only that', async () => {
  const file = path.join(folder, 'changing.wav');
  copyFileSync(long, file);
  const queue = redisQueue({ url: redis.url, attempts: 1 });
  const results = transcribeMany([file], { queue, windows, order: 'done' });
  const next = results.next();
  // A worker that plans it and is gone before it hears a window.
  const planner = await startWorker({
    url: redis.url,
    model,
    takeover: 1,
    onJob: ({ kind, status }) => {
      if (kind === 'recording' && status === 'handed on')
        writeFileSync(file, readFileSync(long).subarray(0, 50_044));
    },
  });
  const { value } = await next;
  await planner.stop();
  expect(value).toMatchObject({ status: 'failed', error: { code: 'ERR_PARAKEET_JOB_SOURCE' } });
  await results.return?.();
  await queue.close();
  expect(existsSync(file)).toBe(true);
});

withRedis('windows wait for workers of their identity; a mixed fleet is a choice', async () => {
  const other = await loadModel(undefined, { dtype: 'int8' });
  try {
    const [mixed] = await Promise.all([
      run([long], { mixed: true }),
      work(),
      startWorker({ url: redis.url, model: other, takeover: 1 }).then((worker) => void workers.push(worker)),
    ]);
    expect(mixed[0]?.status).toBe('done');
    expect(mixed[0]?.result?.text.length).toBeGreaterThan(100);
    expect(workers[0]?.identity).not.toEqual(workers[1]?.identity);
    const [strict] = await run([long]);
    const texts = await Promise.all(
      [model, other].map(async (one) => (await one.transcribe(long, { windows })).text),
    );
    expect(texts).toContain(strict?.result?.text);
  } finally {
    await Promise.all(workers.splice(0).map((worker) => worker.stop()));
    await other.close();
  }
});

withRedis('a recording that gets done while it is looked at has its transcript', async () => {
  const queue = redisQueue({ url: redis.url, attempts: 1 });
  const { outcome } = await queue.add(settleMany({}).job(audio('af_sky_10.flac'), 0));
  const { getJob } = Queue.prototype;
  const spy = vi.spyOn(Queue.prototype, 'getJob').mockImplementationOnce(async function (this: Queue, id) {
    const job = await getJob.call(this, id);
    await work();
    await vi.waitUntil(async () => (await job?.getState()) === 'completed', { timeout: 20_000 });
    return job;
  });
  try {
    expect(await outcome()).toMatchObject({ status: 'done' });
  } finally {
    spy.mockRestore();
    await queue.close();
  }
});

withRedis('a queue that could not be reached is tried again', async () => {
  const queue = redisQueue({ url: redis.url, attempts: 1 });
  const job = settleMany({}).job(audio('af_sky_10.flac'), 0);
  await redis.kill();
  await expect(queue.add(job)).rejects.toMatchObject({ code: 'ERR_PARAKEET_JOB_QUEUE' });
  await redis.start();
  expect(await queue.add(job)).toMatchObject({ id: expect.any(String) });
  await queue.close();
});

test('an error of a language model is one again behind a queue', () => {
  const error = errorOf({ code: 'ERR_PARAKEET_INVALID_LANGUAGE_MODEL', message: 'torn' });
  expect(error).toMatchObject({ code: 'ERR_PARAKEET_INVALID_LANGUAGE_MODEL', name: 'ModelError' });
});

withRedis('an address without Redis is an error that says so', async () => {
  const url = 'redis://user:secret@127.0.0.1:1';
  const error = await startWorker({ url, model }).catch((error: Error) => error);
  expect(error).toMatchObject({ code: 'ERR_PARAKEET_JOB_QUEUE' });
  expect((error as Error).message).not.toContain('secret');
});

test('bad options are refused', async () => {
  expect(() => redisQueue({ url: 'http://host' })).toThrow(/redis:/);
  expect(() => redisQueue({ url: 'redis://host', name: 'a:b' })).toThrow(/name/);
  for (const model of [undefined, null, 'name', { addon: 1 }])
    await expect(startWorker({ url: 'redis://host', model } as never)).rejects.toMatchObject({
      code: 'ERR_PARAKEET_INVALID_ARGUMENT',
    });
});
