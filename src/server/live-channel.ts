/**
 * One live transcript of a client, whatever its protocol: bytes of sound in, transcript events out, also into a room. It ends by itself when
 * the client falls silent or sends more than allowed. Opened by `LiveChannels`; sockets and messages are the protocols' concern.
 */

import { setTimeout as delay, setImmediate } from 'node:timers/promises';
import {
  type BoostPhrase,
  type InputOptions,
  type Latency,
  type Model,
  type MovableStream,
  type ParakeetStream,
  parakeet,
  presets,
  ServerError,
  type TranscriptEvent,
} from '../index.js';
import type { KeptChannel } from './cluster/channel-keeper.js';
import { LagClock } from './lag-clock.js';
import { spellable } from './phrases.js';
import type { RoomPublisher } from './rooms.js';
import { transcriptOptions, type WantedTranscript } from './transcript-options.js';

/** What a protocol says of a live transcript. */
export interface LiveChannelOptions extends WantedTranscript {
  /** The protocol's name, for logs and metrics. */
  protocol: string;
  /** The client's name, for logs. */
  client: string;
  /** What the bytes are; see `encodings.ts` for other names of raw formats. `{}` recognises sound files and containers. */
  input: InputOptions;
  /** A name that is set in the events, where several speakers share a room. */
  speaker?: string;
  /** The room in which the transcript is published. */
  room?: string;
  /** Another server can go on with it: its stream is made already, and its sound is kept. */
  kept?: KeptChannel;
}

/** What the server adds. */
export interface LiveChannelSetup {
  model: Model;
  /** Writes the drafts, if it is another one. */
  draftModel: Model | undefined;
  latency: Latency;
  /** Most seconds of sound. */
  maxDuration: number;
  /** Seconds without a sign of life after which it ends. */
  idleTimeout: number;
  publisher: RoomPublisher | undefined;
  /** Called with the seconds by which finals came later than their sound allowed. */
  onLag: (seconds: number) => void;
  /** Called once, when nothing of it is left. */
  onClosed: (seconds: number, error: Error | undefined) => void;
}

/** Milliseconds between two looks whether anything is being written. */
const SETTLE_MS = 20;

export class LiveChannel implements AsyncIterable<TranscriptEvent> {
  readonly #stream: ParakeetStream | MovableStream;
  readonly #kept: KeptChannel | undefined;
  /** Nobody goes on with it. */
  #isDone = false;
  readonly #setup: LiveChannelSetup;
  readonly #speaker: string | undefined;
  readonly #offset: number;
  readonly #lag: LagClock;
  readonly #idle: NodeJS.Timeout;
  /** Raised behind the last event. */
  #lateError: Error | undefined;
  #ended = false;
  /** Pieces of sound that wait for the model. */
  #writing = 0;
  /** Settles when nothing of it is left: no session of the engine, no process. */
  readonly closed: Promise<void>;

  constructor(options: LiveChannelOptions, setup: LiveChannelSetup) {
    const { input } = options;
    const transcript = transcriptOptions(options, setup);
    this.#setup = setup;
    this.#speaker = options.speaker;
    this.#offset = transcript.offset;
    this.#lag = new LagClock(input, lookaheadOf(setup));
    // What another server has heard came long ago.
    if (options.kept && options.kept.received > 0)
      this.#lag.arrived(options.kept.received, performance.now());
    this.#kept = options.kept;
    this.#stream =
      options.kept?.stream ??
      parakeet({
        model: setup.model,
        draftModel: transcript.drafts ? setup.draftModel : undefined,
        input,
        ...transcript,
      });
    this.#idle = setTimeout(() => this.expire(idle(setup.idleTimeout)), setup.idleTimeout * 1000);
    this.#idle.unref();
    // Failures reach whoever reads the events.
    this.#stream.on('error', () => {});
    this.closed = new Promise((resolve) => {
      this.#stream.once('close', () => {
        clearTimeout(this.#idle);
        const error = this.#stream.errored ?? this.#lateError;
        this.#kept?.over(this.#isDone);
        setup.publisher?.leave(error);
        setup.onClosed(this.seconds, error);
        resolve();
      });
    });
  }

  /** Seconds of sound so far. */
  get seconds(): number {
    return this.#stream.seconds;
  }

  /** Whether it still takes sound. */
  get open(): boolean {
    return !this.#ended && !this.#stream.destroyed;
  }

  /**
   * Takes bytes of sound. Resolves when it wants more: a protocol that waits for that slows its client down. Never rejects; what comes after
   * the end is ignored.
   *
   * @param at When the bytes came, in milliseconds of `performance.now()`: now, if they have not waited.
   */
  write(bytes: Uint8Array, at = performance.now()): Promise<void> {
    this.keepAlive();
    if (!this.open || bytes.length === 0) return Promise.resolve();
    if (this.seconds > this.#setup.maxDuration) this.expire(tooLong(this.#setup.maxDuration));
    return new Promise((resolve) => {
      if (!this.open) return resolve();
      this.#writing++;
      this.#lag.arrived(bytes.length, at);
      this.#kept?.wrote(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength));
      this.#stream.write(bytes, () => {
        this.#writing--;
        resolve();
      });
    });
  }

  /** Resolves when it has taken what the client has sent so far, or after so many seconds. */
  async settled(seconds: number): Promise<void> {
    const limit = performance.now() + seconds * 1000;
    // Messages that wait are handled one after the other: between two of them nothing is being written for a moment.
    for (let quiet = 0; quiet < 2 && this.open && performance.now() < limit; ) {
      await delay(SETTLE_MS);
      quiet = this.#writing > 0 ? 0 : quiet + 1;
    }
  }

  /** The client is there, although it sends no sound. */
  keepAlive(): void {
    this.#idle.refresh();
  }

  /**
   * Makes everything final that was written so far. Resolves when the reader has taken the events of it, or the transcript is over. Never
   * rejects.
   */
  async flush(): Promise<void> {
    this.keepAlive();
    await this.#stream.flush().catch(() => {});
    this.#kept?.changed();
    // Its last event is on its way. Readers do not wait for their clients, so a turn takes them to the next event.
    do await setImmediate();
    while (this.#stream.readableLength > 0 && !this.#stream.destroyed);
  }

  /** Replaces the phrases to listen for; those that the model cannot spell are left out. @throws {@link ArgumentError} as a rejection. */
  async setBoost(boost: readonly BoostPhrase[]): Promise<void> {
    await this.#stream.setBoost(spellable(this.#setup.model, boost));
    this.#kept?.changed();
  }

  /** No sound follows. The rest of the events still comes. */
  end(): void {
    if (this.#ended) return;
    this.#ended = true;
    this.#isDone = true;
    clearTimeout(this.#idle);
    this.#stream.end();
  }

  /** As {@link end}, and the events end with this error. */
  expire(error: Error): void {
    if (this.#ended) return;
    this.#lateError = error;
    this.end();
  }

  /** The client has gone without a word: those in the room still get what was said. */
  leave(): void {
    // A client whose connection broke may go on elsewhere.
    if (this.#setup.publisher && !this.#kept) this.end();
    else this.abort();
  }

  /** Ends it at once: nobody wants the rest. */
  abort(error?: Error): void {
    this.#ended = true;
    this.#stream.destroy(error);
  }

  /** The events, to be read once. A failure is thrown behind the last of them; leaving the loop aborts. */
  async *[Symbol.asyncIterator](): AsyncGenerator<TranscriptEvent> {
    for await (const event of this.#stream) {
      const spoken = this.#speaker === undefined ? event : { ...event, speaker: this.#speaker };
      if (event.type === 'progress') this.#observeLag(event.time);
      this.#setup.publisher?.publish(spoken);
      yield spoken;
    }
    if (this.#lateError) throw this.#lateError;
  }

  #observeLag(time: number): void {
    const lag = this.#lag.final(time - this.#offset, performance.now());
    if (lag !== undefined) this.#setup.onLag(lag);
  }
}

/** Seconds that a step sees beyond what it makes final: none with a cache-aware model, whose chunks see nothing beyond themselves. */
function lookaheadOf({ model, latency }: LiveChannelSetup): number {
  if (model.info.contexts.length > 0 || typeof latency === 'number') return 0;
  const { lookahead } = typeof latency === 'string' ? presets[latency] : latency;
  return lookahead ?? presets.balanced.lookahead;
}

function idle(seconds: number): ServerError {
  return new ServerError(
    'ERR_PARAKEET_SERVER_LIMIT',
    `Expected sound, or a message that keeps the connection alive, within ${seconds} s but received none. Connect again when there is sound.`,
  );
}

function tooLong(seconds: number): ServerError {
  return new ServerError(
    'ERR_PARAKEET_SERVER_LIMIT',
    `Expected at most ${seconds} s of sound in one live transcript but received more. Connect again to continue.`,
  );
}
