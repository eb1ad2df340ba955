/** When snapshots of a live transcript are stored: often enough that little is heard again, and never before what they have was sent. */
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { loadModel, type Model } from '../../../src/index.js';
import { ChannelKeeper } from '../../../src/server/cluster/channel-keeper.js';
import { noRedis, RedisServer } from '../../support/redis-server.js';

const RATE = 16_000;
let redis: RedisServer;
let model: Model;
if (!noRedis) {
  beforeAll(async () => {
    redis = await RedisServer.start();
    model = await loadModel();
  });
  afterAll(async () => {
    await model.close();
    await redis.stop();
  });
}

test.skipIf(noRedis)(
  'snapshots that are taken often are stored, and the sound before them goes',
  async () => {
    const keeper = await ChannelKeeper.open(redis.url, { model, latency: 'balanced', every: 0.05 });
    const client = redis.client();
    const input = { format: 's16le', sampleRate: RATE } as const;
    const kept = await keeper.begin('session-1', { client: 'Anna', input, drafts: false });
    kept.stream.resume();
    const second = Buffer.alloc(2 * RATE);
    try {
      for (let i = 0; i < 10; i++) {
        kept.wrote(second);
        await new Promise((resolve) => kept.stream.write(second, resolve));
        await new Promise((resolve) => setTimeout(resolve, 120));
      }
      await vi.waitFor(async () => {
        const from = Number(await client.hget('parakeet:live:session-1', 'from'));
        expect(from).toBeGreaterThan(2 * RATE);
        expect(from + (await client.strlen('parakeet:live:session-1:sound'))).toBe(20 * RATE);
      });
    } finally {
      kept.stream.destroy();
      kept.over(true);
      client.disconnect();
      keeper.close();
    }
  },
);
