/** What works on recordings: this process, or workers on many machines. */
import type { RecordingJob } from './recording.js';
import type { Outcome } from './work.js';

/** A recording that a queue has taken. */
export interface QueuedRecording {
  /** Its name in the queue. */
  id: string;
  /** Resolves when its transcript is delivered; rejects with what kept it from that. Is to be called once. */
  outcome(signal?: AbortSignal): Promise<Outcome>;
}

/** Takes recordings and works on them. Made by `localQueue` and `redisQueue`. */
export interface TranscriptionQueue {
  /** Hands in a recording. Rejects when the queue cannot be reached. @internal */
  add(job: RecordingJob): Promise<QueuedRecording>;
  /** The recordings beyond which handing in more has no use before some are done. @internal */
  readonly appetite: number;
  /** Frees what is open. What was handed in to workers on other machines goes on. */
  close(): Promise<void>;
}
