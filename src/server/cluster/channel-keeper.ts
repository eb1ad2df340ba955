/**
 * Live transcripts that another server can go on with: each is a stream that can be moved, whose sound is kept in Redis as it comes, with a snapshot now and
 * then. A snapshot is stored when what was said before it has long been sent.
 */
import {
  type InputOptions,
  type Latency,
  type Model,
  type MovableStream,
  movableStream,
  moveStream,
  ServerError,
  type StreamSnapshot,
} from '../../index.js';
import { type TranscriptOptions, transcriptOptions, type WantedTranscript } from '../transcript-options.js';
import { type KeptSound, SoundKeeper } from './sound-keeper.js';

/** A client's transcript that is to be kept: of 16-bit sound. */
export interface WantedChannel extends WantedTranscript {
  client: string;
  input: InputOptions;
  room?: string;
}

/** What a transcript is made with, wherever it goes on. Plain JSON. */
export interface KeptOptions {
  sampleRate: number;
  room?: string;
  transcript: TranscriptOptions;
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

/** Seconds of sound after which what was said before a snapshot is sent. */
const SENT_AFTER = 2;
/** A session's id. */
const ID = /^[A-Za-z0-9_-]{8,64}$/;

/** What {@link ChannelKeeper} works with. */
export interface KeeperSetup {
  model: Model;
  latency: Latency;
  /** Seconds between two snapshots. */
  every: number;
}

export class ChannelKeeper {
  readonly #sounds: SoundKeeper;
  readonly #setup: KeeperSetup;

  private constructor(sounds: SoundKeeper, setup: KeeperSetup) {
    this.#sounds = sounds;
    this.#setup = setup;
  }

  /** @throws {@link DependencyError}, {@link JobError} */
  static async open(url: string, setup: KeeperSetup): Promise<ChannelKeeper> {
    return new ChannelKeeper(await SoundKeeper.open(url), setup);
  }

  /** A new transcript, in the place of one with the same id. */
  async begin(id: string, wanted: WantedChannel): Promise<KeptChannel> {
    const { client, input, room } = wanted;
    const options: KeptOptions = {
      sampleRate: input.sampleRate as number,
      transcript: transcriptOptions(wanted, this.#setup),
      ...(room !== undefined && { room }),
    };
    const kept = await this.#sounds.begin(checkSession(id), client, JSON.stringify(options));
    return this.#channel(id, kept, options, this.#fresh(options), 0);
  }

  /** The transcript of this id, to go on with; undefined when there is none of this client's. */
  async take(id: string, client: string): Promise<KeptChannel | undefined> {
    const taken = await this.#sounds.take(checkSession(id), client);
    if (!taken) return undefined;
    const { kept, meta, snapshot, from, sound } = taken;
    const options = JSON.parse(meta) as KeptOptions;
    const stream = snapshot.length > 0 ? moveStream(this.#setup.model, snapshot) : this.#fresh(options);
    stream.write(sound);
    return this.#channel(id, kept, options, stream, from + sound.length);
  }

  close(): void {
    this.#sounds.close();
  }

  #fresh({ sampleRate, transcript }: KeptOptions): MovableStream {
    return movableStream(this.#setup.model, { sampleRate, ...transcript });
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
    }, this.#setup.every * 1000);
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
