/**
 * Archives: many recordings, in this process or on many machines. The entry point `parakeet-stream/many`, and nothing else.
 *
 * @module parakeet-stream/many
 */
export { type LocalQueue, type LocalQueueOptions, localQueue } from './local/local-queue.js';
export type { ManyProgress, OutputOptions, TranscribeManyOptions } from './options.js';
export type { QueuedRecording, TranscriptionQueue } from './queue.js';
export { type RecordingResult, transcribeMany } from './transcribe-many.js';
