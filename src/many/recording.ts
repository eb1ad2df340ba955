/**
 * A recording of an archive as plain data, so that any machine can work on it: where it lies, how it is transcribed, and where its
 * transcripts go; and what became of it.
 */
import { createHash } from 'node:crypto';
import type { InputOptions } from '../audio/input-options.js';
import type { DecodingOptions } from '../model/decoding.js';
import type { SilenceOptions } from '../model/latency.js';
import type { WindowOptions } from '../recordings/window-plan.js';
import type { OutputFormat } from '../sinks/formats.js';
import type { SubtitleOptions } from '../sinks/subtitle-options.js';
import type { SentenceOptions } from '../text/sentence-options.js';
import type { WorkerIdentity } from './identity.js';

/** What decides the tokens, besides the worker's identity. */
export interface HearingOptions {
  input?: InputOptions;
  windows?: WindowOptions;
  language?: string;
  silence?: SilenceOptions;
  decoding?: DecodingOptions;
}

/** One transcript. */
export interface OutputFile {
  /** Its name below the target, such as `talks/monday.srt`. */
  name: string;
  format: OutputFormat;
}

/** Where the transcripts of a recording go. */
export interface Delivery {
  /** A folder, `s3://BUCKET/PREFIX`, or the `http(s)` address of a webhook. */
  to: string;
  files: OutputFile[];
  subtitles?: SubtitleOptions;
}

/** A recording to transcribe, and how. Plain JSON. */
export interface RecordingJob {
  /** An absolute path, an `http(s)` address or `s3://BUCKET/KEY`. */
  source: string;
  hearing: HearingOptions;
  sentences?: SentenceOptions;
  delivery?: Delivery;
  /** The transcript is part of the outcome. */
  collect: boolean;
  /** Transcribe it although its transcript is there. */
  force: boolean;
  /** Workers may differ in everything but the model. */
  mixed: boolean;
  /** The OpenTelemetry context of whoever handed it in. */
  trace?: Record<string, string>;
}

/** What planning has found out. Plain JSON. */
export interface RecordingPlan {
  /** SHA-256 of the source's bytes. */
  content: string;
  /** What is found again: of content, options and identity. */
  key: string;
  identity: WorkerIdentity;
  size?: number;
  /** Samples in all, and seconds. */
  samples: number;
  seconds: number;
  windows: number;
}

/** The key under which what was heard is kept. */
export function keyOf(content: string, hearing: HearingOptions, identity: WorkerIdentity): string {
  const text = JSON.stringify(sorted({ content, hearing, identity }));
  return createHash('sha256').update(text).digest('hex').slice(0, 32);
}

/** The same value, its keys in order: two that are equal give the same JSON, before they went through a queue as JSON and after. */
function sorted(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sorted);
  if (typeof value !== 'object' || value === null) return value;
  const entries = Object.entries(value)
    .filter(([, entry]) => entry !== undefined)
    .sort(([a], [b]) => (a < b ? -1 : 1));
  return Object.fromEntries(entries.map(([key, entry]) => [key, sorted(entry)]));
}

/** A name for the same job, whoever hands it in: letters and digits. */
export function jobId(job: RecordingJob): string {
  const { trace: _, ...rest } = job;
  return createHash('sha256')
    .update(JSON.stringify(sorted(rest)))
    .digest('hex')
    .slice(0, 24);
}
