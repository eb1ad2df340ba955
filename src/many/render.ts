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
import { WindowEvents } from '../recordings/window-events.js';
import { planWindows, type WindowPlan, windowSpans } from '../recordings/window-plan.js';
import { JoinedWindows } from '../recordings/window-tokens.js';
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
  const events = Readable.from(eventsOf(model, job.hearing, heard));
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

/** The events of `mode: 'file'`, of windows that were transcribed wherever. */
function* eventsOf(
  model: LoadedModel,
  hearing: HearingOptions,
  { samples, windows }: HeardRecording,
): Generator<TranscriptEvent> {
  const { info, sampleRate } = model;
  const plan = windowPlanOf(model, hearing);
  const joined = new JoinedWindows(info.hop * info.subsamplingFactor, plan.overlap);
  const events = new WindowEvents(model, hearing.decoding);
  const spans = windowSpans(plan, samples);
  if (spans.length !== windows.length)
    throw new RangeError(`Expected ${spans.length} windows but received ${windows.length}`);
  let computeSeconds = 0;
  for (const [i, span] of spans.entries()) {
    const window = windows[i] as HeardRecording['windows'][number];
    computeSeconds += window.computeSeconds;
    joined.push(tokensOf(window), span);
    if (!span.last) yield* events.settled(joined.take(), joined.settledFrames);
  }
  joined.settle(samples);
  const latency = { p50: 0, p95: 0, max: 0 };
  const cost = { audioSeconds: samples / sampleRate, computeSeconds, windows: windows.length, latency };
  yield* events.end(joined.take(), joined.settledFrames, cost);
}

function collector(pieces: Uint8Array[]): Writable {
  return new Writable({
    write(bytes: Uint8Array, _encoding, callback) {
      pieces.push(bytes);
      callback();
    },
  });
}
