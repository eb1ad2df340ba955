/** `transcribeMany`: sources in, results out, as many in hand at once as the queue has use for. */
import { abortedBy } from '../abort.js';
import { AbortedError, type ParakeetError } from '../errors.js';
import type { TranscriptResult } from '../events.js';
import { expected } from '../options.js';
import { InHand } from './in-hand.js';
import { localQueue } from './local/local-queue.js';
import { type ManyProgress, type ManySettings, settleMany, type TranscribeManyOptions } from './options.js';
import type { TranscriptionQueue } from './queue.js';
import type { RecordingJob } from './recording.js';
import { traceContext } from './telemetry.js';
import type { Outcome } from './work.js';

/** What became of one source. */
export interface RecordingResult {
  /** As it was given, a path made absolute. */
  source: string;
  /** Its place among the sources, from 0. */
  index: number;
  /** `'found'`: it was transcribed before, with the same options. */
  status: 'done' | 'found' | 'failed';
  /** Where its transcripts are. */
  outputs: string[];
  /** Seconds of sound, seconds of compute spent now, and windows. Undefined of one that failed. */
  stats?: { audioSeconds: number; computeSeconds: number; windows: number };
  /** With `collect`. */
  result?: TranscriptResult;
  /** Why it failed. */
  error?: ParakeetError | Error;
}

/**
 * Transcribes many recordings, in this process or on many machines. Results come in order or as they come; a recording that fails is a result
 * with its `error`, and does not keep the others from theirs. Leaving the loop ends what this process waits for.
 *
 * @param sources Paths, `file:` and `http(s)` URLs, and `s3://BUCKET/KEY`.
 * @throws {@link ArgumentError} for invalid options, at once. The loop fails with an `AbortedError` when `signal` is aborted, and with the
 * queue's error when it cannot be reached.
 *
 * @example
 * ```js
 * import { transcribeMany } from 'parakeet-stream/many';
 *
 * for await (const { source, result, error } of transcribeMany(['talk.flac', 'missing.flac']))
 *   console.log(source, error ? error.message : result.text);
 * ```
 */
export function transcribeMany(
  sources: Iterable<string | URL> | AsyncIterable<string | URL>,
  options: TranscribeManyOptions = {},
): AsyncIterableIterator<RecordingResult> {
  if (
    typeof sources !== 'object' ||
    sources === null ||
    !(Symbol.iterator in sources || Symbol.asyncIterator in sources)
  )
    throw expected('a list of sources', 'sources', sources);
  return results(sources, settleMany(options));
}

async function* results(
  sources: Iterable<string | URL> | AsyncIterable<string | URL>,
  settings: ManySettings,
): AsyncGenerator<RecordingResult> {
  const own = settings.queue === undefined ? localQueue() : undefined;
  const queue = settings.queue ?? (own as TranscriptionQueue);
  const leave = new AbortController();
  const signal = settings.signal ? AbortSignal.any([settings.signal, leave.signal]) : leave.signal;
  const inHand = new InHand<RecordingResult>(settings.order === 'sources' ? 'begun' : 'done');
  const counted = counter(settings.onProgress);
  try {
    const limit = settings.concurrency ?? queue.appetite;
    let index = 0;
    for await (const source of sources) {
      counted.taken();
      inHand.add(one(queue, settings, source, index++, signal, counted.over));
      while (inHand.size >= limit) yield await inHand.next();
    }
    while (inHand.size > 0) yield await inHand.next();
  } finally {
    leave.abort(new AbortedError('Nobody reads the results any more'));
    await inHand.settled();
    await own?.close();
  }
}

/** One source. Rejects only when all is over: aborted, or the queue cannot be reached. */
function one(
  queue: TranscriptionQueue,
  settings: ManySettings,
  given: string | URL,
  index: number,
  signal: AbortSignal,
  over: (result: RecordingResult) => void,
): Promise<RecordingResult> {
  const work = async (): Promise<RecordingResult> => {
    let source = String(given);
    let outcome: Promise<Outcome>;
    try {
      const job = settings.job(given, index);
      ({ source } = job);
      const trace = await traceContext();
      const queued = await queue.add({ ...job, ...(trace && { trace }) });
      outcome = queued.outcome(signal);
      const { status, outputs, stats, result } = await outcome;
      return { source, index, status, outputs, stats, ...(result && { result }) };
    } catch (error) {
      if (signal.aborted) throw settings.signal?.aborted ? abortedBy(settings.signal) : error;
      return { source, index, status: 'failed', outputs: [], error: error as Error };
    }
  };
  return work().then((done) => {
    over(done);
    return done;
  });
}

function counter(onProgress: TranscribeManyOptions['onProgress']) {
  const progress: ManyProgress = { done: 0, found: 0, failed: 0, taken: 0, audioSeconds: 0 };
  return {
    taken: () => {
      progress.taken++;
    },
    over: ({ status, stats }: RecordingResult) => {
      progress.done++;
      if (status === 'found') progress.found++;
      if (status === 'failed') progress.failed++;
      progress.audioSeconds += stats?.audioSeconds ?? 0;
      onProgress?.({ ...progress });
    },
  };
}

/** What was handed in, or why it was not. */
export interface HandedIn {
  source: string;
  id?: string;
  error?: Error;
}

/** Recordings that are handed in at the same time. */
const TOGETHER = 64;

/** Hands recordings to a queue that outlives this process, and does not wait for them. Rejects when the queue cannot be reached. */
export async function* handIn(
  sources: AsyncIterable<string>,
  options: TranscribeManyOptions & { queue: TranscriptionQueue },
): AsyncGenerator<HandedIn> {
  const settings = settleMany(options);
  const trace = await traceContext();
  const inHand = new InHand<HandedIn>('begun');
  const one = async (given: string, index: number): Promise<HandedIn> => {
    let job: RecordingJob;
    try {
      job = settings.job(given, index);
    } catch (error) {
      return { source: given, error: error as Error };
    }
    const { id } = await options.queue.add({ ...job, ...(trace && { trace }) });
    return { source: job.source, id };
  };
  let index = 0;
  for await (const source of sources) {
    inHand.add(one(source, index++));
    if (inHand.size >= TOGETHER) yield await inHand.next();
  }
  while (inHand.size > 0) yield await inHand.next();
}
