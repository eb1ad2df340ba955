/**
 * The messages of `WS /v1/captions`, the page's own protocol: types only, shared with the page. Sound is sent in binary messages: mono, 16
 * bits, little-endian. A session outlives its connection for a while: the client comes back, is told how much sound has arrived, and goes on
 * there. Times are seconds.
 */
import type { RoomDraft, RoomSentence } from '../../rooms/room-events.js';

/** Begins a session. */
interface StartMessage {
  type: 'start';
  /** Samples per second. */
  sample_rate: number;
  /** The room in which it is published. */
  room?: string;
  /** Phrases to listen for. */
  phrases?: string[];
  /** Where the session begins in the room's time. */
  offset?: number;
}

/** Continues a session over a new connection. */
interface ResumeMessage {
  type: 'resume';
  session: string;
  /** The id of the last sentence that was received. */
  last_event?: string;
}

/** Replaces the phrases to listen for. */
interface PhrasesMessage {
  type: 'phrases';
  phrases: string[];
}

/** No sound follows. */
interface FinishMessage {
  type: 'finish';
}

/** There is no sound at the moment. */
interface KeepAliveMessage {
  type: 'keep_alive';
}

export type ClientMessage = StartMessage | ResumeMessage | PhrasesMessage | FinishMessage | KeepAliveMessage;

/** The session takes sound. */
interface ReadyMessage {
  type: 'ready';
  session: string;
  /** Samples that have arrived: the client goes on behind them. */
  received: number;
  /** Seconds for which the session waits for its client when the connection breaks. */
  resume_seconds: number;
}

/** A final sentence. */
export interface SentenceMessage {
  type: 'sentence';
  id: string;
  sentence: RoomSentence;
}

/** The open sentence; replaces the last one. */
interface DraftMessage extends RoomDraft {
  type: 'draft';
}

/** Everything before `time` is final. */
interface ProgressMessage {
  type: 'progress';
  time: number;
}

/** Phrases that the model cannot spell. */
interface IgnoredMessage {
  type: 'ignored';
  phrases: string[];
}

/** All sentences were sent; the connection closes. */
interface EndMessage {
  type: 'end';
}

/** The session has failed, or was refused; the connection closes. */
interface ErrorMessage {
  type: 'error';
  code: string;
  message: string;
  /** Seconds after which trying again may help. */
  retry_after?: number;
}

export type ServerMessage =
  | ReadyMessage
  | SentenceMessage
  | DraftMessage
  | ProgressMessage
  | IgnoredMessage
  | EndMessage
  | ErrorMessage;
