/**
 * The connection to the server: sends sound, receives captions, and comes back by itself when it breaks. While it is away the last minute of
 * sound is kept and sent later. Knows nothing of what is on the screen.
 */
import type {
  ClientMessage,
  SentenceMessage,
  ServerMessage,
} from '../../server/protocols/captions/messages.js';
import { SoundBuffer } from './sound-buffer.js';

/** How the connection is. */
export type ConnectionState =
  | { name: 'connecting' }
  | { name: 'live' }
  /** Broken; tries again. */
  | { name: 'lost' }
  /** The server has no room; tries again after so many seconds. */
  | { name: 'busy'; seconds: number }
  | { name: 'ended' }
  | { name: 'failed'; message: string };

/** What the connection works with. */
export interface ConnectionSetup {
  /** Samples per second. */
  rate: number;
  room: string;
  phrases: string[];
  /** Opens a socket; asks for a ticket first, where one is needed. */
  open: () => Promise<WebSocket>;
  onState: (state: ConnectionState) => void;
  onMessage: (message: ServerMessage) => void;
  /** Seconds of sound that a break has cost. */
  onLost: (seconds: number) => void;
}

/** Milliseconds before attempts to come back. */
const DELAYS = [250, 500, 1000, 2000, 4000];
/** Milliseconds without a message, while sound is sent, after which the connection counts as broken. */
const SILENT = 10_000;
/** Most bytes that wait in the socket. */
const MOST_WAITING = 512 * 1024;
/** Milliseconds between looks at the connection. */
const TICK = 250;

export class Connection {
  readonly #setup: ConnectionSetup;
  readonly #buffer: SoundBuffer;
  readonly #timer: number;
  #phrases: string[];
  #socket: WebSocket | undefined;
  #session: string | undefined;
  /** Seconds at which the session began, and the number of its first sample. */
  #offset = 0;
  #base = 0;
  /** The number of the next sample to send; undefined while the server takes none. */
  #next: number | undefined;
  #lastEvent: string | undefined;
  /** Seconds up to which everything is final. */
  #settled = 0;
  #attempts = 0;
  #heard = 0;
  #finishing = false;
  #finishSent = false;
  #over = false;
  #retry: number | undefined;

  constructor(setup: ConnectionSetup) {
    this.#setup = setup;
    this.#phrases = setup.phrases;
    this.#buffer = new SoundBuffer(setup.rate);
    this.#timer = window.setInterval(() => this.#look(), TICK);
    window.addEventListener('offline', this.#onOffline);
    window.addEventListener('online', this.#onOnline);
    setup.onState({ name: 'connecting' });
    void this.#connect();
  }

  /** Seconds of sound so far. */
  get seconds(): number {
    return this.#buffer.end / this.#setup.rate;
  }

  /** Seconds of sound that are not sent yet. */
  get waiting(): number {
    return this.#next === undefined
      ? Math.min(this.seconds - this.#settled, this.seconds)
      : (this.#buffer.end - this.#next) / this.#setup.rate;
  }

  push(samples: Int16Array): void {
    this.#buffer.add(samples);
    this.#sendSound();
  }

  setPhrases(phrases: string[]): void {
    this.#phrases = phrases;
    if (this.#next !== undefined) this.#send({ type: 'phrases', phrases });
  }

  /** No sound follows; the rest of the captions comes. */
  finish(): void {
    this.#finishing = true;
    this.#sendSound();
  }

  /** Gives up at once. */
  close(): void {
    this.#end({ name: 'ended' });
  }

  async #connect(): Promise<void> {
    this.#retry = undefined;
    try {
      const socket = await this.#setup.open();
      if (this.#over) {
        socket.close();
        return;
      }
      this.#socket = socket;
      this.#heard = performance.now();
      socket.binaryType = 'arraybuffer';
      const begin = () => this.#begin();
      if (socket.readyState === socket.OPEN) begin();
      else socket.addEventListener('open', begin, { once: true });
      socket.addEventListener('message', ({ data }) => this.#receive(JSON.parse(data as string)));
      socket.addEventListener('close', () => this.#lose(socket));
    } catch {
      this.#lose(undefined);
    }
  }

  #begin(): void {
    if (this.#session !== undefined) {
      const known = this.#lastEvent === undefined ? {} : { last_event: this.#lastEvent };
      this.#send({ type: 'resume', session: this.#session, ...known });
      return;
    }
    const { rate, room } = this.#setup;
    // Sound that is final already need not be sent to a new session; what is no longer kept cannot.
    this.#base = Math.max(Math.round(this.#settled * rate), this.#buffer.first);
    this.#offset = this.#base / rate;
    if (this.#offset > this.#settled) this.#setup.onLost(this.#offset - this.#settled);
    this.#send({ type: 'start', sample_rate: rate, room, phrases: this.#phrases, offset: this.#offset });
  }

  #receive(message: ServerMessage): void {
    this.#heard = performance.now();
    switch (message.type) {
      case 'ready':
        this.#ready(message.session, message.received);
        break;
      case 'sentence':
        this.#lastEvent = message.id;
        this.#settled = Math.max(this.#settled, endOf(message));
        break;
      case 'progress':
        this.#settled = Math.max(this.#settled, message.time);
        break;
      case 'end':
        this.#end({ name: 'ended' });
        break;
      case 'error':
        this.#refused(message.code, message.message, message.retry_after);
        break;
      default:
    }
    this.#setup.onMessage(message);
  }

  #ready(session: string, received: number): void {
    const position = this.#base + received;
    this.#session = session;
    this.#attempts = 0;
    this.#next = position;
    this.#finishSent = false;
    this.#setup.onState({ name: 'live' });
    const missing = this.#buffer.first - position;
    if (missing > 0) this.#setup.onLost(missing / this.#setup.rate);
    this.#sendSound();
  }

  #refused(code: string, message: string, retryAfter: number | undefined): void {
    if (code === 'ERR_PARAKEET_SERVER_PROTOCOL' && this.#session !== undefined && this.#next === undefined) {
      // The server has forgotten the session, perhaps it was started again: another one continues it.
      this.#session = undefined;
      this.#lastEvent = undefined;
    } else if (retryAfter !== undefined) {
      this.#setup.onState({ name: 'busy', seconds: retryAfter });
      this.#session = undefined;
      this.#lastEvent = undefined;
      this.#again(retryAfter * 1000);
    } else this.#end({ name: 'failed', message });
  }

  #sendSound(): void {
    const socket = this.#socket;
    if (this.#next === undefined || !socket || socket.readyState !== socket.OPEN) return;
    while (this.#next < this.#buffer.end && socket.bufferedAmount < MOST_WAITING) {
      const samples = this.#buffer.from(this.#next);
      socket.send(samples as Int16Array<ArrayBuffer>);
      this.#next += samples.length;
    }
    if (!this.#finishing || this.#finishSent || this.#next < this.#buffer.end) return;
    this.#finishSent = true;
    this.#send({ type: 'finish' });
  }

  #send(message: ClientMessage): void {
    this.#socket?.send(JSON.stringify(message));
  }

  #look(): void {
    if (this.#next !== undefined && performance.now() - this.#heard > SILENT && this.#socket)
      this.#lose(this.#socket);
    else this.#sendSound();
  }

  /** The socket is gone, or as good as gone. */
  #lose(socket: WebSocket | undefined): void {
    if (this.#over || socket !== this.#socket) return;
    this.#socket = undefined;
    this.#next = undefined;
    socket?.close();
    if (this.#retry !== undefined) return;
    this.#setup.onState({ name: 'lost' });
    this.#again(DELAYS[Math.min(this.#attempts++, DELAYS.length - 1)] as number);
  }

  #again(milliseconds: number): void {
    window.clearTimeout(this.#retry);
    this.#retry = window.setTimeout(() => void this.#connect(), milliseconds);
  }

  readonly #onOffline = () => {
    if (this.#socket) this.#lose(this.#socket);
  };

  readonly #onOnline = () => {
    if (this.#retry !== undefined) this.#again(0);
  };

  #end(state: ConnectionState): void {
    if (this.#over) return;
    this.#over = true;
    window.clearInterval(this.#timer);
    window.clearTimeout(this.#retry);
    window.removeEventListener('offline', this.#onOffline);
    window.removeEventListener('online', this.#onOnline);
    this.#socket?.close();
    this.#setup.onState(state);
  }
}

const endOf = ({ sentence }: SentenceMessage): number => sentence.end;
