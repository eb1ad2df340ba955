/** Redis and BullMQ, which are optional peers: loaded when a queue in Redis is used. */
import type * as Bull from 'bullmq';
import type * as Ioredis from 'ioredis';
import { JobError } from '../../errors.js';
import { importPeer } from '../../optional-peer.js';
import { expected } from '../../options.js';

const REMEDY = 'Install what queues in Redis need: npm install bullmq ioredis';
/** Longest pause between two attempts to connect, in milliseconds. */
const LONGEST_PAUSE = 2000;
/** Milliseconds in which the first connection must be there. */
const FIRST = 5000;

/** An open connection, and the packages. */
export interface RedisAccess {
  bull: typeof Bull;
  client: Ioredis.Redis;
  /** For BullMQ, which opens more where it waits. */
  connection: Bull.ConnectionOptions;
}

/** @throws {@link ArgumentError} for anything but `redis://` and `rediss://`. */
export function checkRedisUrl(url: unknown): string {
  const text = url ?? process.env.PARAKEET_REDIS;
  if (typeof text === 'string' && /^rediss?:\/\/./i.test(text)) return text;
  throw expected(
    'redis://HOST:PORT or rediss://HOST:PORT',
    'url',
    typeof text === 'string' ? withoutPassword(text) : text,
    'Or set PARAKEET_REDIS.',
  );
}

/**
 * Connects. From then on commands wait while Redis is away.
 *
 * @throws {@link DependencyError} without the packages. @throws {@link JobError} `ERR_PARAKEET_JOB_QUEUE` when Redis does not answer.
 */
export async function connectRedis(url: string): Promise<RedisAccess> {
  const bull = await importPeer<typeof Bull>('bullmq', 'works through queues in Redis', REMEDY);
  const { Redis } = await importPeer<typeof Ioredis>('ioredis', 'speaks to Redis', REMEDY);
  const client = new Redis(url, {
    // BullMQ's condition: its commands wait as long as it takes.
    maxRetriesPerRequest: null,
    retryStrategy: (attempt) => Math.min(100 * attempt, LONGEST_PAUSE),
  });
  let last: Error | undefined;
  client.on('error', (error: Error) => {
    last = error;
  });
  let limit: NodeJS.Timeout | undefined;
  const tooLate = new Promise<never>((_, reject) => {
    limit = setTimeout(() => reject(unreachable(url, last)), FIRST);
  });
  try {
    await Promise.race([client.ping(), tooLate]);
  } catch (error) {
    client.disconnect();
    throw error instanceof JobError ? error : unreachable(url, error as Error);
  } finally {
    clearTimeout(limit);
  }
  return { bull, client, connection: client as unknown as Bull.ConnectionOptions };
}

/** A queue in Redis. While Redis is away its commands wait. */
export function openQueue<Data, Result>(
  { bull, connection }: Pick<RedisAccess, 'bull' | 'connection'>,
  name: string,
): Bull.Queue<Data, Result> {
  const queue: Bull.Queue<Data, Result> = new bull.Queue(name, { connection });
  queue.on('error', () => {});
  return queue;
}

function unreachable(url: string, cause: Error | undefined): JobError {
  return new JobError(
    'ERR_PARAKEET_JOB_QUEUE',
    `Expected Redis at ${withoutPassword(url)} but ${cause ? `it cannot be used: ${cause.message}` : 'it does not answer'}. ` +
      'Check the address, and that the server runs.',
    cause && { cause },
  );
}

/** An address for messages. */
function withoutPassword(url: string): string {
  return url.replace(/\/\/[^@/]*@/, '//');
}
