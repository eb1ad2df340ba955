/**
 * One viewer's connection: server-sent events as a stream. A viewer that reads too slowly loses drafts, then the connection; it comes back with the
 * id of the last sentence that it has.
 */
import { Readable } from 'node:stream';
import type { RoomViewer } from './room.js';
import type { RoomEvent } from './room-events.js';

/** Bytes that may wait for a slow viewer, before drafts are left out. */
const DRAFTS_UNTIL = 64 * 1024;
/** Milliseconds between two signs of life. */
const KEEP_ALIVE = 15_000;
/** Milliseconds after which a viewer whose connection broke comes back. */
const RETRY = 2000;

export class ViewerStream extends Readable implements RoomViewer {
  readonly #timer: NodeJS.Timeout;
  readonly #mostWaiting: number;
  readonly #onDraftDropped: () => void;
  /** Bytes that may wait; unlimited until it follows. */
  #limit = Number.POSITIVE_INFINITY;

  /**
   * @param mostWaiting Most bytes that wait for a slow viewer, beside what there was when it came.
   * @param onDraftDropped Called when a draft is not sent.
   */
  constructor(mostWaiting: number, onDraftDropped: () => void) {
    super({ highWaterMark: DRAFTS_UNTIL });
    this.#mostWaiting = mostWaiting;
    this.#onDraftDropped = onDraftDropped;
    this.push(`retry: ${RETRY}\n\n`);
    this.#timer = setInterval(() => this.#write(': \n\n'), KEEP_ALIVE);
    this.#timer.unref();
  }

  show({ type, data }: RoomEvent, id?: string): void {
    if (type === 'draft' && this.readableLength > DRAFTS_UNTIL) {
      this.#onDraftDropped();
      return;
    }
    const head = id === undefined ? '' : `id: ${id}\n`;
    this.#write(`${head}event: ${type}\ndata: ${JSON.stringify(data)}\n\n`);
  }

  /** All that was there is on its way: from now on the viewer must keep up. */
  follow(): void {
    this.#limit = this.readableLength + this.#mostWaiting;
  }

  end(): void {
    this.#write('event: end\ndata: {}\n\n');
    clearInterval(this.#timer);
    if (!this.destroyed) this.push(null);
  }

  /** Node's. @internal */
  override _read(): void {}

  /** Node's. @internal */
  override _destroy(error: Error | null, callback: (error?: Error | null) => void): void {
    clearInterval(this.#timer);
    callback(error);
  }

  #write(text: string): void {
    if (this.destroyed || this.readableEnded) return;
    if (this.readableLength > this.#limit) this.destroy();
    else this.push(text);
  }
}
