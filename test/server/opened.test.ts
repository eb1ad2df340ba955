/** What a server has open is closed when it cannot be completed, and what it asks for does not hold it up. */
import { hasSubscribers } from 'node:diagnostics_channel';
import * as prometheus from 'prom-client';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { Admission } from '../../src/server/admission.js';
import { ServerMetrics } from '../../src/server/metrics.js';
import { Opened } from '../../src/server/opened.js';
import { expectIdle, startServer, stopServers, TestSocket } from '../support/caption-server.js';
import { noRedis, RedisServer } from '../support/redis-server.js';

let redis: RedisServer;
if (!noRedis) {
  beforeAll(async () => {
    redis = await RedisServer.start();
  });
  afterAll(() => redis.stop());
}
afterAll(stopServers);

const withRedis = test.skipIf(noRedis);
const NOWHERE = 'redis://127.0.0.1:1';

test('what was opened last is closed first, whatever fails', async () => {
  const closed: number[] = [];
  const opened = new Opened();
  for (const i of [1, 2, 3])
    opened.add(async () => {
      closed.push(i);
      if (i > 1) throw new Error(`no ${i}`);
    });
  await expect(opened.close()).rejects.toThrow('no 3');
  expect(closed).toEqual([3, 2, 1]);
  await opened.close();
  expect(closed).toHaveLength(3);
});

withRedis('a server that cannot be completed leaves nothing open', async () => {
  const client = redis.client();
  const connections = async () =>
    String(await client.client('LIST'))
      .trim()
      .split('\n').length;
  const before = await connections();
  const options = { cluster: { url: redis.url }, jobs: { url: NOWHERE } };
  await expect(startServer(options)).rejects.toMatchObject({ code: 'ERR_PARAKEET_JOB_QUEUE' });
  await vi.waitFor(async () => expect(await connections()).toBe(before));
  expect(hasSubscribers('parakeet-stream:step')).toBe(false);
  client.disconnect();
});

test('a queue that does not answer holds up no figures', async () => {
  const admission = new Admission({ maxStreams: 1, maxFiles: 1, maxQueue: 1 });
  const metrics = new ServerMetrics(prometheus, admission);
  const counts = vi.fn(() => new Promise<never>(() => {}));
  metrics.watchQueue(counts);
  for (let i = 0; i < 2; i++) {
    const { text } = await metrics.read();
    expect(text).toContain('parakeet_live_streams 0');
    expect(text).not.toMatch(/^parakeet_queue_recordings\{/m);
  }
  expect(counts).toHaveBeenCalledOnce();
  metrics.close();
}, 10_000);

withRedis('a page that is left while Redis is asked leaves no live transcript', async () => {
  const server = await startServer({ cluster: { url: redis.url }, idleTimeout: 600 });
  const client = redis.client();
  const socket = await TestSocket.open(`${server.ws}/v1/captions`);
  await client.client('PAUSE', 500);
  socket.send({ type: 'start', sample_rate: 16_000 });
  await new Promise((resolve) => setTimeout(resolve, 100));
  socket.socket.close(1000);
  await new Promise((resolve) => setTimeout(resolve, 600));
  await expectIdle(server);
  client.disconnect();
});

test('a cluster has no draft model', async () => {
  const options = { cluster: { url: NOWHERE }, draftModel: 'other' };
  await expect(startServer(options)).rejects.toMatchObject({ code: 'ERR_PARAKEET_INVALID_ARGUMENT' });
});
