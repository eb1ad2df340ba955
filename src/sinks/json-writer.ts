/**
 * The sink that writes one JSON document, in the format of parakeet-mlx. A file is replaced by renaming a finished one over it, so that
 * readers always see a complete document; a descriptor or Writable gets it at the end.
 */
import { randomUUID } from 'node:crypto';
import { lstat, open, readFile, realpath, rename, rm } from 'node:fs/promises';
import type { TranscriptEvent } from '../events.js';
import { type Destination, type SinkTarget, targetPath, writeError } from './destination.js';
import { type JsonSentence, jsonSentence } from './format.js';
import { NOTHING, type Previous } from './previous.js';
import { checkFileSinkOptions, type FileSinkOptions, Sink } from './sink.js';

/** Shortest time between two replacements, in milliseconds; a large document is replaced less often. */
const INTERVAL_MS = 1000;
/** Replacing takes at most one part in this many of the time. */
const SHARE = 20;

class JsonWriter extends Sink {
  readonly #sentences: JsonSentence[] = [];
  #text = '';
  /** Set when the target is a file to be replaced. */
  #path: string | undefined;
  #dirty = true;
  #next = 0;

  constructor(target: unknown, options: FileSinkOptions) {
    checkFileSinkOptions('jsonWriter', options);
    super(target, options);
  }

  protected override async readPrevious(path: string): Promise<Previous> {
    const document = await documentIn(path);
    if (!document) return NOTHING;
    this.#sentences.push(...document.sentences);
    this.#text = document.text;
    return { ...NOTHING, begun: true, end: Math.max(0, ...document.sentences.map(({ end }) => end)) };
  }

  protected override async open(): Promise<Destination> {
    const path = targetPath(this.target);
    this.#path = path === undefined ? undefined : await replaceable(path);
    if (this.#path === undefined) return super.open();
    // Fail now and not after an hour of speech: can a file be created there?
    await replace(this.#path, undefined);
    return { write: async () => {}, close: async () => {}, abort: async () => {} };
  }

  protected override async handle(event: TranscriptEvent): Promise<void> {
    if (event.type !== 'sentence') return;
    this.#sentences.push(jsonSentence(event.sentence, event.speaker));
    this.#text += event.sentence.tokens.map((token) => token.text).join('');
    this.#dirty = true;
    const now = performance.now();
    if (this.#path === undefined || now < this.#next) return;
    await this.#replace(this.#path);
    this.#next = performance.now() + Math.max(INTERVAL_MS, SHARE * (performance.now() - now));
  }

  protected override async conclude(): Promise<void> {
    if (this.#path === undefined) await this.text(this.#document());
    else if (this.#dirty) await this.#replace(this.#path);
  }

  /** An aborted stream leaves the sentences that it had, if a first document was begun. */
  protected override async release(): Promise<void> {
    if (this.#path !== undefined && this.#dirty && this.#sentences.length > 0)
      await this.#replace(this.#path);
  }

  #document(): string {
    return `${JSON.stringify({ text: this.#text.trim(), sentences: this.#sentences }, null, 2)}\n`;
  }

  async #replace(path: string): Promise<void> {
    this.#dirty = false;
    await replace(path, this.#document());
  }
}

/** The transcript that a file already holds. @throws when it holds something else. */
async function documentIn(path: string): Promise<{ text: string; sentences: JsonSentence[] } | undefined> {
  const text = await readFile(path, 'utf8').catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return '';
    throw error;
  });
  if (text === '') return undefined;
  const document = JSON.parse(text) as { text?: unknown; sentences?: unknown };
  if (typeof document.text === 'string' && Array.isArray(document.sentences))
    return { text: document.text, sentences: document.sentences as JsonSentence[] };
  throw new Error('it is not a transcript that could be continued');
}

/** The file behind `path`, or `undefined` for something that must not be replaced (a device, a pipe). */
async function replaceable(path: string): Promise<string | undefined> {
  const real = await realpath(path).catch(() => path);
  const stats = await lstat(real).catch(() => undefined);
  return stats === undefined || stats.isFile() ? real : undefined;
}

/** Replaces the file with `text`; without a text only checks that this is possible. */
async function replace(path: string, text: string | undefined): Promise<void> {
  const draft = `${path}.${randomUUID()}.tmp`;
  try {
    const file = await open(draft, 'wx');
    try {
      if (text !== undefined) await file.writeFile(text);
    } finally {
      await file.close();
    }
    if (text !== undefined) await rename(draft, path);
    else await rm(draft);
  } catch (error) {
    await rm(draft, { force: true }).catch(() => {});
    throw writeError(path, error);
  }
}

/**
 * Makes a Writable of transcript events that writes their sentences as one JSON document,
 * `{ text, sentences: [{ text, start, end, duration, confidence, tokens: [...] }] }`, times in seconds with three decimals. It keeps the
 * transcript in memory.
 *
 * @param target a path (its folder must exist; the file is replaced as a whole, about once a second while sentences arrive), a file
 * descriptor or a Writable (written once, at the end).
 * @throws {@link ArgumentError} for an invalid target or option. The sink fails with a `WriteError` (`ERR_PARAKEET_WRITE`) whose `cause` is
 * the system's error when a write fails.
 *
 * @example
 * ```js
 * import { createReadStream } from 'node:fs';
 * import { pipeline } from 'node:stream/promises';
 * import { parakeet, jsonWriter } from 'parakeet-stream';
 *
 * await pipeline(createReadStream('talk.flac'), parakeet(), jsonWriter('talk.json'));
 * ```
 */
export function jsonWriter(target: SinkTarget, options: FileSinkOptions = {}): Sink {
  return new JsonWriter(target, options);
}
