/**
 * Runs a recorded session again, on a virtual clock: the same pushes in the same order, as fast as the machine can. Reports where the
 * events differ from the recorded ones.
 */
import { createReadStream } from 'node:fs';
import { open } from 'node:fs/promises';
import { createInterface } from 'node:readline';
import { isDeepStrictEqual } from 'node:util';
import { SavedStateError } from '../errors.js';
import type { TranscriptEvent } from '../events.js';
import type { Model } from '../model.js';
import { parakeet } from '../parakeet.js';
import { audioPath, comparable, isUrgent, SESSION_FORMAT, type SessionLine } from './format.js';

/** An event that differs from the recorded one; `null` where one of the two has no more. */
export interface SessionDifference {
  /** Index among the compared events, from 0; `speechStart` and `speechEnd`, whose place among the others is not fixed, behind them. */
  index: number;
  recorded: object | null;
  replayed: object | null;
}

/** The result of a replay. */
export interface ReplayResult {
  pushes: number;
  /** Seconds of audio that were pushed. */
  audioSeconds: number;
  /** Events that were compared: all but drafts, lag and costs. */
  events: number;
  /** The first differences, 20 at most. */
  differences: SessionDifference[];
  /** How the stream failed, if it did. */
  error?: Error;
}

/** The content of a recorded session. */
export interface Session {
  head: Extract<SessionLine, { type: 'session' }>;
  pushes: number[];
  events: TranscriptEvent[];
  /** The source came to its end. */
  ended: boolean;
}

const MOST_DIFFERENCES = 20;

/**
 * Reads a session's file. An incomplete last line (the process died there) is ignored.
 *
 * @throws {@link SavedStateError} `ERR_PARAKEET_INVALID_SESSION` (as a rejection) for a file that is not a session, or of another version.
 *
 * @example
 * ```js no-run
 * import { readSession } from 'parakeet-stream';
 *
 * const { head, pushes, events } = await readSession('session.jsonl');
 * console.log(head.options, pushes.length, events.length);
 * ```
 */
export async function readSession(file: string): Promise<Session> {
  let head: Session['head'] | undefined;
  const pushes: number[] = [];
  const events: TranscriptEvent[] = [];
  let ended = false;
  let broken: number | undefined;
  let number = 0;
  for await (const text of createInterface({ input: createReadStream(file), crlfDelay: Infinity })) {
    number++;
    if (broken !== undefined) throw invalid(file, `line ${broken} does not parse`);
    let line: SessionLine;
    try {
      line = JSON.parse(text) as SessionLine;
    } catch {
      broken = number;
      continue;
    }
    if (number === 1 && line.type !== 'session')
      throw invalid(file, 'its first line does not describe a session');
    if (line.type === 'session' && line.format !== SESSION_FORMAT) {
      throw invalid(
        file,
        `it was recorded by another version of the package (format ${line.format}, not ${SESSION_FORMAT})`,
      );
    }
    if (line.type === 'session') head = line;
    else if (line.type === 'push') pushes.push(line.bytes);
    else if (line.type === 'event') events.push(line.event);
    else if (line.type === 'end') ended = true;
  }
  if (!head) throw invalid(file, 'none of its lines parses');
  return { head, pushes, events, ended };
}

/**
 * Runs a session on a model, as fast as the machine can, and compares the events with the recorded ones.
 *
 * @param file The session's file; the audio is beside it.
 * @throws {@link AbortedError} when `signal` is aborted. @throws {@link SavedStateError} `ERR_PARAKEET_INVALID_SESSION` when the audio is
 * incomplete. All as rejections.
 *
 * @example
 * ```js no-run
 * import { loadModel, readSession, replaySession } from 'parakeet-stream';
 *
 * const session = await readSession('session.jsonl');
 * const model = await loadModel(session.head.model.name ?? undefined);
 * const { events, differences } = await replaySession('session.jsonl', session, model);
 * console.log(`${differences.length} of ${events} events differ`);
 * await model.close();
 * ```
 */
export async function replaySession(
  file: string,
  session: Session,
  model: Model,
  { signal }: { signal?: AbortSignal | undefined } = {},
): Promise<ReplayResult> {
  const line = parakeet({ ...session.head.options, model, signal });
  const replayed: TranscriptEvent[] = [];
  let audioSeconds = 0;
  const reading = (async () => {
    for await (const event of line) {
      replayed.push(event);
      if (event.type === 'end') audioSeconds = event.stats.audioSeconds;
    }
  })().then(
    () => undefined,
    (error: Error) => error,
  );
  await push(audioPath(file), session, line);
  const error = await reading;
  if (signal?.aborted && error) throw error;
  const whole = session.events.at(-1)?.type === 'end';
  const differences: SessionDifference[] = [];
  let events = 0;
  for (const urgent of [false, true]) {
    const of = (all: readonly TranscriptEvent[]) =>
      all.flatMap((event) => (isUrgent(event) === urgent ? (comparable(event) ?? []) : []));
    const [recorded, own] = [of(session.events), of(replayed)];
    // Events still pending when the recording was cut off were never recorded.
    const count = whole ? Math.max(recorded.length, own.length) : recorded.length;
    for (let index = 0; index < count && differences.length < MOST_DIFFERENCES; index++) {
      const [was, is] = [recorded[index] ?? null, own[index] ?? null];
      if (!isDeepStrictEqual(was, is))
        differences.push({ index: events + index, recorded: was, replayed: is });
    }
    events += count;
  }
  return { pushes: session.pushes.length, audioSeconds, events, differences, ...(error && { error }) };
}

/** The audio in its original pieces; each is taken before the next. */
async function push(file: string, { pushes }: Session, line: NodeJS.WritableStream): Promise<void> {
  const audio = await open(file);
  try {
    for (const bytes of pushes) {
      const { buffer, bytesRead } = await audio.read(Buffer.alloc(bytes));
      if (bytesRead < bytes) throw invalid(file, 'it is shorter than the recorded pushes');
      // A stream that has failed takes nothing more; its error is read from the other side.
      await new Promise<void>((resolve) => line.write(buffer, () => resolve()));
    }
  } finally {
    await audio.close();
    line.end();
  }
}

function invalid(file: string, why: string): SavedStateError {
  return new SavedStateError(
    'ERR_PARAKEET_INVALID_SESSION',
    `Expected a session of parakeet live --record in ${file} but ${why}`,
  );
}
