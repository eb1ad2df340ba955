/**
 * Live transcripts in Redis: the last snapshot of each, and the sound since. Whoever took one last owns it; what an earlier owner writes is refused, so a
 * server that was believed dead disturbs nobody. Which snapshot when is channel-keeper.ts's concern.
 */
import { randomUUID } from 'node:crypto';
import type { Redis } from 'ioredis';
import { connectRedis } from '../../many/redis/connection.js';

/** Seconds for which a transcript is kept that its server says nothing of. */
const KEPT = 900;
const PREFIX = 'parakeet:live:';

/** What scripts begin with. 0: it has another owner. -1: Redis has lost it, or whoever took it is done: nobody could go on with it. */
const OWNED = `
local owner = redis.call('HGET', KEYS[1], 'owner')
if not owner then return -1 end
if owner ~= ARGV[1] then return 0 end`;

/** What changes a transcript keeps it for longer. */
const KEEP = `
redis.call('EXPIRE', KEYS[1], ARGV[2])
redis.call('EXPIRE', KEYS[2], ARGV[2])
return 1`;

/**
 * Adds sound that begins at a byte. After a connection broke, a command may be sent again that was carried out already: what is there is not
 * added again. Nor is what comes behind a hole: whoever goes on then asks the client for all of that.
 */
const APPEND = `${OWNED}
local there = redis.call('HGET', KEYS[1], 'from') + redis.call('STRLEN', KEYS[2]) - ARGV[3]
if there >= 0 and there < #ARGV[4] then redis.call('APPEND', KEYS[2], string.sub(ARGV[4], there + 1)) end${KEEP}`;

/** Stores a snapshot, and forgets the sound before the byte that it needs. */
const SAVE = `${OWNED}
local cut = ARGV[3] - redis.call('HGET', KEYS[1], 'from')
if cut > 0 then redis.call('SET', KEYS[2], redis.call('GETRANGE', KEYS[2], cut, -1)) end
redis.call('HSET', KEYS[1], 'snapshot', ARGV[4], 'from', ARGV[3])${KEEP}`;

/** Takes a client's transcript. */
const TAKE = `
if redis.call('HGET', KEYS[1], 'client') ~= ARGV[2] then return false end
redis.call('HSET', KEYS[1], 'owner', ARGV[1])
return { redis.call('HGET', KEYS[1], 'meta'), redis.call('HGET', KEYS[1], 'from'), redis.call('HGET', KEYS[1], 'snapshot') or '', redis.call('GET', KEYS[2]) or '' }`;

/** Forgets it. */
const END = `
if redis.call('HGET', KEYS[1], 'owner') == ARGV[1] then redis.call('DEL', KEYS[1], KEYS[2]) end
return 1`;

/** A transcript that was taken from Redis. */
export interface TakenSound {
  kept: KeptSound;
  meta: string;
  /** Empty before the first one was stored. */
  snapshot: Buffer;
  /** The first byte of the sound that is kept. */
  from: number;
  sound: Buffer;
}

/** One transcript in Redis, as its owner sees it. Nothing here rejects: while Redis is away, the transcript goes on without it. */
export class KeptSound {
  readonly #client: Redis;
  readonly #keys: [string, string];
  readonly #owner = randomUUID();
  /** Bytes of sound that came. */
  #length = 0;
  /** Called when another server has taken it. */
  onTaken: () => void = () => {};

  constructor(client: Redis, id: string) {
    this.#client = client;
    this.#keys = [`${PREFIX}${id}`, `${PREFIX}${id}:sound`];
  }

  /** @throws Redis' error. */
  async begin(owner: string, meta: string): Promise<void> {
    const [hash, sound] = this.#keys;
    await this.#client
      .multi()
      .del(hash, sound)
      .hset(hash, { owner: this.#owner, client: owner, meta, from: 0 })
      .expire(hash, KEPT)
      .exec();
  }

  /** @throws Redis' error. */
  async take(client: string): Promise<Omit<TakenSound, 'kept'> | undefined> {
    const found = (await this.#run(TAKE, this.#owner, client)) as Buffer[] | null;
    const [meta, from, snapshot, sound] = found ?? [];
    if (!meta || !from || !snapshot || !sound) return undefined;
    const begin = Number(from.toString());
    this.#length = begin + sound.length;
    return { meta: meta.toString(), from: begin, snapshot, sound };
  }

  append(bytes: Buffer): void {
    this.#told(this.#run(APPEND, this.#owner, KEPT, this.#length, bytes));
    this.#length += bytes.length;
  }

  /** No sound has come, but the client is there. */
  touch(): void {
    this.append(Buffer.alloc(0));
  }

  save(snapshot: Uint8Array, from: number): void {
    this.#told(this.#run(SAVE, this.#owner, KEPT, from, Buffer.from(snapshot)));
  }

  end(): void {
    this.#run(END, this.#owner).catch(() => {});
  }

  #run(script: string, ...values: (string | number | Buffer)[]): Promise<unknown> {
    return this.#client.callBuffer('EVAL', script, 2, ...this.#keys, ...values);
  }

  #told(answer: Promise<unknown>): void {
    answer.then(
      (ours) => {
        if (ours === 0) this.onTaken();
      },
      () => {},
    );
  }
}

/** All transcripts of a cluster. */
export class SoundKeeper {
  readonly #client: Redis;

  private constructor(client: Redis) {
    this.#client = client;
  }

  /** @throws {@link DependencyError}, {@link JobError} */
  static async open(url: string): Promise<SoundKeeper> {
    return new SoundKeeper((await connectRedis(url)).client);
  }

  async begin(id: string, client: string, meta: string): Promise<KeptSound> {
    const kept = new KeptSound(this.#client, id);
    await kept.begin(client, meta);
    return kept;
  }

  /** The transcript of this id, if it is this client's. */
  async take(id: string, client: string): Promise<TakenSound | undefined> {
    const kept = new KeptSound(this.#client, id);
    const taken = await kept.take(client);
    return taken && { kept, ...taken };
  }

  close(): void {
    this.#client.disconnect();
  }
}
