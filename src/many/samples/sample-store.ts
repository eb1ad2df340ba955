/**
 * The samples of the recordings that a worker has in hand. A recording whose samples have their places is read by ranges; any other is
 * fetched and decoded once, to a file, from which all of its windows are read.
 */
import { createHash } from 'node:crypto';
import { rm } from 'node:fs/promises';
import { unlessAborted } from '../../abort.js';
import type { InputOptions } from '../../audio/input-options.js';
import { openContent } from '../source/content.js';
import type { Content } from '../source/source.js';
import { pcmLayout } from './pcm-layout.js';
import { rangedSamples, type Samples, storedSamples } from './samples.js';
import { decodeTo, fetchTo, Scratch } from './scratch.js';

/** A recording that is open. */
export interface OpenRecording {
  samples: Samples;
  /** Bytes of the source; undefined where the server does not say it. */
  size: number | undefined;
  /** SHA-256 of the source's bytes, in hexadecimal. Reads all of it, once. */
  hash(): Promise<string>;
}

interface Entry {
  users: number;
  stop: AbortController;
  opening: Promise<OpenRecording>;
}

/** Recordings that stay open when nobody uses them: their other windows are likely to come here too. */
const KEPT = 4;

export class SampleStore {
  /** The one that was used last is the last. */
  readonly #entries = new Map<string, Entry>();
  readonly #scratch: Scratch;

  /** @param rate Of the model. @param folder Where files are kept for a while. */
  constructor(
    private readonly rate: number,
    folder?: string,
  ) {
    this.#scratch = new Scratch(folder);
  }

  /** Runs `work` with a recording, which stays open meanwhile. Rejects as opening it, as `work`, or when `signal` is aborted. */
  async use<T>(
    source: string,
    input: InputOptions,
    signal: AbortSignal | undefined,
    work: (recording: OpenRecording) => Promise<T>,
  ): Promise<T> {
    const key = JSON.stringify([source, input]);
    const entry = this.#entries.get(key) ?? this.#open(source, input);
    this.#entries.delete(key);
    this.#entries.set(key, entry);
    entry.users++;
    try {
      return await work(await unlessAborted(entry.opening, signal));
    } finally {
      entry.users--;
      await this.#forget(key, entry);
    }
  }

  /** Closes everything, and removes the files. */
  async close(): Promise<void> {
    const entries = [...this.#entries.values()];
    this.#entries.clear();
    await Promise.all(entries.map(closed));
    await this.#scratch.remove();
  }

  #open(source: string, input: InputOptions): Entry {
    const stop = new AbortController();
    const opening = this.#opened(source, input, stop.signal);
    return { users: 0, stop, opening };
  }

  /** Closes what has failed, and what is kept beyond the number. */
  async #forget(key: string, entry: Entry): Promise<void> {
    const failed = await Promise.race([
      entry.opening.then(
        () => false,
        () => true,
      ),
      // Still opening: for others, or for nobody.
      new Promise<boolean>((resolve) => setImmediate(resolve, entry.users === 0)),
    ]);
    if (failed && this.#entries.get(key) === entry) this.#entries.delete(key);
    if (failed && entry.users === 0) await closed(entry);
    const idle = [...this.#entries].filter(([, { users }]) => users === 0);
    for (const [key, entry] of idle.slice(0, -KEPT)) {
      this.#entries.delete(key);
      await closed(entry);
    }
  }

  async #opened(source: string, input: InputOptions, signal: AbortSignal): Promise<OpenRecording> {
    const content = await openContent(source, signal);
    const { size, file } = content;
    const layout = await pcmLayout(content, this.rate, input, signal);
    if (layout) return { samples: rangedSamples(content, layout, this.rate), size, hash: hasher(content) };
    const fetched = file === undefined ? await this.#fetch(content, signal) : undefined;
    try {
      const samples = await this.#decode(file ?? (fetched?.file as string), input, signal);
      return { samples, size, hash: fetched ? async () => fetched.hash : hasher(content) };
    } finally {
      if (fetched) await rm(fetched.file, { force: true });
    }
  }

  async #fetch(content: Content, signal: AbortSignal): Promise<{ file: string; hash: string }> {
    const file = await this.#scratch.name('.fetched');
    const hash = createHash('sha256');
    await fetchTo(file, content, (bytes) => hash.update(bytes), signal);
    return { file, hash: hash.digest('hex') };
  }

  async #decode(recording: string, input: InputOptions, signal: AbortSignal): Promise<Samples> {
    const file = await this.#scratch.name('.f32');
    const remove = () => rm(file, { force: true });
    try {
      await decodeTo(file, recording, { rate: this.rate, input, signal });
      return await storedSamples(file, remove);
    } catch (error) {
      await remove();
      throw error;
    }
  }
}

/** Hashes when it is first asked for. */
function hasher(content: Content): () => Promise<string> {
  let hashing: Promise<string> | undefined;
  return () => {
    hashing ??= hashOf(content);
    return hashing;
  };
}

async function hashOf(content: Content): Promise<string> {
  const hash = createHash('sha256');
  for await (const bytes of await content.stream()) hash.update(bytes as Uint8Array);
  return hash.digest('hex');
}

async function closed({ stop, opening }: Entry): Promise<void> {
  stop.abort();
  const recording = await opening.catch(() => undefined);
  await recording?.samples.close();
}
