/** The names of queues and jobs in Redis, and the data of jobs. */
import { randomBytes } from 'node:crypto';
import { fingerprint, type WorkerIdentity } from '../identity.js';
import { jobId, type RecordingJob, type RecordingPlan } from '../recording.js';

/** The data of a recording's job. */
export interface RecordingData {
  job: RecordingJob;
  /** Once it is planned: its windows are jobs too. */
  plan?: RecordingPlan;
  /** Counts the plans: a repetition makes its windows anew. */
  round: number;
}

/** The data of a window's job. */
export interface WindowData {
  /** The recording's job. */
  recording: string;
  window: number;
}

/** The queue of the windows that workers of an identity transcribe; recordings are in the queue `name` itself. */
export function windowsQueue(name: string, identity: WorkerIdentity): string {
  return `${name}-windows-${fingerprint(identity)}`;
}

/** The channel on which workers hear of recordings that are cancelled. */
export function cancelChannel(name: string): string {
  return `${name}:cancelled`;
}

/** The id of a recording: the same recording with the same options is in the queue once, unless it is forced. */
export function recordingId(job: RecordingJob): string {
  return `r${jobId(job)}${job.force ? `-${randomBytes(4).toString('hex')}` : ''}`;
}

/** The id of a window: the same whoever makes it. */
export function windowId(recording: string, round: number, window: number): string {
  return `${recording}-${round}-${window}`;
}

/** The number of a window by its job's key; undefined for one of another round. */
export function windowOf(key: string, recording: string, round: number): number | undefined {
  const begin = `:${recording}-${round}-`;
  const at = key.lastIndexOf(begin);
  return at < 0 ? undefined : Number(key.slice(at + begin.length));
}
