/**
 * Archives: many recordings, in this process or on many machines. The entry point `parakeet-stream/many`, and nothing else.
 *
 * @module parakeet-stream/many
 */

export type { OutputFormat } from '../sinks/formats.js';
export { expandSources } from './expand.js';
export type { Failure } from './failure.js';
export type { WorkerIdentity } from './identity.js';
export { type LocalQueue, type LocalQueueOptions, localQueue } from './local/local-queue.js';
export type { ManyProgress, OutputOptions, TranscribeManyOptions } from './options.js';
export type { QueuedRecording, TranscriptionQueue } from './queue.js';
export type { Delivery, HearingOptions, OutputFile, RecordingJob } from './recording.js';
export {
  type JobState,
  openJobs,
  type QueueCounts,
  type QueuedJob,
  type QueueJobs,
} from './redis/redis-jobs.js';
export { type RedisQueueOptions, redisQueue } from './redis/redis-queue.js';
export {
  type FinishedJob,
  type QueueWorker,
  startWorker,
  type WorkerOptions,
} from './redis/redis-worker.js';
export { type RecordingResult, transcribeMany } from './transcribe-many.js';
export type { Outcome } from './work.js';
