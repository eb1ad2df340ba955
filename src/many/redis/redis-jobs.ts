/** The jobs of a queue in Redis, for whoever looks after them: what there is, what failed and why, once more, and no more. */
import { setTimeout as delay } from 'node:timers/promises';
import type * as Bull from 'bullmq';
import { JobError } from '../../errors.js';
import { known } from '../../options.js';
import { type Failure, parseFailure } from '../failure.js';
import { describeIdentity } from '../identity.js';
import type { Outcome } from '../work.js';
import { checkRedisUrl, connectRedis, openQueue, type RedisAccess } from './connection.js';
import { cancelChannel, type RecordingData } from './names.js';
import { checkQueueName } from './queue-name.js';
import type { RedisQueueOptions } from './redis-queue.js';

/** Where a recording is. */
export type JobState = 'waiting' | 'planned' | 'active' | 'done' | 'failed';

/** A recording in a queue. */
export interface QueuedJob {
  id: string;
  source: string;
  state: JobState;
  /** Windows that are transcribed, and all of them, once it is planned. */
  windows?: { done: number; of: number };
  /** Seconds of sound, once it is planned. */
  seconds?: number;
  /** Which workers transcribe its windows. */
  workers?: string;
  /** Attempts that were made. */
  attempts: number;
  /** Why it failed. */
  failure?: Failure;
  /** Where its transcripts are. */
  outputs?: string[];
}

/** How many there are of each. */
export interface QueueCounts {
  recordings: Record<JobState, number>;
  /** Workers that take recordings. */
  workers: number;
}

/** A queue's jobs, as {@link openJobs} gives them. */
export interface QueueJobs {
  counts(): Promise<QueueCounts>;
  /** Recordings in these states, the newest first, `limit` of each at most. */
  list(states: readonly JobState[], limit?: number): Promise<QueuedJob[]>;
  /** Puts recordings that failed back into the queue. @throws {@link JobError} for an id that is not there, or did not fail. */
  retry(ids: readonly string[]): Promise<void>;
  /** Takes recordings out of the queue, those that are worked on too. @throws {@link JobError} for an id that is not there. */
  cancel(ids: readonly string[]): Promise<void>;
  close(): Promise<void>;
}

/** BullMQ's names of the states. */
const STATES: Record<JobState, Bull.JobType[]> = {
  waiting: ['wait', 'delayed', 'prioritized'],
  planned: ['waiting-children'],
  active: ['active'],
  done: ['completed'],
  failed: ['failed'],
};
const LIMIT = 100;
/** Milliseconds for workers to let go of what is cancelled, and between two looks. */
const LET_GO_MS = 30_000;
const LOOK_MS = 100;

/**
 * Opens a queue in Redis to look after its jobs.
 *
 * @throws {@link ArgumentError} for invalid options. @throws {@link DependencyError} without `bullmq` and `ioredis`. @throws {@link JobError}
 * when Redis does not answer. All as rejections.
 *
 * @example
 * ```js no-run
 * import { openJobs } from 'parakeet-stream/many';
 *
 * const jobs = await openJobs({ url: 'redis://127.0.0.1:6379' });
 * const failed = await jobs.list(['failed']);
 * for (const { source, failure } of failed) console.log(source, failure.code);
 * await jobs.retry(failed.map(({ id }) => id));
 * await jobs.close();
 * ```
 */
export async function openJobs(options: Pick<RedisQueueOptions, 'url' | 'name'> = {}): Promise<QueueJobs> {
  known('openJobs', options, ['url', 'name']);
  const name = checkQueueName(options.name);
  const access = await connectRedis(checkRedisUrl(options.url));
  return new Jobs(access, name);
}

type RecordingQueueJob = Bull.Job<RecordingData, Outcome>;

class Jobs implements QueueJobs {
  readonly #access: RedisAccess;
  readonly #name: string;
  readonly #queue: Bull.Queue<RecordingData, Outcome>;

  constructor(access: RedisAccess, name: string) {
    this.#access = access;
    this.#name = name;
    this.#queue = openQueue(access, name);
  }

  counts(): Promise<QueueCounts> {
    return countsOf(this.#queue);
  }

  async list(states: readonly JobState[], limit = LIMIT): Promise<QueuedJob[]> {
    const found: QueuedJob[] = [];
    for (const state of states) {
      const jobs = await this.#queue.getJobs(STATES[state], 0, limit - 1);
      for (const job of jobs.slice(0, limit)) if (job) found.push(await this.#describe(job, state));
    }
    return found;
  }

  async retry(ids: readonly string[]): Promise<void> {
    for (const id of ids) {
      const job = await this.#job(id);
      if (!(await job.isFailed())) throw refused(`Expected a recording that failed but ${id} did not`);
      await job.retry('failed', { resetAttemptsMade: true });
    }
  }

  async cancel(ids: readonly string[]): Promise<void> {
    for (const id of ids) {
      const job = await this.#job(id);
      await this.#access.client.publish(cancelChannel(this.#name), id);
      await this.#remove(job);
    }
  }

  async close(): Promise<void> {
    await this.#queue.close();
    this.#access.client.disconnect();
  }

  /** Removed once no worker holds it or one of its windows. */
  async #remove(job: RecordingQueueJob): Promise<void> {
    for (let waited = 0; ; waited += LOOK_MS) {
      try {
        await job.remove({ removeChildren: true });
        return;
      } catch (error) {
        if (waited >= LET_GO_MS)
          throw refused(`Expected ${job.id} to be let go of but ${(error as Error).message}`);
      }
      await this.#access.client.publish(cancelChannel(this.#name), job.id as string);
      await delay(LOOK_MS);
    }
  }

  async #job(id: string): Promise<RecordingQueueJob> {
    const job = await this.#queue.getJob(id);
    if (job) return job;
    throw refused(`Expected the id of a recording in the queue ${this.#name} but received ${id}`);
  }

  async #describe(job: RecordingQueueJob, state: JobState): Promise<QueuedJob> {
    const { plan, job: recording } = job.data;
    const open = plan && state !== 'done' && state !== 'failed';
    const done = open ? ((await job.getDependenciesCount({ processed: true })).processed ?? 0) : 0;
    return {
      id: job.id as string,
      source: recording.source,
      state,
      attempts: job.attemptsMade,
      ...(plan && { seconds: plan.seconds, workers: describeIdentity(plan.identity) }),
      ...(open && { windows: { done, of: plan.windows } }),
      ...(state === 'failed' && { failure: parseFailure(job.failedReason) }),
      ...(state === 'done' && { outputs: job.returnvalue.outputs }),
    };
  }
}

function refused(message: string): JobError {
  return new JobError('ERR_PARAKEET_JOB_QUEUE', `${message}. See parakeet jobs list.`);
}

/** How many recordings there are of each state. */
export async function countsOf(queue: Bull.Queue<RecordingData, Outcome>): Promise<QueueCounts> {
  const all = await queue.getJobCounts(...Object.values(STATES).flat());
  const entries = Object.entries(STATES).map(([state, names]) => [
    state,
    names.reduce((sum, name) => sum + (all[name] ?? 0), 0),
  ]);
  const workers = await queue.getWorkersCount();
  return { recordings: Object.fromEntries(entries) as Record<JobState, number>, workers };
}
