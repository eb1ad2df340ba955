/** All live transcripts of the server: opened here after admission, counted, and ended together when the server stops. */
import type { FastifyBaseLogger } from 'fastify';
import { AbortedError, type Latency, type Model, ServerError } from '../index.js';
import type { Admission, Release } from './admission.js';
import { failureOf } from './failures.js';
import { LiveChannel, type LiveChannelOptions } from './live-channel.js';
import type { ServerMetrics } from './metrics.js';
import { checkRoom, type RoomHub, type RoomPublisher } from './rooms.js';

/** What {@link LiveChannels} works with. */
export interface LiveChannelsSetup {
  model: Model;
  draftModel: Model | undefined;
  latency: Latency;
  maxDuration: number;
  idleTimeout: number;
  admission: Admission;
  metrics: ServerMetrics;
  rooms: RoomHub;
  log: FastifyBaseLogger;
  /** Called with the seconds by which finals came later than their sound allowed. */
  onLag: (seconds: number) => void;
}

export class LiveChannels {
  readonly #setup: LiveChannelsSetup;
  readonly #open = new Set<LiveChannel>();

  constructor(setup: LiveChannelsSetup) {
    this.#setup = setup;
  }

  /** Live transcripts that are not closed yet. */
  get size(): number {
    return this.#open.size;
  }

  /**
   * Opens a live transcript.
   *
   * @throws {@link ServerError} `ERR_PARAKEET_SERVER_BUSY` beyond the capacity, `ERR_PARAKEET_SERVER_PROTOCOL` for a bad room.
   * @throws {@link ArgumentError} for invalid options.
   */
  open(options: LiveChannelOptions): LiveChannel {
    return this.openAll([options])[0] as LiveChannel;
  }

  /** Opens the live transcripts of one client together: all or none. @throws as {@link open}. */
  openAll(options: readonly LiveChannelOptions[]): LiveChannel[] {
    const opened: LiveChannel[] = [];
    // Each place is taken before the first is used.
    const places: Release[] = [];
    try {
      for (const _ of options) places.push(this.#setup.admission.live());
      for (const [i, one] of options.entries()) opened.push(this.#start(one, places[i] as Release));
      return opened;
    } catch (error) {
      for (const channel of opened) channel.abort();
      for (const { kept } of options.slice(opened.length)) {
        kept?.stream.destroy();
        kept?.over(false);
      }
      for (const release of places.slice(opened.length)) release();
      this.#setup.metrics.failed(error);
      throw error;
    }
  }

  /** Ends all live transcripts, so that their clients get what was said. Resolves when none is left; after `seconds` the rest is aborted. */
  async drain(seconds: number): Promise<void> {
    const stopping = () =>
      new ServerError(
        'ERR_PARAKEET_SERVER_BUSY',
        'Expected more sound but the server is stopping. Connect again.',
        {
          retryAfter: 1,
        },
      );
    // What was sent before the stop is part of what was said.
    await Promise.all([...this.#open].map((channel) => channel.settled(seconds / 2)));
    for (const channel of this.#open) channel.expire(stopping());
    const limit = setTimeout(
      () => {
        for (const channel of this.#open) channel.abort(new AbortedError('The server is stopping'));
      },
      (seconds / 2) * 1000,
    );
    await Promise.all([...this.#open].map((channel) => channel.closed));
    clearTimeout(limit);
  }

  #start(options: LiveChannelOptions, release: Release): LiveChannel {
    const { model, draftModel, latency, maxDuration, idleTimeout, metrics, log, onLag } = this.#setup;
    const { room, client, protocol, offset = 0 } = options;
    let publisher: RoomPublisher | undefined;
    if (room !== undefined) publisher = this.#setup.rooms.join(checkRoom(room), { client, protocol, offset });
    try {
      const channel = new LiveChannel(options, {
        model,
        draftModel,
        latency,
        maxDuration,
        idleTimeout,
        publisher,
        onLag,
        onClosed: (seconds, error) => {
          this.#open.delete(channel);
          release();
          metrics.streamClosed(seconds, error);
          const code = error && failureOf(error).code;
          log.info({ client, protocol, seconds, code }, 'live transcript closed');
        },
      });
      this.#open.add(channel);
      metrics.streamOpened(protocol);
      log.info({ client, protocol }, 'live transcript opened');
      return channel;
    } catch (error) {
      publisher?.leave(error as Error);
      throw error;
    }
  }
}
