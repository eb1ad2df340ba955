/**
 * The sinks of this package in one place.
 */
export { type CaptionOptions, captionWriter } from './caption-writer.js';
export type { Destination, SinkTarget } from './destination.js';
export { jsonWriter } from './json-writer.js';
export { type JsonlOptions, jsonlWriter } from './jsonl-writer.js';
export { type FileSinkOptions, Sink, type SinkOptions } from './sink.js';
export { srtWriter } from './srt-writer.js';
export type { SubtitleOptions } from './subtitle-options.js';
export { type SinkLag, type TeeSink, teeWriter } from './tee-writer.js';
export { txtWriter } from './txt-writer.js';
export { vttWriter } from './vtt-writer.js';
export { type WavWriterOptions, wavWriter } from './wav-writer.js';
