/**
 * The interface between live transcripts and rooms, where others watch them under a name. What a room keeps and how it is watched is up to
 * the hub.
 */
import { ServerError, type TranscriptEvent } from '../index.js';

/** Who publishes a live transcript in a room. */
export interface RoomSource {
  /** The client's name. */
  client: string;
  /** The protocol by which the sound comes, such as `'deepgram'`. */
  protocol: string;
  /** Seconds that are already in the times of the events: where this transcript begins in the room's. */
  offset: number;
}

/** One live transcript's way into a room. */
export interface RoomPublisher {
  /** Takes each event as it comes. Must not throw. */
  publish(event: TranscriptEvent): void;
  /** The transcript is over; `error`: it broke off. Called once. */
  leave(error?: Error): void;
}

/** All rooms of a server. */
export interface RoomHub {
  /**
   * A live transcript begins to publish in a room, which is made if it is not there.
   *
   * @throws {@link ServerError} when the room cannot take it.
   */
  join(room: string, source: RoomSource): RoomPublisher;
  /** Ends all rooms: their viewers are told, and their connections closed. */
  close(): Promise<void>;
}

/** A room's name. */
const NAME = /^[A-Za-z0-9][A-Za-z0-9_-]{0,63}$/;

/** @throws {@link ServerError} `ERR_PARAKEET_SERVER_PROTOCOL` for a name that cannot stand in an address. */
export function checkRoom(room: unknown): string {
  if (typeof room === 'string' && NAME.test(room)) return room;
  throw new ServerError(
    'ERR_PARAKEET_SERVER_PROTOCOL',
    'Expected a room of 1 to 64 letters, digits, "_" or "-". Choose another name.',
  );
}
