/**
 * A client's WebSocket as the protocols use it: messages are handled one after the other, and a client that sends faster than that is
 * slowed down; one that reads too slowly loses drafts, then the connection. Knows no protocol.
 */
import type { WebSocket } from '@fastify/websocket';
import { ServerError } from '../../index.js';

/** Bytes of messages that may wait to be handled, before the client is slowed down. */
const MOST_WAITING = 256 * 1024;
/** Bytes that may wait for a slow reader, before drafts are left out. */
const DRAFTS_UNTIL = 64 * 1024;
/** Bytes that may wait for a slow reader, before the connection is closed. */
const CLOSED_AT = 1024 * 1024;
/** Milliseconds in which a client answers that the connection is closed. */
const CLOSE_TIMEOUT = 5000;
/** Most bytes of a reason, by the protocol. */
const MOST_REASON = 123;

/** What the protocol does with what comes. */
export interface SocketHandlers {
  /**
   * A message, which came at `at` (`performance.now()`) and may have waited since. What it throws, or rejects with, goes to `onError`. The next
   * message waits for it.
   */
  onMessage(data: Buffer, isBinary: boolean, at: number): Promise<void> | void;
  /** A message could not be handled, or the client reads too slowly. */
  onError(error: unknown): void;
  /** The client asks whether the connection lives. */
  onPing?(): void;
  /** The connection is closed. Called once. */
  onClose(): void;
}

export class ClientSocket {
  readonly #socket: WebSocket;
  readonly #onDraftDropped: () => void;
  #handlers: SocketHandlers | undefined;
  #last: Promise<void> = Promise.resolve();
  #waiting = 0;
  #closing = false;

  /** @param onDraftDropped Called when a draft is not sent. */
  constructor(socket: WebSocket, onDraftDropped: () => void) {
    this.#socket = socket;
    this.#onDraftDropped = onDraftDropped;
  }

  /** Begins to handle what comes. To be called in the turn in which the socket was opened, or messages are lost. */
  handle(handlers: SocketHandlers): void {
    this.#handlers = handlers;
    this.#socket.on('message', (data, isBinary) => this.#receive(bytesOf(data), isBinary));
    this.#socket.on('ping', () => handlers.onPing?.());
    this.#socket.once('close', () => {
      this.#closing = true;
      handlers.onClose();
    });
  }

  /** Whether messages still reach the client. */
  get open(): boolean {
    return !this.#closing && this.#socket.readyState === this.#socket.OPEN;
  }

  /** Sends a message that must not be lost. */
  send(message: object): void {
    if (!this.open) return;
    if (this.#socket.bufferedAmount > CLOSED_AT) {
      // Closed first: what the protocol has to say of it must not wait behind a megabyte of messages.
      this.close(1008, 'The client reads too slowly');
      this.#handlers?.onError(
        new ServerError(
          'ERR_PARAKEET_SERVER_LIMIT',
          'Expected a client that reads its messages but it is too slow',
        ),
      );
      return;
    }
    this.#socket.send(JSON.stringify(message));
  }

  /** Sends a message that the next one replaces: not to a client that is behind. */
  sendDraft(message: object): void {
    if (this.#socket.bufferedAmount > DRAFTS_UNTIL) this.#onDraftDropped();
    else this.send(message);
  }

  /** Closes the connection behind what was sent; a client that does not answer is cut off. */
  close(code: number, reason = ''): void {
    if (this.#closing) return;
    this.#closing = true;
    this.#socket.resume();
    this.#socket.close(code, shortened(reason));
    const limit = setTimeout(() => this.#socket.terminate(), CLOSE_TIMEOUT);
    limit.unref();
    this.#socket.once('close', () => clearTimeout(limit));
  }

  #receive(data: Buffer, isBinary: boolean): void {
    const handlers = this.#handlers;
    if (!handlers || this.#closing) return;
    // An empty message takes a place as well.
    const size = data.length + 64;
    this.#waiting += size;
    if (this.#waiting > MOST_WAITING) this.#socket.pause();
    const at = performance.now();
    const handle = async () => {
      if (!this.#closing) await handlers.onMessage(data, isBinary, at);
    };
    this.#last = this.#last
      .then(handle)
      .catch((error: unknown) => handlers.onError(error))
      .finally(() => {
        this.#waiting -= size;
        if (this.#waiting <= MOST_WAITING / 2 && this.#socket.isPaused) this.#socket.resume();
      });
  }
}

function bytesOf(data: Buffer | ArrayBuffer | Buffer[]): Buffer {
  if (Buffer.isBuffer(data)) return data;
  return Array.isArray(data) ? Buffer.concat(data) : Buffer.from(data);
}

/** Cut between characters, so that it stays UTF-8. */
function shortened(reason: string): string {
  let short = reason;
  while (Buffer.byteLength(short) > MOST_REASON) short = short.slice(0, -1);
  return short;
}
