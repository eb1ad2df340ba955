/**
 * A worker: takes recordings and windows from Redis, as long as it is asked to. A long recording becomes a flow: its windows are jobs of their
 * own, for workers of its identity, and the recording waits for them and joins them. A worker that dies is missed after some seconds, and
 * its jobs are taken over.
 */
import type * as Bull from 'bullmq';
import type { LoadedModel } from '../../model/loaded-model.js';
import { finite, integer, known, received } from '../../options.js';
import { failureOf, failureText, parseFailure } from '../failure.js';
import { isStoredWindow, type StoredWindow } from '../heard.js';
import { mixedIdentity, type WorkerIdentity } from '../identity.js';
import type { RecordingPlan } from '../recording.js';
import { isPermanent } from '../retry.js';
import { traced } from '../telemetry.js';
import { type Outcome, Work } from '../work.js';
import { checkRedisUrl, connectRedis, type RedisAccess } from './connection.js';
import {
  cancelChannel,
  type RecordingData,
  type WindowData,
  windowId,
  windowOf,
  windowsQueue,
} from './names.js';
import { checkQueueName } from './queue-name.js';
import type { RedisQueueOptions } from './redis-queue.js';

/** Options of {@link startWorker}. */
export interface WorkerOptions extends Pick<RedisQueueOptions, 'url' | 'name'> {
  /** A model of `loadModel`. The caller closes it. */
  model: LoadedModel;
  /**
   * Windows in hand at once, 1 to 1000, and as many recordings.
   * @defaultValue 1 on a CPU, 16 on a GPU
   */
  concurrency?: number | undefined;
  /**
   * Seconds after which a worker that has died is missed, 1 to 3600. Others take over between this and twice this time.
   * @defaultValue 30
   */
  takeover?: number | undefined;
  /**
   * Folder for recordings that must be decoded as a whole.
   * @defaultValue the system's folder for temporary files
   */
  scratch?: string | undefined;
  /** Called when a job is over. */
  onJob?: ((job: FinishedJob) => void) | undefined;
}

/** A job that a worker has finished. */
export interface FinishedJob {
  kind: 'recording' | 'window';
  id: string;
  /** `'handed on'`: its windows are jobs now, or another worker must do it. */
  status: 'done' | 'failed' | 'handed on';
  /** Seconds that it took. */
  seconds: number;
  /** Seconds of sound in a recording that is done. */
  audioSeconds?: number;
  /** Of one that failed. */
  failure?: { code: string; message: string };
}

/** A worker that runs. */
export interface QueueWorker {
  /** What decides which windows it takes. */
  readonly identity: WorkerIdentity;
  /** Takes nothing more, finishes the windows that the engine has begun, and hands back the rest. */
  stop(): Promise<void>;
}

/** How often workers may die in the middle of one job. */
const DEATHS = 5;
/** Milliseconds until a recording is looked at again that workers with another model must finish. */
const ELSEWHERE_MS = 1000;
const CONCURRENCY = { cpu: 1, gpu: 16 };

/**
 * Starts a worker of a queue in Redis.
 *
 * @throws {@link ArgumentError} for invalid options. @throws {@link DependencyError} without `bullmq` and `ioredis`. @throws {@link JobError}
 * when Redis does not answer. All as rejections.
 *
 * @example
 * ```js no-run
 * import { loadModel } from 'parakeet-stream';
 * import { startWorker } from 'parakeet-stream/many';
 *
 * const model = await loadModel();
 * const worker = await startWorker({ url: 'redis://127.0.0.1:6379', model });
 * process.once('SIGTERM', async () => {
 *   await worker.stop();
 *   await model.close();
 * });
 * ```
 */
export async function startWorker(options: WorkerOptions): Promise<QueueWorker> {
  known('startWorker', options, ['url', 'name', 'model', 'concurrency', 'takeover', 'scratch', 'onJob']);
  const { model, scratch, onJob } = options;
  if (typeof model !== 'object' || !('addon' in model))
    throw received('a model of loadModel()', 'model', typeof model);
  const settings = {
    name: checkQueueName(options.name),
    concurrency: integer('concurrency', options.concurrency ?? CONCURRENCY[model.info.device], 1, 1000),
    takeover: 1000 * finite('takeover', options.takeover ?? 30, 1, 3600),
    onJob: onJob ?? (() => {}),
  };
  const access = await connectRedis(checkRedisUrl(options.url));
  const worker = new RedisWorker(access, new Work(model, scratch), settings);
  await worker.start();
  return worker;
}

interface Settings {
  name: string;
  concurrency: number;
  takeover: number;
  onJob: (job: FinishedJob) => void;
}

type RecordingQueueJob = Bull.Job<RecordingData, Outcome>;
type WindowQueueJob = Bull.Job<WindowData, StoredWindow>;

class RedisWorker implements QueueWorker {
  readonly identity: WorkerIdentity;
  readonly #access: RedisAccess;
  readonly #work: Work;
  readonly #settings: Settings;
  readonly #recordings: Bull.Queue<RecordingData, Outcome>;
  readonly #workers: Bull.Worker[] = [];
  readonly #queues = new Map<string, Bull.Queue<WindowData, StoredWindow>>();
  /** Aborted when it stops: what the engine has not begun is handed back. */
  readonly #stop = new AbortController();
  /** What runs, by recording. */
  readonly #running = new Map<string, Set<AbortController>>();
  #cancels: RedisAccess['client'] | undefined;
  #stopped: Promise<void> | undefined;

  constructor(access: RedisAccess, work: Work, settings: Settings) {
    this.#access = access;
    this.#work = work;
    this.#settings = settings;
    this.identity = work.identity;
    const { bull, connection } = access;
    this.#recordings = new bull.Queue(settings.name, { connection });
    this.#recordings.on('error', ignore);
  }

  async start(): Promise<void> {
    const { name } = this.#settings;
    this.#cancels = this.#access.client.duplicate();
    this.#cancels.on('error', ignore);
    this.#cancels.on('message', (_channel: string, id: string) => {
      for (const running of this.#running.get(id) ?? []) running.abort();
    });
    await this.#cancels.subscribe(cancelChannel(name));
    // Windows first: recordings that are begun are finished before others are.
    for (const identity of [this.identity, mixedIdentity(this.identity)])
      this.#serve<WindowData, StoredWindow>(windowsQueue(name, identity), 'window', (job, _, signal) =>
        this.#window(job, signal),
      );
    this.#serve<RecordingData, Outcome>(name, 'recording', (job, token, signal) =>
      this.#recording(job, token, signal),
    );
    await Promise.all(this.#workers.map((worker) => worker.waitUntilReady()));
  }

  stop(): Promise<void> {
    this.#stopped ??= this.#end();
    return this.#stopped;
  }

  async #end(): Promise<void> {
    this.#stop.abort();
    await Promise.all(this.#workers.map((worker) => worker.close()));
    await Promise.all([...this.#queues.values(), this.#recordings].map((queue) => queue.close()));
    this.#cancels?.disconnect();
    this.#access.client.disconnect();
    await this.#work.close();
  }

  #serve<Data extends RecordingData | WindowData, Result>(
    queue: string,
    kind: FinishedJob['kind'],
    work: (job: Bull.Job<Data, Result>, token: string, signal: AbortSignal) => Promise<Result>,
  ): void {
    const { bull, connection } = this.#access;
    const { concurrency, takeover, onJob } = this.#settings;
    const process = async (job: Bull.Job<Data, Result>, token = ''): Promise<Result> => {
      const began = performance.now();
      const id = job.id as string;
      const over = (rest: Omit<FinishedJob, 'kind' | 'id' | 'seconds'>) =>
        onJob({ kind, id, seconds: (performance.now() - began) / 1000, ...rest });
      const recording = 'recording' in job.data ? job.data.recording : id;
      const cancel = new AbortController();
      const forget = this.#track(recording, cancel);
      try {
        const result = await work(job, token, cancel.signal);
        const { stats } = result as Partial<Outcome>;
        over({ status: 'done', ...(stats && { audioSeconds: stats.audioSeconds }) });
        return result;
      } catch (error) {
        if (this.#isHandedOn(error)) {
          over({ status: 'handed on' });
          throw error;
        }
        if (error instanceof bull.UnrecoverableError) {
          over({ status: 'failed', failure: parseFailure(error.message) });
          throw error;
        }
        if (this.#stop.signal.aborted && !cancel.signal.aborted && (error as Error).name === 'AbortError') {
          over({ status: 'handed on' });
          await job.moveToWait(token);
          throw new bull.WaitingError();
        }
        const failure = failureOf(error);
        over({ status: 'failed', failure });
        const text = failureText(failure);
        throw isPermanent(error) ? new bull.UnrecoverableError(text) : new Error(text);
      } finally {
        forget();
      }
    };
    const worker = new bull.Worker(queue, process as Bull.Processor, {
      connection,
      concurrency,
      lockDuration: takeover,
      stalledInterval: takeover,
      maxStalledCount: DEATHS,
    });
    // Redis is away: the worker waits, and goes on.
    worker.on('error', ignore);
    this.#workers.push(worker as unknown as Bull.Worker);
  }

  async #recording(job: RecordingQueueJob, token: string, signal: AbortSignal): Promise<Outcome> {
    const { source, trace } = job.data.job;
    const attributes = { source, job: job.id as string };
    return traced('parakeet.recording', attributes, trace, async () => {
      const plan = job.data.plan ?? (await this.#plan(job, signal));
      if ('status' in plan) return plan;
      await this.#mustBeOurs(job, plan, token);
      return this.#join(job, plan, token, signal);
    });
  }

  /** The plan of a recording with several windows; any other is done at once. */
  async #plan(job: RecordingQueueJob, signal: AbortSignal): Promise<RecordingPlan | Outcome> {
    const { data } = job;
    const handBack = AbortSignal.any([signal, this.#stop.signal]);
    const plan = await this.#work.plan(data.job, handBack);
    const kept = await this.#work.recall(data.job, plan);
    if (kept) return this.#work.finish(data.job, plan, kept, { found: true, signal });
    if (plan.windows === 1) {
      const heard = await this.#work.hear(data.job, plan, 0, signal, handBack);
      const whole = { samples: plan.samples, windows: [heard] };
      return this.#work.finish(data.job, plan, whole, { found: false, signal });
    }
    await job.updateData({ ...data, plan });
    return plan;
  }

  /** Words are made with the model's vocabulary: a worker with another model leaves it to others. */
  async #mustBeOurs(job: RecordingQueueJob, { identity }: RecordingPlan, token: string): Promise<void> {
    if (identity.model === this.identity.model && identity.package === this.identity.package) return;
    await job.moveToDelayed(Date.now() + ELSEWHERE_MS, token);
    throw new this.#access.bull.DelayedError();
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
      if (await job.moveToWaitingChildren(token)) throw new this.#access.bull.WaitingChildrenError();
      // The last of them came meanwhile.
      return this.#join(job, plan, token, signal);
    }
    const heard = { samples: plan.samples, windows: windows as StoredWindow[] };
    return this.#work.finish(data.job, plan, heard, { found: false, signal });
  }

  /** A window has failed after all its attempts: so has the recording, and its other windows are not needed. */
  async #failWith(job: RecordingQueueJob, round: number): Promise<void> {
    const failed = Object.entries(await job.getFailedChildrenValues());
    const own = failed.find(([key]) => windowOf(key, job.id as string, round) !== undefined);
    if (!own) return;
    const { plan: _, ...data } = job.data;
    await job.updateData({ ...data, round: round + 1 });
    await job.removeUnprocessedChildren();
    throw new this.#access.bull.UnrecoverableError(failureText(parseFailure(String(own[1]))));
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
          removeOnFail: { age: 86_400 },
        },
      })),
    );
  }

  async #window(job: WindowQueueJob, signal: AbortSignal): Promise<StoredWindow> {
    const { recording, window } = job.data;
    const parent = await this.#recordings.getJob(recording);
    const plan = parent?.data.plan;
    if (!parent || !plan || (await parent.isFailed()))
      throw new this.#access.bull.UnrecoverableError(failureText(GONE));
    const { job: whole } = parent.data;
    const attributes = { source: whole.source, job: recording, window };
    const handBack = AbortSignal.any([signal, this.#stop.signal]);
    return traced('parakeet.window', attributes, whole.trace, () =>
      this.#work.hear(whole, plan, window, signal, handBack),
    );
  }

  #windowsQueue(identity: WorkerIdentity): Bull.Queue<WindowData, StoredWindow> {
    const name = windowsQueue(this.#settings.name, identity);
    const before = this.#queues.get(name);
    if (before) return before;
    const { bull, connection } = this.#access;
    const queue: Bull.Queue<WindowData, StoredWindow> = new bull.Queue(name, { connection });
    queue.on('error', ignore);
    this.#queues.set(name, queue);
    return queue;
  }

  #track(recording: string, cancel: AbortController): () => void {
    const all = this.#running.get(recording) ?? new Set();
    this.#running.set(recording, all.add(cancel));
    return () => {
      all.delete(cancel);
      if (all.size === 0) this.#running.delete(recording);
    };
  }

  #isHandedOn(error: unknown): boolean {
    const { DelayedError, WaitingChildrenError, WaitingError } = this.#access.bull;
    return [DelayedError, WaitingChildrenError, WaitingError].some((kind) => error instanceof kind);
  }
}

const GONE = { code: 'ERR_PARAKEET_ABORTED', message: 'The recording is not worked on any more' };

/** Redis is away: commands wait until it is back. */
function ignore(): void {}
