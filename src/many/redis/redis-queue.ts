/** A queue in Redis, seen from whoever hands recordings in. The work is done by workers (redis-worker.ts), on any machine. */
import type * as Bull from 'bullmq';
import { onAbort, throwIfAborted } from '../../abort.js';
import { integer, known } from '../../options.js';
import { errorOf, parseFailure } from '../failure.js';
import { Once } from '../once.js';
import type { TranscriptionQueue } from '../queue.js';
import type { RecordingJob } from '../recording.js';
import { DEFAULT_ATTEMPTS, FIRST_PAUSE } from '../retry.js';
import type { Outcome } from '../work.js';
import { checkRedisUrl, connectRedis, openQueue, type RedisAccess } from './connection.js';
import { type RecordingData, recordingId } from './names.js';
import { checkQueueName } from './queue-name.js';

/** Options of {@link redisQueue}. */
export interface RedisQueueOptions {
  /**
   * The address of Redis, such as `redis://user:password@host:6379/0`.
   * @defaultValue `PARAKEET_REDIS`
   */
  url?: string | undefined;
  /**
   * The queue's name: letters, digits, `_` and `-`.
   * @defaultValue `'parakeet'`
   */
  name?: string | undefined;
  /**
   * Attempts at each recording and each window, 1 to 100.
   * @defaultValue 3
   */
  attempts?: number | undefined;
}

/** Seconds for which Redis remembers recordings that are done, and that failed. */
const REMEMBERED = { done: 7 * 86_400, failed: 30 * 86_400 };
/** Most of them. */
const MOST_REMEMBERED = 100_000;
/** Milliseconds between two looks at a recording whose end was not heard of. */
const LOOK_MS = 5000;
/** Recordings that `transcribeMany` hands in before it waits. */
const APPETITE = 1000;

/**
 * A queue in Redis, on which workers (`parakeet work`, `startWorker`) of any machine work. It connects with the first recording. Needs `bullmq` and
 * `ioredis`, which are optional peers.
 *
 * @throws {@link ArgumentError} for invalid options.
 *
 * @example
 * ```js no-run
 * import { redisQueue, transcribeMany } from 'parakeet-stream/many';
 *
 * const queue = redisQueue({ url: 'redis://127.0.0.1:6379' });
 * const outputs = { to: '/archive/transcripts' };
 * for await (const { source, status } of transcribeMany(['/archive/talk.flac'], { queue, outputs }))
 *   console.log(source, status);
 * await queue.close();
 * ```
 */
export function redisQueue(options: RedisQueueOptions = {}): TranscriptionQueue {
  known('redisQueue', options, ['url', 'name', 'attempts']);
  return new RedisQueue(checkRedisUrl(options.url), {
    name: checkQueueName(options.name),
    attempts: integer('attempts', options.attempts ?? DEFAULT_ATTEMPTS, 1, 100),
  });
}

type RecordingQueue = Bull.Queue<RecordingData, Outcome>;

interface Opened extends RedisAccess {
  queue: RecordingQueue;
  events: Bull.QueueEvents;
}

class RedisQueue implements TranscriptionQueue {
  readonly appetite = APPETITE;
  readonly #url: string;
  readonly #name: string;
  readonly #attempts: number;
  readonly #opened = new Once(() => this.#connect());
  /** What to do when a recording is over. */
  readonly #waiting = new Map<string, Set<() => void>>();

  constructor(url: string, { name, attempts }: { name: string; attempts: number }) {
    this.#url = url;
    this.#name = name;
    this.#attempts = attempts;
  }

  async add(job: RecordingJob) {
    const { queue } = await this.#opened.get();
    const id = recordingId(job);
    const before = await queue.getJob(id);
    // Over: it may have changed since. Whether it has, its content tells.
    if (before && ['completed', 'failed'].includes(await before.getState())) await before.remove();
    await queue.add('recording', { job, round: 0 }, this.#options(id));
    return { id, outcome: (signal?: AbortSignal) => this.#outcome(id, signal) };
  }

  async close(): Promise<void> {
    const opened = await this.#opened.made();
    await opened?.events.close();
    await opened?.queue.close();
    opened?.client.disconnect();
  }

  #options(jobId: string): Bull.JobsOptions {
    return {
      jobId,
      attempts: this.#attempts,
      backoff: { type: 'exponential', delay: FIRST_PAUSE * 1000 },
      removeOnComplete: { age: REMEMBERED.done, count: MOST_REMEMBERED },
      removeOnFail: { age: REMEMBERED.failed },
    };
  }

  async #outcome(id: string, signal: AbortSignal | undefined): Promise<Outcome> {
    const { queue } = await this.#opened.get();
    for (;;) {
      throwIfAborted(signal);
      // Before the look, so that no end is missed between the two.
      const over = this.#over(id, signal);
      // The state before the job: one that is over has its result.
      const state = await queue.getJobState(id);
      const job = await queue.getJob(id);
      if (!job) throw errorOf({ code: 'ERR_PARAKEET_ABORTED', message: 'The recording was cancelled' });
      if (state === 'completed') return job.returnvalue;
      if (state === 'failed') throw errorOf(parseFailure(job.failedReason));
      await over;
    }
  }

  /** Resolves when a recording may be over: Redis says so, or some seconds have passed. */
  #over(id: string, signal: AbortSignal | undefined): Promise<void> {
    return new Promise((resolve) => {
      const done = () => {
        clearTimeout(timer);
        forget?.();
        const all = this.#waiting.get(id);
        all?.delete(done);
        if (all?.size === 0) this.#waiting.delete(id);
        resolve();
      };
      const timer = setTimeout(done, LOOK_MS);
      const forget = signal && onAbort(signal, done);
      const all = this.#waiting.get(id) ?? new Set();
      this.#waiting.set(id, all.add(done));
    });
  }

  async #connect(): Promise<Opened> {
    const access = await connectRedis(this.#url);
    const { bull, connection } = access;
    const queue: RecordingQueue = openQueue(access, this.#name);
    const events = new bull.QueueEvents(this.#name, { connection });
    events.on('error', () => {});
    const over = ({ jobId }: { jobId: string }) => {
      for (const done of this.#waiting.get(jobId) ?? []) done();
    };
    events.on('completed', over).on('failed', over).on('removed', over);
    return { ...access, queue, events };
  }
}
