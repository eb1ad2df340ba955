/** Live transcripts in a real Redis: whose they are, commands that are sent twice, and data that Redis has lost. */
import { Redis } from 'ioredis';
import { afterAll, afterEach, beforeAll, expect, test, vi } from 'vitest';
import { SoundKeeper } from '../../../src/server/cluster/sound-keeper.js';
import { noRedis, RedisServer } from '../../support/redis-server.js';

let redis: RedisServer;
let keeper: SoundKeeper;
let client: Redis;
if (!noRedis) {
  beforeAll(async () => {
    redis = await RedisServer.start();
    keeper = await SoundKeeper.open(redis.url);
    client = redis.client();
  });
  afterEach(() => redis.empty());
  afterAll(async () => {
    keeper.close();
    client.disconnect();
    await redis.stop();
  });
}

const withRedis = test.skipIf(noRedis);
const HASH = 'parakeet:live:session-1';
const SOUND = `${HASH}:sound`;

/** A new transcript, and how often it was told that another server has it. */
async function begun() {
  const kept = await keeper.begin('session-1', 'Anna', '{}');
  kept.onTaken = vi.fn();
  return kept;
}

/** What Redis does after all that was sent before. */
const taken = () => keeper.take('session-1', 'Anna');

withRedis('a command that is sent again adds nothing', async () => {
  const kept = await begun();
  const { callBuffer } = Redis.prototype;
  const twice = vi.spyOn(Redis.prototype, 'callBuffer').mockImplementation(function (
    this: Redis,
    ...args: Parameters<Redis['callBuffer']>
  ) {
    void callBuffer.apply(this, args);
    return callBuffer.apply(this, args);
  });
  kept.append(Buffer.from('one '));
  kept.save(Buffer.from('snapshot'), 2);
  kept.append(Buffer.from('two'));
  twice.mockRestore();
  const found = await taken();
  expect(String(found?.sound)).toBe('e two');
  expect(found?.from).toBe(2);
  expect(String(found?.snapshot)).toBe('snapshot');
  found?.kept.append(Buffer.from(' three'));
  expect(String((await taken())?.sound)).toBe('e two three');
});

withRedis('whoever goes on owns it, and the one before is told', async () => {
  const kept = await begun();
  kept.append(Buffer.from('one '));
  const other = await taken();
  kept.append(Buffer.from('late '));
  other?.kept.append(Buffer.from('two'));
  expect(String((await taken())?.sound)).toBe('one two');
  expect(kept.onTaken).toHaveBeenCalledOnce();
  expect(await keeper.take('session-1', 'Ben')).toBeUndefined();
});

withRedis('a transcript that Redis has lost goes on', async () => {
  const kept = await begun();
  kept.append(Buffer.from('one '));
  await client.flushall();
  kept.append(Buffer.from('two'));
  kept.save(Buffer.from('snapshot'), 2);
  expect(await taken()).toBeUndefined();
  expect(kept.onTaken).not.toHaveBeenCalled();
  expect(await client.keys('*')).toEqual([]);
});

withRedis('what comes behind a hole is left to the client', async () => {
  const kept = await begun();
  kept.append(Buffer.from('one '));
  vi.spyOn(Redis.prototype, 'callBuffer').mockRejectedValueOnce(new Error('OOM'));
  kept.append(Buffer.from('two '));
  vi.restoreAllMocks();
  kept.append(Buffer.from('three'));
  const found = await taken();
  expect(String(found?.sound)).toBe('one ');
});

withRedis('each sign of life keeps all of it for longer', async () => {
  const kept = await begun();
  kept.append(Buffer.from('one '));
  await taken();
  const again = (await taken())?.kept;
  for (const sign of [
    () => again?.touch(),
    () => again?.save(Buffer.from('s'), 0),
    () => again?.save(Buffer.from('s'), 2),
  ]) {
    await client.expire(HASH, 10);
    await client.expire(SOUND, 10);
    sign();
    await vi.waitFor(async () => {
      expect(await client.ttl(HASH)).toBeGreaterThan(100);
      expect(await client.ttl(SOUND)).toBeGreaterThan(100);
    });
  }
});
