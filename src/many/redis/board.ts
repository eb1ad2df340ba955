/** The queues of an archive for a dashboard: that of the recordings, and those of the windows, which come with the workers' identities. */
import type * as Bull from 'bullmq';
import type { Outcome } from '../work.js';
import { connectRedis, openQueue, type RedisAccess } from './connection.js';
import { type RecordingData, type WindowData, windowsQueue } from './names.js';
import type { QueueCounts } from './redis-jobs.js';
import { countsOf } from './redis-jobs.js';

/** Recordings whose windows' queues are looked up. */
const LOOKED_AT = 1000;

export class QueueBoard {
  readonly #access: RedisAccess;
  readonly #name: string;
  readonly #recordings: Bull.Queue<RecordingData, Outcome>;
  readonly #windows = new Map<string, Bull.Queue<WindowData>>();

  private constructor(access: RedisAccess, name: string) {
    this.#access = access;
    this.#name = name;
    this.#recordings = openQueue(access, name);
  }

  /** @throws as `openJobs`. */
  static async open(url: string, name: string): Promise<QueueBoard> {
    return new QueueBoard(await connectRedis(url), name);
  }

  /** How many recordings there are of each state. */
  counts(): Promise<QueueCounts> {
    return countsOf(this.#recordings);
  }

  /** All queues that are known by now. */
  async queues(): Promise<Bull.Queue[]> {
    const planned = await this.#recordings.getJobs(['waiting-children', 'completed'], 0, LOOKED_AT - 1);
    for (const job of planned) {
      const plan = job?.data.plan;
      const name = plan && windowsQueue(this.#name, plan.identity);
      if (name !== undefined && !this.#windows.has(name))
        this.#windows.set(name, openQueue(this.#access, name));
    }
    return [this.#recordings, ...this.#windows.values()] as Bull.Queue[];
  }

  async close(): Promise<void> {
    await Promise.all([this.#recordings, ...this.#windows.values()].map((queue) => queue.close()));
    this.#access.client.disconnect();
  }
}
