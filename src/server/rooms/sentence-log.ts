/** The final sentences of a room under numbers that grow by one, the oldest of which are forgotten. Who reads them is not its concern. */
import { createHash, randomBytes } from 'node:crypto';
import type { RoomSentence } from './room-events.js';

/** Most bytes that are kept, roughly: some six hours of speech. */
const MOST_BYTES = 4 * 1024 * 1024;
/** What a word costs beside its letters. */
const WORD_BYTES = 64;

/** A sentence and its id, an event id of server-sent events. */
export interface LoggedSentence {
  id: string;
  sentence: RoomSentence;
}

export class SentenceLog {
  /** Tells the ids of this log from those of an earlier one with the same name. */
  readonly #series: string;
  readonly #mostBytes: number;
  readonly #entries: { sentence: RoomSentence; bytes: number }[] = [];
  #first: number;
  #bytes = 0;

  /**
   * @param mostBytes Most bytes that are kept; the last sentence is kept in any case.
   * @param goesOn A log that goes on elsewhere: its name, and how many sentences it had. Sentences have the same ids wherever they are said.
   */
  constructor(mostBytes = MOST_BYTES, goesOn?: { name: string; count: number }) {
    this.#mostBytes = mostBytes;
    this.#first = (goesOn?.count ?? 0) + 1;
    this.#series = goesOn
      ? createHash('sha256').update(goesOn.name).digest('hex').slice(0, 8)
      : randomBytes(4).toString('hex');
  }

  /** All that are kept. */
  get sentences(): RoomSentence[] {
    return this.#entries.map(({ sentence }) => sentence);
  }

  /** How many were added. */
  get count(): number {
    return this.#first - 1 + this.#entries.length;
  }

  /** Adds a sentence; gives its id. */
  add(sentence: RoomSentence): string {
    const bytes = sentence.words.reduce(
      (sum, { text }) => sum + WORD_BYTES + text.length,
      sentence.text.length,
    );
    this.#entries.push({ sentence, bytes });
    this.#bytes += bytes;
    while (this.#bytes > this.#mostBytes && this.#entries.length > 1) {
      this.#bytes -= this.#entries.shift()?.bytes ?? 0;
      this.#first++;
    }
    return this.#idOf(this.count);
  }

  /** What came after an id, and how much of that is no longer kept. All that is kept, if the id is none of this log. */
  after(id: string | undefined): { missed: number; entries: LoggedSentence[] } {
    const seen = this.#numberOf(id);
    const from = Math.max(this.#first, (seen ?? 0) + 1);
    const entries = this.#entries
      .slice(from - this.#first)
      .map(({ sentence }, i) => ({ id: this.#idOf(from + i), sentence }));
    return { missed: from - 1 - (seen ?? 0), entries };
  }

  /** Whether an id is that of a sentence which comes later, or came by way of another server. */
  isAhead(id: string | undefined): boolean {
    const [series, number] = partsOf(id);
    return series === this.#series && number > this.count;
  }

  #idOf(number: number): string {
    return `${this.#series}-${number}`;
  }

  #numberOf(id: string | undefined): number | undefined {
    const [series, number] = partsOf(id);
    return series === this.#series && number <= this.count ? number : undefined;
  }
}

function partsOf(id: string | undefined): [series: string | undefined, number: number] {
  const [, series, number] = /^([0-9a-f]{8})-(\d{1,15})$/.exec(id ?? '') ?? [];
  return [series, Number(number)];
}
