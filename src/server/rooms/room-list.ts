/** All rooms of a server: made when somebody publishes or watches, and forgotten when nobody has for a while. */
import { ServerError } from '../../index.js';
import type { RoomHub, RoomPublisher, RoomSource } from '../rooms.js';
import { Room } from './room.js';

/** Most rooms at once. */
const MOST_ROOMS = 1000;
/** Milliseconds for which a room's transcript is kept after its last speaker and viewer have left. */
const KEPT = 60 * 60_000;
/** Milliseconds between two looks for rooms to forget. */
const INTERVAL = 60_000;

export class RoomList implements RoomHub {
  readonly #rooms = new Map<string, Room>();
  readonly #now: () => number;
  readonly #mostRooms: number;
  readonly #timer: NodeJS.Timeout;
  #closed = false;

  /** @param now Milliseconds of the clock. */
  constructor(now: () => number = Date.now, mostRooms = MOST_ROOMS) {
    this.#now = now;
    this.#mostRooms = mostRooms;
    this.#timer = setInterval(() => this.tidy(), INTERVAL);
    this.#timer.unref();
  }

  join(name: string, source: RoomSource): RoomPublisher {
    return this.open(name).join(source);
  }

  /** A room in which something was published. */
  find(name: string): Room | undefined {
    const room = this.#rooms.get(name);
    return room?.used ? room : undefined;
  }

  /** A room, which is made if it is not there. @throws {@link ServerError} `ERR_PARAKEET_SERVER_BUSY` when there are too many. */
  open(name: string): Room {
    const known = this.#rooms.get(name);
    if (known) return known;
    if (this.#rooms.size >= this.#mostRooms) this.tidy();
    if (this.#closed || this.#rooms.size >= this.#mostRooms)
      throw new ServerError(
        'ERR_PARAKEET_SERVER_BUSY',
        `Expected room for another room but there are ${this.#rooms.size}. Try again later.`,
        { retryAfter: 60 },
      );
    const room = new Room(this.#now);
    this.#rooms.set(name, room);
    return room;
  }

  /** Forgets rooms that nobody needs: at once those without a word, the others after an hour. */
  tidy(): void {
    for (const [name, room] of this.#rooms) {
      const { idle } = room;
      if (idle === 0 || (room.used && idle < KEPT)) continue;
      this.#rooms.delete(name);
      void room.close();
    }
  }

  async close(): Promise<void> {
    this.#closed = true;
    clearInterval(this.#timer);
    await Promise.all([...this.#rooms.values()].map((room) => room.close()));
    this.#rooms.clear();
  }
}
