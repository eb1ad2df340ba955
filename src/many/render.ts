/**
 * From what was heard to transcripts: the windows are joined exactly as one machine joins them, cut into sentences, and written in each
 * format.
 */
import { Readable, Writable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import type { StreamStats, TranscriptEvent, TranscriptResult } from '../events.js';
import { calibrationOf, type DecodingOptions } from '../model/decoding.js';
import { decodingFor } from '../model/default-decoding.js';
import { settleSilence } from '../model/latency.js';
import type { LoadedModel } from '../model/loaded-model.js';
import { eventsOfWindows } from '../recordings/window-events.js';
import { planWindows, type WindowPlan } from '../recordings/window-plan.js';
import { formatWriter } from '../sinks/formats.js';
import { teeWriter } from '../sinks/tee-writer.js';
import { sentences } from '../transforms/sentences.js';
import { type HeardRecording, tokensOf } from './heard.js';
import type { HearingOptions, OutputFile, RecordingJob } from './recording.js';

/** A transcript in one format. */
export interface RenderedFile extends OutputFile {
  bytes: Uint8Array;
}

/** What {@link render} makes. */
export interface Rendered {
  files: RenderedFile[];
  result: TranscriptResult;
  stats: StreamStats;
}

/** How a model cuts a recording. Through JSON an infinite duration has become null. */
export function windowPlanOf(
  { info }: LoadedModel,
  { windows, silence, language }: HearingOptions,
): WindowPlan {
  const duration = windows && (windows.duration as number | null | undefined);
  const whole = duration === null ? { ...windows, duration: Number.POSITIVE_INFINITY } : windows;
  return planWindows(info, whole, settleSilence(silence), language);
}

/** How a model decodes a recording. Workers of a mixed fleet must do alike, whatever they compute on. */
export function decodingOf(
  { info }: LoadedModel,
  { hearing, mixed }: RecordingJob,
): DecodingOptions | undefined {
  return mixed ? hearing.decoding : decodingFor(info, hearing.decoding, { mode: 'file' });
}

/** The transcript of a recording. */
export async function render(
  model: LoadedModel,
  job: RecordingJob,
  heard: HeardRecording,
): Promise<Rendered> {
  const files = (job.delivery?.files ?? []).map((file) => ({ ...file, pieces: [] as Uint8Array[] }));
  const sinks = files.map(({ format, pieces }) =>
    formatWriter(format, collector(pieces), {}, job.delivery?.subtitles),
  );
  let stats: StreamStats | undefined;
  let result: TranscriptResult | undefined;
  const calibrated = calibrationOf(model.info, job.hearing.decoding) !== undefined;
  const windows = heard.windows.map((window) => ({
    tokens: tokensOf(window),
    computeSeconds: window.computeSeconds,
  }));
  const hearing = { plan: windowPlanOf(model, job.hearing), decoding: job.hearing.decoding };
  const events = Readable.from(eventsOfWindows(model, hearing, heard.samples, windows));
  const last = new Writable({
    objectMode: true,
    write(event: TranscriptEvent, _encoding, callback) {
      if (event.type === 'end') ({ stats, result } = event);
      callback();
    },
  });
  await pipeline(
    events,
    sentences({ ...job.sentences, calibrated, collect: true }),
    teeWriter(last, ...sinks),
  );
  return {
    files: files.map(({ pieces, ...file }) => ({ ...file, bytes: Buffer.concat(pieces) })),
    result: result as TranscriptResult,
    stats: stats as StreamStats,
  };
}

function collector(pieces: Uint8Array[]): Writable {
  return new Writable({
    write(bytes: Uint8Array, _encoding, callback) {
      pieces.push(bytes);
      callback();
    },
  });
}
