/**
 * The steps of a recording in Redis: planned by one worker, its windows jobs of their own for workers of the plan's identity, joined by whichever worker takes
 * it when all are there. Each step can be repeated: a worker that died in the middle of one has done no harm.
 */
import type * as Bull from 'bullmq';
import { failureText, parseFailure } from '../failure.js';
import { isStoredWindow, type StoredWindow } from '../heard.js';
import type { WorkerIdentity } from '../identity.js';
import type { RecordingPlan } from '../recording.js';
import { traced } from '../telemetry.js';
import type { Outcome, Work } from '../work.js';
import { openQueue, type RedisAccess } from './connection.js';
import { type RecordingData, type WindowData, windowId, windowOf, windowsQueue } from './names.js';

export type RecordingQueueJob = Bull.Job<RecordingData, Outcome>;
export type WindowQueueJob = Bull.Job<WindowData, StoredWindow>;

/** What a flow works with. */
interface FlowSetup {
  access: RedisAccess;
  work: Work;
  /** The queue's name. */
  name: string;
  /** Aborted when the worker stops: what the engine has not begun is handed back. */
  stop: AbortSignal;
}

/** Milliseconds until a recording is looked at again that workers with another model must finish. */
const ELSEWHERE_MS = 1000;
/** Seconds for which a window that failed is kept. */
const FAILED_KEPT = 86_400;
const GONE = { code: 'ERR_PARAKEET_ABORTED', message: 'The recording is not worked on any more' };

export class Flow {
  readonly #setup: FlowSetup;
  readonly #recordings: Bull.Queue<RecordingData, Outcome>;
  readonly #queues = new Map<string, Bull.Queue<WindowData, StoredWindow>>();

  constructor(setup: FlowSetup) {
    this.#setup = setup;
    this.#recordings = openQueue(setup.access, setup.name);
  }

  /** Works on a recording as far as it can. @throws BullMQ's signs that it goes on later; what kept it from being done. */
  async recording(job: RecordingQueueJob, token: string, signal: AbortSignal): Promise<Outcome> {
    const { source, trace } = job.data.job;
    const attributes = { source, job: job.id as string };
    return traced('parakeet.recording', attributes, trace, async () => {
      const plan = job.data.plan ?? (await this.#plan(job, signal));
      if ('status' in plan) return plan;
      await this.#mustBeOurs(job, plan, token);
      return this.#join(job, plan, token, signal);
    });
  }

  async close(): Promise<void> {
    await Promise.all([...this.#queues.values(), this.#recordings].map((queue) => queue.close()));
  }

  /** The plan of a recording with several windows; any other is done at once. */
  async #plan(job: RecordingQueueJob, signal: AbortSignal): Promise<RecordingPlan | Outcome> {
    const { data } = job;
    const handBack = AbortSignal.any([signal, this.#setup.stop]);
    const plan = await this.#setup.work.plan(data.job, handBack);
    const kept = await this.#setup.work.recall(data.job, plan);
    if (kept) return this.#setup.work.finish(data.job, plan, kept, { found: true, signal });
    if (plan.windows === 1) {
      const heard = await this.#setup.work.hear(data.job, plan, 0, signal, handBack);
      const whole = { samples: plan.samples, windows: [heard] };
      return this.#setup.work.finish(data.job, plan, whole, { found: false, signal });
    }
    await job.updateData({ ...data, plan });
    return plan;
  }

  /** Words are made with the model's vocabulary: a worker with another model leaves it to others. */
  async #mustBeOurs(job: RecordingQueueJob, { identity }: RecordingPlan, token: string): Promise<void> {
    if (
      identity.model === this.#setup.work.identity.model &&
      identity.package === this.#setup.work.identity.package
    )
      return;
    await job.moveToDelayed(Date.now() + ELSEWHERE_MS, token);
    throw new this.#setup.access.bull.DelayedError();
  }

  /** Waits for the windows that are missing, and joins them when all are there. */
  async #join(
    job: RecordingQueueJob,
    plan: RecordingPlan,
    token: string,
    signal: AbortSignal,
  ): Promise<Outcome> {
    const { data } = job;
    await this.#failWith(job, data.round);
    const windows = await this.#heard(job);
    const missing = Array.from({ length: plan.windows }, (_, i) => i).filter((i) => !windows[i]);
    if (missing.length > 0) {
      await this.#addWindows(job, plan, missing);
      if (await job.moveToWaitingChildren(token)) throw new this.#setup.access.bull.WaitingChildrenError();
      // The last of them came meanwhile.
      return this.#join(job, plan, token, signal);
    }
    const heard = { samples: plan.samples, windows: windows as StoredWindow[] };
    return this.#setup.work.finish(data.job, plan, heard, { found: false, signal });
  }

  /** A window has failed after all its attempts: so has the recording, and its other windows are not needed. */
  async #failWith(job: RecordingQueueJob, round: number): Promise<void> {
    const failed = Object.entries(await job.getFailedChildrenValues());
    const own = failed.find(([key]) => windowOf(key, job.id as string, round) !== undefined);
    if (!own) return;
    const { plan: _, ...data } = job.data;
    await job.updateData({ ...data, round: round + 1 });
    await job.removeUnprocessedChildren();
    throw new this.#setup.access.bull.UnrecoverableError(failureText(parseFailure(String(own[1]))));
  }

  async #heard(job: RecordingQueueJob): Promise<(StoredWindow | undefined)[]> {
    const windows: (StoredWindow | undefined)[] = [];
    for (const [key, value] of Object.entries(await job.getChildrenValues())) {
      const window = windowOf(key, job.id as string, job.data.round);
      if (window !== undefined && isStoredWindow(value)) windows[window] = value;
    }
    return windows;
  }

  async #addWindows(job: RecordingQueueJob, plan: RecordingPlan, windows: number[]): Promise<void> {
    const recording = job.id as string;
    const { attempts, backoff } = job.opts;
    const parent = { id: recording, queue: job.queueQualifiedName };
    const queue = this.#windowsQueue(plan.identity);
    await queue.addBulk(
      windows.map((window) => ({
        name: 'window',
        data: { recording, window },
        opts: {
          jobId: windowId(recording, job.data.round, window),
          parent,
          ...(attempts !== undefined && { attempts }),
          ...(backoff !== undefined && { backoff }),
          continueParentOnFailure: true,
          // The recording has its result.
          removeOnComplete: true,
          removeOnFail: { age: FAILED_KEPT },
        },
      })),
    );
  }

  /** Transcribes a window. @throws what kept it from that. */
  async window(job: WindowQueueJob, signal: AbortSignal): Promise<StoredWindow> {
    const { recording, window } = job.data;
    const parent = await this.#recordings.getJob(recording);
    const plan = parent?.data.plan;
    if (!parent || !plan || (await parent.isFailed()))
      throw new this.#setup.access.bull.UnrecoverableError(failureText(GONE));
    const { job: whole } = parent.data;
    const attributes = { source: whole.source, job: recording, window };
    const handBack = AbortSignal.any([signal, this.#setup.stop]);
    return traced('parakeet.window', attributes, whole.trace, () =>
      this.#setup.work.hear(whole, plan, window, signal, handBack),
    );
  }

  #windowsQueue(identity: WorkerIdentity): Bull.Queue<WindowData, StoredWindow> {
    const name = windowsQueue(this.#setup.name, identity);
    const queue = this.#queues.get(name) ?? openQueue<WindowData, StoredWindow>(this.#setup.access, name);
    this.#queues.set(name, queue);
    return queue;
  }
}
