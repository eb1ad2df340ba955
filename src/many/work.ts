/**
 * The work on one recording, in steps that any worker of the same identity can do: plan it, hear a window, finish it. Which worker does
 * which step, and when, is up to a queue.
 */

import { AudioError } from '../errors.js';
import type { StreamStats, TranscriptResult } from '../events.js';
import { resolveDecoding } from '../model/decoding.js';
import type { LoadedModel } from '../model/loaded-model.js';
import { type WindowSpan, windowSpans } from '../recordings/window-plan.js';
import { hearWindow } from '../recordings/window-tokens.js';
import { Gate } from './gate.js';
import { type HeardRecording, type StoredWindow, storeWindow } from './heard.js';
import { identityOf, mixedIdentity, type WorkerIdentity } from './identity.js';
import { keyOf, type RecordingJob, type RecordingPlan } from './recording.js';
import { decodingOf, render, windowPlanOf } from './render.js';
import { SampleStore } from './samples/sample-store.js';
import { changed } from './source/source.js';
import { targetOf } from './target/target.js';

/**
 * Seconds of sound that run together: a GPU is full with this many. On a CPU a batch is no faster, and what runs beside a window may change
 * the last bits of its confidences.
 */
const BATCH_SECONDS = { cpu: 0, gpu: 1920 };

/** What became of a recording. Plain JSON. */
export interface Outcome {
  /** `'found'`: it had been transcribed before, with the same options. */
  status: 'done' | 'found';
  key: string;
  /** Where the transcripts are. */
  outputs: string[];
  stats: Pick<StreamStats, 'audioSeconds' | 'computeSeconds'> & { windows: number };
  /** With `collect`. */
  result?: TranscriptResult;
}

export class Work {
  readonly identity: WorkerIdentity;
  readonly #samples: SampleStore;
  readonly #gate: Gate;

  /** @param folder Where files are kept for a while. */
  constructor(
    private readonly model: LoadedModel,
    folder?: string,
  ) {
    this.identity = identityOf(model);
    this.#samples = new SampleStore(model.sampleRate, folder);
    this.#gate = new Gate(BATCH_SECONDS[model.info.device]);
  }

  /**
   * Finds out what there is to do.
   *
   * @param known The hash of the source's content, if it is known to be the same as before.
   */
  plan(job: RecordingJob, signal: AbortSignal | undefined, known?: string): Promise<RecordingPlan> {
    const { hearing } = job;
    return this.#samples.use(job.source, hearing.input ?? {}, signal, async ({ samples, size, hash }) => {
      if (samples.length === 0)
        throw new AudioError('ERR_PARAKEET_INVALID_AUDIO', 'Expected sound but there are no samples in it');
      const content = known ?? (await hash());
      const identity = job.mixed ? mixedIdentity(this.identity) : this.identity;
      return {
        content,
        key: keyOf(content, hearing, identity),
        identity,
        ...(size !== undefined && { size }),
        samples: samples.length,
        seconds: samples.length / this.model.sampleRate,
        windows: windowSpans(windowPlanOf(this.model, hearing), samples.length).length,
      };
    });
  }

  /** What was heard before of the same content with the same options; undefined with `force`. */
  async recall(job: RecordingJob, { key, samples }: RecordingPlan): Promise<HeardRecording | undefined> {
    if (job.force || !job.delivery) return undefined;
    const heard = await targetOf(job.delivery.to).recall(key);
    return heard?.samples === samples ? heard : undefined;
  }

  /**
   * Transcribes the window of this number, short ones together with others.
   *
   * @param handBack Aborted: a window that the engine has not begun is given up.
   * @throws {@link JobError} for a source that is another one now.
   */
  async hear(
    job: RecordingJob,
    plan: RecordingPlan,
    window: number,
    signal: AbortSignal | undefined,
    handBack = signal,
  ): Promise<StoredWindow> {
    const { hearing, source } = job;
    const heard = this.#samples.use(source, hearing.input ?? {}, handBack, async ({ samples, size }) => {
      if (samples.length !== plan.samples || (plan.size !== undefined && size !== plan.size))
        throw changed(source);
      const cut = windowPlanOf(this.model, hearing);
      const { from, to, last } = windowSpans(cut, plan.samples)[window] as WindowSpan;
      const part = await samples.read(from, to, handBack);
      const options = {
        plan: cut,
        decoding: resolveDecoding(this.model.info, decodingOf(this.model, job)),
        last,
        signal,
      };
      const seconds = part.length / this.model.sampleRate;
      return storeWindow(
        await this.#gate.run(seconds, handBack, () => hearWindow(this.model, part, options)),
      );
    });
    return heard.catch((error: unknown) => {
      // Whoever planned it could read it.
      throw error instanceof AudioError ? changed(source) : error;
    });
  }

  /** Writes and delivers the transcript. */
  async finish(
    job: RecordingJob,
    { key }: RecordingPlan,
    heard: HeardRecording,
    { found, signal }: { found: boolean; signal: AbortSignal | undefined },
  ): Promise<Outcome> {
    const { files, result, stats } = await render(this.model, job, heard);
    const { audioSeconds, computeSeconds, steps } = stats;
    const parcel = { key, source: job.source, files, heard, result, audioSeconds };
    const outputs = job.delivery ? await targetOf(job.delivery.to).deliver(parcel, signal) : [];
    return {
      status: found ? 'found' : 'done',
      key,
      outputs,
      stats: { audioSeconds, computeSeconds: found ? 0 : computeSeconds, windows: steps },
      ...(job.collect && { result }),
    };
  }

  /** Windows that are worth having in hand at once. */
  atOnce({ hearing }: RecordingJob): number {
    return windowPlanOf(this.model, hearing).atOnce;
  }

  /** Closes what is open of recordings. The model is its owner's. */
  close(): Promise<void> {
    return this.#samples.close();
  }
}
