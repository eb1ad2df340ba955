/** A queue in this process: one model, several recordings in hand, and a journal from which it goes on after a crash. */
import path from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { throwIfAborted } from '../../abort.js';
import type { ModelClaim } from '../../composition/model-claim.js';
import { checkModel } from '../../composition/options.js';
import { AbortedError, ClosedError } from '../../errors.js';
import type { LoadedModel } from '../../model/loaded-model.js';
import { expected, integer, known } from '../../options.js';
import { claimsOf } from '../../shared-model.js';
import { Gate } from '../gate.js';
import type { StoredWindow } from '../heard.js';
import { Once } from '../once.js';
import type { TranscriptionQueue } from '../queue.js';
import { jobId, type RecordingJob, type RecordingPlan } from '../recording.js';
import { DEFAULT_ATTEMPTS, FIRST_PAUSE, isPermanent } from '../retry.js';
import { traced } from '../telemetry.js';
import { type Outcome, Work } from '../work.js';
import { type Journal, noJournal, openJournal } from './journal.js';

/** Options of {@link localQueue}. */
export interface LocalQueueOptions {
  /**
   * A model of `loadModel`, or the name of one.
   * @defaultValue the bundled model, or the one that `PARAKEET_MODEL` names
   */
  model?: LoadedModel | string | undefined;
  /**
   * The folder whose `.parakeet` has the journal, best that of the outputs.
   * @defaultValue none: after a crash unfinished recordings begin again
   */
  journal?: string | undefined;
  /**
   * Recordings in hand at once, 1 to 1000. The engine makes one batch of short ones; long ones take turns.
   * @defaultValue 8
   */
  concurrency?: number | undefined;
  /**
   * Attempts at each recording, 1 to 100.
   * @defaultValue 3
   */
  attempts?: number | undefined;
}

/** A queue that {@link localQueue} makes. */
export interface LocalQueue extends TranscriptionQueue {
  /** Finishes the windows that are being transcribed, and leaves the rest: its recordings fail with an `AbortedError`. */
  stop(): void;
}

/**
 * A queue that works in this process. The model is loaded with the first recording.
 *
 * @throws {@link ArgumentError} for invalid options.
 *
 * @example
 * ```js
 * import { localQueue, transcribeMany } from 'parakeet-stream/many';
 *
 * const queue = localQueue({ journal: 'out' });
 * const results = transcribeMany(['talk.flac'], { queue, outputs: { to: 'out', formats: ['srt'] } });
 * for await (const { source, status } of results) console.log(source, status);
 * await queue.close();
 * ```
 */
export function localQueue(options: LocalQueueOptions = {}): LocalQueue {
  known('localQueue', options, ['model', 'journal', 'concurrency', 'attempts']);
  checkModel(options.model, 'file');
  const { journal } = options;
  if (journal !== undefined && typeof journal !== 'string') throw expected('a folder', 'journal', journal);
  return new InProcessQueue(claimsOf({ model: options.model }).model, {
    journal,
    concurrency: integer('concurrency', options.concurrency ?? 8, 1, 1000),
    attempts: integer('attempts', options.attempts ?? DEFAULT_ATTEMPTS, 1, 100),
  });
}

interface Settings {
  journal: string | undefined;
  concurrency: number;
  attempts: number;
}

/** What is there once the model is loaded. */
interface Tools {
  claim: ModelClaim;
  work: Work;
  journal: Journal;
}

class InProcessQueue implements LocalQueue {
  readonly #claimModel: () => ModelClaim;
  readonly #settings: Settings;
  readonly #stop = new AbortController();
  readonly #tools = new Once(() => this.#start());
  /** Of recordings. */
  readonly #gate: Gate;
  /** Recordings in hand by their keys: another one with the same content waits, and finds what the first one leaves. */
  readonly #keys = new Map<string, Promise<unknown>>();
  readonly #open = new Set<Promise<unknown>>();
  #stopping = false;
  #closed = false;

  constructor(claimModel: () => ModelClaim, settings: Settings) {
    this.#claimModel = claimModel;
    this.#settings = settings;
    this.#gate = new Gate(settings.concurrency);
  }

  get appetite(): number {
    return 2 * this.#settings.concurrency;
  }

  async add(job: RecordingJob) {
    if (this.#closed) throw new ClosedError('Expected an open queue but it is closed');
    return {
      id: jobId(job),
      outcome: (signal?: AbortSignal) => {
        const all = signal ? AbortSignal.any([signal, this.#stop.signal]) : this.#stop.signal;
        const outcome = this.#gate.run(1, all, () => this.#withRetries(job, all));
        const settled = outcome.catch(() => {}).finally(() => this.#open.delete(settled));
        this.#open.add(settled);
        return outcome;
      },
    };
  }

  stop(): void {
    this.#stopping = true;
  }

  async close(): Promise<void> {
    this.#closed = true;
    this.#stopping = true;
    this.#stop.abort();
    await Promise.all(this.#open);
    const tools = await this.#tools.made();
    await tools?.work.close();
    await tools?.journal.close();
    await tools?.claim.release();
  }

  async #withRetries(job: RecordingJob, signal: AbortSignal): Promise<Outcome> {
    for (let attempt = 1, pause = FIRST_PAUSE; ; attempt++, pause *= 2) {
      this.#mustGoOn(signal);
      try {
        return await traced('parakeet.recording', { source: job.source, attempt }, job.trace, () =>
          this.#transcribe(job, signal),
        );
      } catch (error) {
        if (signal.aborted || isPermanent(error) || attempt >= this.#settings.attempts) throw error;
        await delay(pause * 1000, undefined, { signal }).catch(() => {});
      }
    }
  }

  async #transcribe(job: RecordingJob, signal: AbortSignal): Promise<Outcome> {
    const { work, journal } = await this.#tools.get();
    const known = await journal.contentOf(job.source);
    const plan = await work.plan(job, signal, known);
    if (known === undefined) await journal.sawContent(job.source, plan.content);
    return this.#alone(plan.key, async () => {
      const kept = await work.recall(job, plan);
      if (kept) return work.finish(job, plan, kept, { found: true, signal });
      const windows = await this.#windows(job, plan, signal);
      const outcome = await work.finish(
        job,
        plan,
        { samples: plan.samples, windows },
        { found: false, signal },
      );
      await journal.done(plan.key);
      return outcome;
    });
  }

  /** All windows: those that the journal has, and the others. */
  async #windows(job: RecordingJob, plan: RecordingPlan, signal: AbortSignal): Promise<StoredWindow[]> {
    const { work, journal } = await this.#tools.get();
    const heard = await journal.windowsOf(plan.key);
    const missing = Array.from({ length: plan.windows }, (_, i) => i).filter((i) => !heard.has(i));
    const hear = async () => {
      for (let window = missing.shift(); window !== undefined; window = missing.shift()) {
        this.#mustGoOn(signal);
        const attributes = { source: job.source, window };
        const stored = await traced('parakeet.window', attributes, undefined, () =>
          work.hear(job, plan, window as number, signal),
        );
        heard.set(window, stored);
        if (plan.windows > 1) await journal.heard(plan.key, window, stored);
      }
    };
    const hearer = () =>
      hear().catch((error: unknown) => {
        // The others end with the windows that they have in hand.
        missing.length = 0;
        throw error;
      });
    const hearers = await Promise.allSettled(Array.from({ length: work.atOnce(job) }, hearer));
    const failed = hearers.find((result) => result.status === 'rejected');
    if (failed) throw failed.reason;
    return Array.from({ length: plan.windows }, (_, i) => heard.get(i) as StoredWindow);
  }

  /** After the others with the same key. */
  async #alone<T>(key: string, work: () => Promise<T>): Promise<T> {
    const before = this.#keys.get(key);
    const mine = (before ?? Promise.resolve()).catch(() => {}).then(work);
    this.#keys.set(key, mine);
    try {
      return await mine;
    } finally {
      if (this.#keys.get(key) === mine) this.#keys.delete(key);
    }
  }

  #mustGoOn(signal: AbortSignal): void {
    throwIfAborted(signal);
    if (this.#stopping) throw new AbortedError('The queue was stopped; the same command goes on from here');
  }

  async #start(): Promise<Tools> {
    const { journal: folder } = this.#settings;
    const claim = this.#claimModel();
    try {
      const model = (await claim.model) as LoadedModel;
      const journal = folder === undefined ? noJournal : await openJournal(path.join(folder, '.parakeet'));
      return { claim, work: new Work(model), journal };
    } catch (error) {
      await claim.release();
      throw error;
    }
  }
}
