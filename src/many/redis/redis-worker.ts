/**
 * A worker: takes recordings and windows from Redis, as long as it is asked to. What it does with one is in flow.ts. A worker that dies is missed
 * after some seconds, and its jobs are taken over.
 */
import type * as Bull from 'bullmq';
import type { LoadedModel } from '../../model/loaded-model.js';
import { isModel } from '../../model/stage-model.js';
import { finite, integer, known, received } from '../../options.js';
import { failureOf, failureText, parseFailure } from '../failure.js';
import type { StoredWindow } from '../heard.js';
import { mixedIdentity, type WorkerIdentity } from '../identity.js';
import { isPermanent } from '../retry.js';
import { type Outcome, Work } from '../work.js';
import { checkRedisUrl, connectRedis, type RedisAccess } from './connection.js';
import { Flow } from './flow.js';
import { cancelChannel, type RecordingData, type WindowData, windowsQueue } from './names.js';
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
  if (!isModel(model) || !('addon' in model)) throw received('a model of loadModel()', 'model', typeof model);
  const settings = {
    name: checkQueueName(options.name),
    concurrency: integer('concurrency', options.concurrency ?? CONCURRENCY[model.info.device], 1, 1000),
    takeover: 1000 * finite('takeover', options.takeover ?? 30, 1, 3600),
    onJob: onJob ?? (() => {}),
  };
  const access = await connectRedis(checkRedisUrl(options.url));
  const worker = new RedisWorker(access, new Work(model, scratch), settings);
  try {
    await worker.start();
    return worker;
  } catch (error) {
    await worker.stop();
    throw error;
  }
}

interface Settings {
  name: string;
  concurrency: number;
  takeover: number;
  onJob: (job: FinishedJob) => void;
}

class RedisWorker implements QueueWorker {
  readonly identity: WorkerIdentity;
  readonly #access: RedisAccess;
  readonly #work: Work;
  readonly #settings: Settings;
  readonly #flow: Flow;
  readonly #workers: Bull.Worker[] = [];
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
    this.#flow = new Flow({ access, work, name: settings.name, stop: this.#stop.signal });
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
        this.#flow.window(job, signal),
      );
    this.#serve<RecordingData, Outcome>(name, 'recording', (job, token, signal) =>
      this.#flow.recording(job, token, signal),
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
    await this.#flow.close();
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

/** Redis is away: commands wait until it is back. */
function ignore(): void {}
