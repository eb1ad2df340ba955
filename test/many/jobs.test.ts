/** Looking after a queue in Redis: lists, retries, cancelled recordings, the dashboard, metrics and traces. */
import { copyFileSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { context, propagation, trace } from '@opentelemetry/api';
import { AsyncLocalStorageContextManager } from '@opentelemetry/context-async-hooks';
import { W3CTraceContextPropagator } from '@opentelemetry/core';
import {
  BasicTracerProvider,
  InMemorySpanExporter,
  SimpleSpanProcessor,
} from '@opentelemetry/sdk-trace-base';
import { afterAll, afterEach, beforeAll, beforeEach, expect, test, vi } from 'vitest';
import { loadModel, type Model } from '../../src/index.js';
import { openJobs, type QueueWorker, redisQueue, startWorker, transcribeMany } from '../../src/many/index.js';
import { WorkerMetrics } from '../../src/many/metrics.js';
import { startServer, stopServers } from '../support/caption-server.js';
import { writeSpeech } from '../support/long-recording.js';
import { noRedis, RedisServer } from '../support/redis-server.js';

const audio = (name: string) => fileURLToPath(new URL(`../audio/${name}`, import.meta.url));
const windows = { duration: 4, overlap: 1 };

let redis: RedisServer;
let model: Model;
let folder: string;
let long: string;
const closing: (() => Promise<unknown>)[] = [];

if (!noRedis) {
  beforeAll(async () => {
    redis = await RedisServer.start();
    model = await loadModel();
    folder = mkdtempSync(path.join(tmpdir(), 'parakeet-jobs-'));
    long = path.join(folder, 'long.wav');
    await writeSpeech(long, { times: 4 });
  });
  beforeEach(() => redis.empty());
  afterEach(async () => {
    for (const close of closing.splice(0).reverse()) await close();
  });
  afterAll(async () => {
    await stopServers();
    await model.close();
    await redis.stop();
    rmSync(folder, { recursive: true, force: true });
  });
}

const withRedis = test.skipIf(noRedis);

async function opened() {
  const jobs = await openJobs({ url: redis.url });
  closing.push(() => jobs.close());
  const queue = redisQueue({ url: redis.url, attempts: 1 });
  closing.push(() => queue.close());
  return { jobs, queue };
}

async function work(onJob?: Parameters<typeof startWorker>[0]['onJob']): Promise<QueueWorker> {
  const worker = await startWorker({ url: redis.url, model, takeover: 1, onJob });
  closing.push(() => worker.stop());
  return worker;
}

withRedis('a list tells where recordings are; one that failed is tried again', async () => {
  const { jobs, queue } = await opened();
  const late = path.join(folder, 'late.flac');
  const first = transcribeMany([late], { queue }).next();
  await vi.waitFor(async () => expect((await jobs.counts()).recordings.waiting).toBe(1));
  await work();
  expect((await first).value).toMatchObject({ status: 'failed' });
  const [failed] = await jobs.list(['failed']);
  expect(failed).toMatchObject({ source: late, state: 'failed', attempts: 1, failure: { code: 'ENOENT' } });
  expect(await jobs.counts()).toMatchObject({ recordings: { failed: 1, done: 0 }, workers: 1 });

  copyFileSync(audio('jfk.flac'), late);
  await jobs.retry([failed?.id as string]);
  await vi.waitFor(async () => expect((await jobs.counts()).recordings.done).toBe(1), { timeout: 20_000 });
  await expect(jobs.retry([failed?.id as string])).rejects.toMatchObject({ code: 'ERR_PARAKEET_JOB_QUEUE' });
  await expect(jobs.retry(['none'])).rejects.toThrow(/none/);
});

withRedis('a planned recording shows its windows, and is cancelled with them', async () => {
  const { jobs, queue } = await opened();
  const result = transcribeMany([long], { queue, windows }).next();
  await work();
  await vi.waitFor(async () => {
    const [planned] = await jobs.list(['planned']);
    expect(planned?.windows?.done).toBeGreaterThan(1);
    expect(planned?.windows?.of).toBeGreaterThan(planned?.windows?.done as number);
    expect(planned?.workers).toContain(model.identity);
  });
  const [planned] = await jobs.list(['planned']);
  await jobs.cancel([planned?.id as string]);
  expect((await result).value).toMatchObject({ status: 'failed', error: { code: 'ERR_PARAKEET_ABORTED' } });
  expect((await jobs.counts()).recordings).toEqual({ waiting: 0, planned: 0, active: 0, done: 0, failed: 0 });
  // The worker is free for others.
  const next = await transcribeMany([audio('jfk.flac')], { queue }).next();
  expect(next.value).toMatchObject({ status: 'done' });
});

withRedis('the server shows the queue at /jobs, and counts it', async () => {
  const { queue } = await opened();
  await work();
  await transcribeMany([audio('jfk.flac')], { queue }).next();
  const { http } = await startServer({ jobs: { url: redis.url } });
  const page = await fetch(`${http}/jobs/`);
  expect(page.status).toBe(200);
  expect(await page.text()).toContain('<html');
  const answer = await fetch(`${http}/jobs/api/queues?page=1&jobsPerPage=10`);
  const listed = (await answer.json()) as { queues: unknown[] };
  expect(listed.queues[0]).toMatchObject({ name: 'parakeet', counts: { completed: 1 } });
  const figures = await (await fetch(`${http}/metrics`)).text();
  expect(figures).toContain('parakeet_queue_recordings{state="done"} 1');
});

withRedis('a worker counts its jobs', async () => {
  const metrics = await WorkerMetrics.create();
  closing.push(() => metrics.close());
  const address = await metrics.listen('127.0.0.1', 0);
  const { queue } = await opened();
  await work((job) => metrics.finished(job));
  for await (const _ of transcribeMany([audio('jfk.flac'), path.join(folder, 'none')], { queue }));
  const text = await (await fetch(address)).text();
  expect(text).toContain('parakeet_jobs_total{kind="recording",status="done"} 1');
  expect(text).toContain('parakeet_job_failures_total{code="ENOENT"} 1');
  expect(text).toMatch(/parakeet_job_audio_seconds_total 11\b/);
  expect((await fetch(address.replace('/metrics', '/'))).status).toBe(404);
});

withRedis('one trace spans whoever hands a recording in, and its workers', async () => {
  const exporter = new InMemorySpanExporter();
  const provider = new BasicTracerProvider({ spanProcessors: [new SimpleSpanProcessor(exporter)] });
  trace.setGlobalTracerProvider(provider);
  context.setGlobalContextManager(new AsyncLocalStorageContextManager().enable());
  propagation.setGlobalPropagator(new W3CTraceContextPropagator());
  try {
    const { queue } = await opened();
    await work();
    const root = trace.getTracer('test').startSpan('archive');
    await context.with(trace.setSpan(context.active(), root), async () => {
      for await (const { status } of transcribeMany([long], { queue, windows: { duration: 30, overlap: 2 } }))
        expect(status).toBe('done');
    });
    root.end();
    const spans = exporter.getFinishedSpans().filter(({ name }) => name.startsWith('parakeet.'));
    const { traceId } = root.spanContext();
    expect(spans.map((span) => span.spanContext().traceId).every((id) => id === traceId)).toBe(true);
    const heard = spans.filter(({ name }) => name === 'parakeet.window');
    expect(heard.map(({ attributes }) => attributes['parakeet.window']).sort()).toEqual([0, 1, 2]);
    // Waiting for its windows is no failure.
    expect(spans.flatMap(({ events }) => events)).toEqual([]);
  } finally {
    trace.disable();
    context.disable();
    propagation.disable();
  }
});
