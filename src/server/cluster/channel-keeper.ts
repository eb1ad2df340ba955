/**
 * Live transcripts that another server can go on with: each is a stream that can be moved, whose sound is kept in Redis as it comes, with a snapshot now and
 * then. A snapshot is stored when what was said before it has long been sent.
 */
import {
  type BoostPhrase,
  type Latency,
  type Model,
  type MovableStream,
  movableStream,
  moveStream,
  ServerError,
  type StreamSnapshot,
  type UtteranceOptions,
} from '../../index.js';
import { type KeptSound, SoundKeeper } from './sound-keeper.js';

/** What a transcript is made with, wherever it goes on. Plain JSON. */
export interface KeptOptions {
  sampleRate: number;
  latency: Latency;
  drafts: boolean;
  utterances: UtteranceOptions | boolean;
  maxSentence: number;
  boost: readonly BoostPhrase[];
  offset: number;
  room?: string;
}

/** A channel's way into Redis. */
export interface KeptChannel {
  id: string;
  options: KeptOptions;
  stream: MovableStream;
  /** Bytes of sound that had arrived when it was taken. */
  received: number;
  /** Sentences that were sent before the snapshot with which it goes on. */
  said: number;
  /** Sound is written to the stream. */
  wrote(bytes: Buffer): void;
  /** The stream was changed by something other than sound, which a snapshot must tell. */
  changed(): void;
  /** The channel is closed. `forget`: nobody goes on with it. */
  over(forget: boolean): void;
}

/** Seconds between two snapshots. */
const EVERY = 30;
/** Seconds of sound after which what was said before a snapshot is sent. */
const SENT_AFTER = 2;
/** A session's id. */
const ID = /^[A-Za-z0-9_-]{8,64}$/;

export class ChannelKeeper {
  readonly #sounds: SoundKeeper;
  readonly #model: Model;
  readonly #every: number;

  private constructor(sounds: SoundKeeper, model: Model, every: number) {
    this.#sounds = sounds;
    this.#model = model;
    this.#every = every;
  }

  /** @param every Seconds between two snapshots. @throws {@link DependencyError}, {@link JobError} */
  static async open(url: string, model: Model, every = EVERY): Promise<ChannelKeeper> {
    return new ChannelKeeper(await SoundKeeper.open(url), model, every);
  }

  /** A new transcript, in the place of one with the same id. */
  async begin(id: string, client: string, options: KeptOptions): Promise<KeptChannel> {
    const kept = await this.#sounds.begin(checkSession(id), client, JSON.stringify(options));
    return this.#channel(id, kept, options, this.#fresh(options), 0);
  }

  /** The transcript of this id, to go on with; undefined when there is none of this client's. */
  async take(id: string, client: string): Promise<KeptChannel | undefined> {
    const taken = await this.#sounds.take(checkSession(id), client);
    if (!taken) return undefined;
    const { kept, meta, snapshot, from, sound } = taken;
    const options = JSON.parse(meta) as KeptOptions;
    const stream = snapshot.length > 0 ? moveStream(this.#model, snapshot) : this.#fresh(options);
    stream.write(sound);
    return this.#channel(id, kept, options, stream, from + sound.length);
  }

  close(): void {
    this.#sounds.close();
  }

  #fresh({
    sampleRate,
    latency,
    drafts,
    utterances,
    maxSentence,
    boost,
    offset,
  }: KeptOptions): MovableStream {
    return movableStream(this.#model, {
      ...{ sampleRate, latency, drafts, utterances, offset },
      sentences: { maxDuration: maxSentence },
      decoding: { boost },
    });
  }

  #channel(
    id: string,
    kept: KeptSound,
    options: KeptOptions,
    stream: MovableStream,
    received: number,
  ): KeptChannel {
    const snapshots = new Snapshots(kept, stream);
    const timer = setInterval(() => {
      kept.touch();
      snapshots.take();
    }, this.#every * 1000);
    timer.unref();
    kept.onTaken = () => stream.destroy(moved());
    return {
      ...{ id, options, stream, received, said: stream.said },
      wrote: (bytes) => kept.append(bytes),
      changed: () => snapshots.take(true),
      over: (forget) => {
        clearInterval(timer);
        if (forget) kept.end();
      },
    };
  }
}

/** The snapshots of one stream. */
class Snapshots {
  /** Taken, and stored when what was said before it has been sent. */
  #pending: StreamSnapshot | undefined;

  constructor(
    private readonly kept: KeptSound,
    private readonly stream: MovableStream,
  ) {}

  /** Takes one, after the one before is stored; with `now` it is stored at once. */
  take(now = false): void {
    const { stream } = this;
    if (stream.destroyed || stream.writableEnded) return;
    const before = this.#pending;
    if (before && !now) {
      // Else none would ever be old enough where they are taken often, or sound comes slowly.
      if (stream.seconds < before.seconds + SENT_AFTER) return;
      this.#store(before);
    }
    stream.snapshot().then(
      (taken) => {
        if (now) this.#store(taken);
        this.#pending = now ? undefined : taken;
      },
      // It is over, or broken: then there is nothing to go on with.
      () => {},
    );
  }

  #store({ bytes, soundFrom }: StreamSnapshot): void {
    this.kept.save(bytes, soundFrom);
  }
}

/** @throws {@link ServerError} `ERR_PARAKEET_SERVER_PROTOCOL` */
export function checkSession(id: unknown): string {
  if (typeof id === 'string' && ID.test(id)) return id;
  throw new ServerError(
    'ERR_PARAKEET_SERVER_PROTOCOL',
    'Expected a session of 8 to 64 letters, digits, "_" or "-". Choose a random one.',
  );
}

function moved(): ServerError {
  return new ServerError(
    'ERR_PARAKEET_SERVER_PROTOCOL',
    'Expected the only connection of this session but another server has taken it. Go on there.',
  );
}
