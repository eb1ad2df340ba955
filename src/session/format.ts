/**
 * The file of a recorded session, line by line: what went into a live transcript, when, and what came out. Types and the comparison of
 * events; recorder.ts writes the file, replay.ts runs it again.
 */
import path from 'node:path';
import type { TranscriptionOptions } from '../composition/options.js';
import type { TranscriptEvent } from '../events.js';

/** Options of `parakeet()` that determine the transcript: all but the model and the signal, which are not data. */
export type SessionOptions = Omit<TranscriptionOptions, 'signal'>;

/** The model of a session: its name and its identity. */
export interface SessionModel {
  /** The folder or repository; null for the bundled one. */
  name: string | null;
  dtype: string;
  identity: string;
}

/** The version of the lines and of the options in them. */
export const SESSION_FORMAT = 2;

/** A line of the file. `at`: seconds since the session began. */
export type SessionLine =
  | {
      type: 'session';
      /** The version of the file's format. */
      format: number;
      package: string;
      model: SessionModel;
      options: SessionOptions;
    }
  | { type: 'push'; at: number; bytes: number }
  | { type: 'end'; at: number }
  | { type: 'event'; at: number; event: TranscriptEvent };

/** The file with the audio of a session: the bytes as they came, beside the session's file. */
export function audioPath(file: string): string {
  return path.join(path.dirname(file), `${path.basename(file, path.extname(file))}.audio`);
}

/** Whether an event comes as soon as it is decided, at no fixed place among the others. */
export function isUrgent({ type }: TranscriptEvent): boolean {
  return type === 'speechStart' || type === 'speechEnd';
}

/**
 * An event in the form that is compared, or undefined for one that depends on the machine's speed: drafts that may be left out, lag, cost.
 * Times to a millisecond and confidences to two decimals, since the order of summation differs between machines.
 */
export function comparable(event: TranscriptEvent): object | undefined {
  const time = (seconds: number) => Math.round(seconds * 1000) / 1000;
  switch (event.type) {
    case 'token': {
      const { id, text, start, end, confidence } = event.token;
      return { token: text, id, start: time(start), end: time(end), confidence: confidence.toFixed(2) };
    }
    case 'sentence': {
      const { text, start, end } = event.sentence;
      return { sentence: text, start: time(start), end: time(end) };
    }
    case 'progress':
      return { progress: time(event.time) };
    case 'speechStart':
    case 'speechEnd':
      return { [event.type]: time(event.time) };
    case 'endOfUtterance':
      return { endOfUtterance: event.reason, start: time(event.start), end: time(event.end) };
    case 'backchannel':
      return { backchannel: time(event.start), end: time(event.end) };
    default:
      return undefined;
  }
}
