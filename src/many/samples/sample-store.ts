/**
 * The samples of the recordings that a worker has in hand. A recording whose samples have their places is read by ranges; any other is
 * fetched and decoded once, to a file, from which all of its windows are read.
 */
import { createHash } from 'node:crypto';
import { rm } from 'node:fs/promises';
import { unlessAborted } from '../../abort.js';
import type { InputOptions } from '../../audio/input-options.js';
import { Once } from '../once.js';
import { openContent } from '../source/content.js';
import { type Content, changed } from '../source/source.js';
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
  opening: Promise<Opened>;
  isOpen: boolean;
}

interface Opened extends OpenRecording {
  unchanged(signal: AbortSignal | undefined): Promise<boolean>;
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
    const entry = await this.#find(key, source, input, signal);
    try {
      return await work(await unlessAborted(entry.opening, signal));
    } finally {
      await this.#leave(key, entry);
    }
  }

  /** The recording as it is open already, unless the source is another one now: then opened anew. */
  async #find(
    key: string,
    source: string,
    input: InputOptions,
    signal: AbortSignal | undefined,
  ): Promise<Entry> {
    for (;;) {
      const before = this.#entries.get(key);
      const entry = this.#take(key, before ?? this.#begin(key, source, input));
      if (!before) return entry;
      let same = false;
      try {
        const { unchanged } = await unlessAborted(entry.opening, signal);
        same = await unchanged(signal);
        if (same) return entry;
        // Whoever else reads it finishes with what it was.
        this.#drop(key, entry);
      } finally {
        if (!same) await this.#leave(key, entry);
      }
    }
  }

  /** Closes everything, and removes the files. */
  async close(): Promise<void> {
    const entries = [...this.#entries.values()];
    this.#entries.clear();
    await Promise.all(entries.map(closed));
    await this.#scratch.remove();
  }

  #begin(key: string, source: string, input: InputOptions): Entry {
    const stop = new AbortController();
    const opening = this.#opened(source, input, stop.signal);
    const entry: Entry = { users: 0, stop, opening, isOpen: false };
    opening.then(
      () => {
        entry.isOpen = true;
      },
      // The next one tries again.
      () => this.#drop(key, entry),
    );
    return entry;
  }

  /** For one more user; it is the last one that was used now. */
  #take(key: string, entry: Entry): Entry {
    this.#entries.delete(key);
    this.#entries.set(key, entry);
    entry.users++;
    return entry;
  }

  #drop(key: string, entry: Entry): void {
    if (this.#entries.get(key) === entry) this.#entries.delete(key);
  }

  /** One user less: closes what nobody else will find or wait for, and what is kept beyond the number. */
  async #leave(key: string, entry: Entry): Promise<void> {
    entry.users--;
    if (entry.users > 0) return;
    if (!entry.isOpen) this.#drop(key, entry);
    const useless = this.#entries.get(key) === entry ? [] : [entry];
    const idle = [...this.#entries].filter(([, { users }]) => users === 0);
    for (const [other, old] of idle.slice(0, -KEPT)) {
      this.#entries.delete(other);
      useless.push(old);
    }
    await Promise.all(useless.map(closed));
  }

  async #opened(source: string, input: InputOptions, signal: AbortSignal): Promise<Opened> {
    const content = await openContent(source, signal);
    const { size, file } = content;
    const unchanged = (stop: AbortSignal | undefined) => content.unchanged(stop);
    const layout = await pcmLayout(content, this.rate, input, signal);
    if (layout) {
      const samples = rangedSamples(content, layout, this.rate);
      return { samples, size, unchanged, hash: hasher(source, content) };
    }
    const fetched = file === undefined ? await this.#fetch(content, signal) : undefined;
    try {
      const samples = await this.#decode(file ?? (fetched?.file as string), input, signal);
      const hash = fetched ? async () => fetched.hash : hasher(source, content);
      return { samples, size, unchanged, hash };
    } finally {
      if (fetched) await rm(fetched.file, { force: true });
    }
  }

  #fetch(content: Content, signal: AbortSignal): Promise<{ file: string; hash: string }> {
    return this.#scratch.make('.fetched', async (file) => {
      const hash = createHash('sha256');
      await fetchTo(file, content, (bytes) => hash.update(bytes), signal);
      return { file, hash: hash.digest('hex') };
    });
  }

  #decode(recording: string, input: InputOptions, signal: AbortSignal): Promise<Samples> {
    return this.#scratch.make('.f32', async (file) => {
      await decodeTo(file, recording, { rate: this.rate, input, signal });
      return storedSamples(file, () => rm(file, { force: true }));
    });
  }
}

/** Hashes when it is first asked for. */
function hasher(source: string, content: Content): () => Promise<string> {
  const hash = new Once(() => hashOf(source, content));
  return () => hash.get();
}

/** @throws {@link JobError} when these may not be the bytes of the samples any more. */
async function hashOf(source: string, content: Content): Promise<string> {
  const hash = createHash('sha256');
  for await (const bytes of await content.stream()) hash.update(bytes as Uint8Array);
  if (!(await content.unchanged())) throw changed(source);
  return hash.digest('hex');
}

async function closed({ stop, opening }: Entry): Promise<void> {
  stop.abort();
  const recording = await opening.catch(() => undefined);
  await recording?.samples.close();
}
