/** The options of `transcribeMany`: their meaning, their checks, and the job that they make of a source. */
import path from 'node:path';
import querystring from 'node:querystring';
import { fileURLToPath } from 'node:url';
import { checkTranscription, type TranscriptionOptions } from '../composition/options.js';
import { expected, flag, integer, known, oneOf, optionalSignal } from '../options.js';
import { FORMATS, type OutputFormat } from '../sinks/formats.js';
import { type SubtitleOptions, subtitleRules } from '../sinks/subtitle-options.js';
import type { TranscriptionQueue } from './queue.js';
import type { HearingOptions, OutputFile, RecordingJob } from './recording.js';
import { isHttp, isRemote } from './source/content.js';
import { isS3, s3Place } from './source/s3.js';

/** Where the transcripts of many recordings go. */
export interface OutputOptions {
  /**
   * A folder, `s3://BUCKET/PREFIX`, or the `http(s)` address of a webhook, which gets one signed request a recording. Folders and storage also
   * keep what was heard, so that the same recording is not transcribed twice.
   */
  to: string;
  /**
   * The formats of the transcripts.
   * @defaultValue `['json']`
   */
  formats?: readonly OutputFormat[] | undefined;
  /**
   * The name of a recording's transcripts, without the ending; may have folders in it.
   * @defaultValue the source's name without its ending
   */
  name?: ((source: string, index: number) => string) | undefined;
  /**
   * Layout of `srt` and `vtt`.
   * @defaultValue as `srtWriter`
   */
  subtitles?: Omit<SubtitleOptions, 'signal' | 'offset' | 'append'> | undefined;
}

/** Progress of `transcribeMany`. */
export interface ManyProgress {
  /** Recordings that are over: transcribed, found, failed. */
  done: number;
  found: number;
  failed: number;
  /** Recordings that were taken from the sources so far. */
  taken: number;
  /** Seconds of sound in those that are transcribed or found. */
  audioSeconds: number;
}

/** Options of `transcribeMany`; durations and times are seconds. */
export interface TranscribeManyOptions
  extends Pick<
    TranscriptionOptions,
    'input' | 'language' | 'decoding' | 'sentences' | 'silence' | 'windows' | 'signal'
  > {
  /**
   * Who works on them: `localQueue()`, or `redisQueue()` for workers on many machines. The caller closes it.
   * @defaultValue this process, with the bundled model or the one that `PARAKEET_MODEL` names
   */
  queue?: TranscriptionQueue | undefined;
  /**
   * Recordings in hand at once, 1 to 100,000.
   * @defaultValue as many as the queue has use for
   */
  concurrency?: number | undefined;
  /**
   * `'sources'`: results in the order of the sources; `'done'`: as they come.
   * @defaultValue `'sources'`
   */
  order?: 'sources' | 'done' | undefined;
  /**
   * Where transcripts are written.
   * @defaultValue nowhere: each result has its transcript
   */
  outputs?: OutputOptions | undefined;
  /**
   * Put the transcript into each result.
   * @defaultValue true without `outputs`, else false
   */
  collect?: boolean | undefined;
  /**
   * Transcribe again what the outputs have already.
   * @defaultValue false
   */
  force?: boolean | undefined;
  /**
   * Let the windows of one recording be transcribed on machines of different type, device or instruction set. The text may then differ from
   * that of one machine in a few words.
   * @defaultValue false
   */
  mixed?: boolean | undefined;
  /** Called when a recording is over. */
  onProgress?: ((progress: ManyProgress) => void) | undefined;
}

const keys = [
  'input',
  'language',
  'decoding',
  'sentences',
  'silence',
  'windows',
  'signal',
  'queue',
  'concurrency',
  'order',
  'outputs',
  'collect',
  'force',
  'mixed',
  'onProgress',
] as const;

/** {@link TranscribeManyOptions}, checked. */
export interface ManySettings {
  queue: TranscriptionQueue | undefined;
  concurrency: number | undefined;
  order: 'sources' | 'done';
  signal: AbortSignal | undefined;
  onProgress: TranscribeManyOptions['onProgress'];
  /** @throws {@link ArgumentError} for anything but a path or an address, and for a transcript's name that another source has. */
  job(source: string | URL, index: number): RecordingJob;
}

/** @throws {@link ArgumentError} */
export function settleMany(options: TranscribeManyOptions): ManySettings {
  known('transcribeMany', options, keys);
  const { input, language, decoding, sentences, silence, windows, outputs, queue, onProgress } = options;
  const hearing = { input, language, decoding, silence, windows };
  checkTranscription({ mode: 'file', sentences, ...hearing });
  const delivery = outputs && settleOutputs(outputs);
  if (onProgress !== undefined && typeof onProgress !== 'function')
    throw expected('a function', 'onProgress', onProgress);
  if (queue !== undefined && typeof queue?.add !== 'function')
    throw expected('a queue of localQueue() or redisQueue()', 'queue', queue);
  const common = {
    hearing: withoutUndefined(hearing) as HearingOptions,
    ...(sentences && { sentences: withoutUndefined(sentences) }),
    collect: flag('collect', options.collect ?? outputs === undefined),
    force: flag('force', options.force ?? false),
    mixed: flag('mixed', options.mixed ?? false),
  };
  return {
    queue,
    concurrency:
      options.concurrency === undefined ? undefined : integer('concurrency', options.concurrency, 1, 100_000),
    order: oneOf('order', options.order ?? 'sources', ['sources', 'done']),
    signal: optionalSignal('signal', options.signal),
    onProgress,
    job: (given, index) => {
      const source = settleSource(given);
      return { source, ...common, ...(delivery && { delivery: delivery(source, index) }) };
    },
  };
}

function settleOutputs(
  outputs: OutputOptions,
): (source: string, index: number) => Required<RecordingJob>['delivery'] {
  known('outputs', outputs, ['to', 'formats', 'name', 'subtitles']);
  const { to, formats = ['json'], name = nameOf, subtitles } = outputs;
  if (typeof to !== 'string' || to === '') throw expected('a folder or an address', 'outputs.to', to);
  if (isS3(to)) s3Place(to);
  if (isHttp(to) && !URL.canParse(to)) throw expected('an address', 'outputs.to', to);
  if (!Array.isArray(formats) || formats.length === 0)
    throw expected('a list of formats', 'outputs.formats', formats);
  for (const format of formats as OutputFormat[]) oneOf('outputs.formats', format, FORMATS);
  if (typeof name !== 'function') throw expected('a function', 'outputs.name', name);
  if (subtitles) subtitleRules('outputs.subtitles', subtitles);
  const place = isS3(to) || isHttp(to) ? to : path.resolve(to);
  const taken = new Map<string, string>();
  return (source, index) => {
    const base = name(source, index);
    if (typeof base !== 'string' || base === '') throw expected('a name', 'outputs.name()', base);
    const other = taken.get(base);
    if (other !== undefined)
      throw expected(
        'another name for each recording',
        'outputs.name()',
        base,
        `It is that of ${other} too: give it a folder or a number.`,
      );
    // A webhook has no names that exclude each other.
    if (!isHttp(place)) taken.set(base, source);
    const files = [...new Set(formats)].map((format): OutputFile => ({ name: `${base}.${format}`, format }));
    return { to: place, files, ...(subtitles && { subtitles: withoutUndefined(subtitles) }) };
  };
}

/** The name of a file or an address, without its ending. */
function nameOf(source: string): string {
  // Unlike decodeURIComponent it takes "100%" too.
  const last = isHttp(source) ? querystring.unescape(new URL(source).pathname) : source;
  return path.basename(last, path.extname(last)) || 'recording';
}

function settleSource(source: unknown): string {
  if (source instanceof URL) return source.protocol === 'file:' ? fileURLToPath(source) : source.href;
  if (typeof source !== 'string' || source === '') throw expected('a path or an address', 'a source', source);
  if (isS3(source)) s3Place(source);
  if (isHttp(source) && !URL.canParse(source)) throw expected('an address', 'a source', source);
  return isRemote(source) ? source : path.resolve(source);
}

function withoutUndefined<T extends object>(value: T): { [K in keyof T]: Exclude<T[K], undefined> } {
  const entries = Object.entries(value).filter(([, entry]) => entry !== undefined);
  return Object.fromEntries(entries) as { [K in keyof T]: Exclude<T[K], undefined> };
}
