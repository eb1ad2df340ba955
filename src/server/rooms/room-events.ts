/** What viewers of a room are told: types only, shared with the page. Times are seconds of the room's clock. */

/** A word of a sentence. */
export interface RoomWord {
  text: string;
  start: number;
  end: number;
  /** In [0, 1]. */
  confidence: number;
}

/** A final sentence. */
export interface RoomSentence {
  start: number;
  end: number;
  text: string;
  /** In [0, 1]. */
  confidence: number;
  words: RoomWord[];
  /** Who speaks, where there are several. */
  speaker?: string;
}

/** The open sentence of a speaker; replaces the last one. */
export interface RoomDraft {
  /** Words that will not change. */
  final: string;
  /** Words that may still change. */
  tentative: string;
  speaker?: string;
}

/** Whether anybody publishes in the room. */
export interface RoomState {
  live: boolean;
}

/** An event of `/rooms/:room/events`. */
export type RoomEvent =
  | { type: 'sentence'; data: RoomSentence }
  | { type: 'draft'; data: RoomDraft }
  | { type: 'state'; data: RoomState }
  /** Sentences that are no longer kept. */
  | { type: 'missed'; data: { sentences: number } };
