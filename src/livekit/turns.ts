/**
 * From transcript events to the turns of a conversation, as LiveKit's agents expect them: speech starts, its text changes, parts of it become
 * final, it ends. Pure: knows nothing of LiveKit's classes.
 */
import type { Sentence, Token, TranscriptEvent } from '../events.js';
import { geometricMean } from '../text/confidence.js';
import { Voice } from '../voice.js';

/** A text and its place; times are seconds. */
export interface TurnText {
  text: string;
  start: number;
  end: number;
  confidence: number;
}

/** What happens in a turn. An `end` has the whole text of the turn, or none if nothing was understood. */
export type TurnEvent =
  | { type: 'start'; time: number }
  | { type: 'interim'; interim: TurnText }
  | { type: 'final'; sentence: Sentence }
  | { type: 'end'; time: number; whole: TurnText | undefined }
  /** Seconds of audio since the last one. */
  | { type: 'usage'; seconds: number };

/** Seconds between two reports of usage. */
const USAGE_INTERVAL = 5;

/** Follows one stream. There is no text outside a turn, and an `end` for each `start`. */
export class Turns {
  /** Final tokens that are in no sentence yet. */
  #open: Token[] = [];
  #finals: Sentence[] = [];
  /** When the turn began; undefined between turns. */
  #since: number | undefined;
  readonly #voice = new Voice();
  #shown = '';
  readonly #offset: number;
  #reported: number;

  /** @param offset seconds at which the stream begins: earlier time was reported by another one. */
  constructor(offset = 0) {
    this.#offset = offset;
    this.#reported = offset;
  }

  push(event: TranscriptEvent): TurnEvent[] {
    this.#voice.take(event);
    switch (event.type) {
      case 'speechStart':
        return this.#begun(event.time);
      case 'token':
        if (event.token.text === '') return [];
        this.#open.push(event.token);
        return this.#begun(event.token.start);
      case 'draft':
        return this.#interim(event.tokens);
      case 'sentence':
        return this.#sentence(event.sentence);
      case 'endOfUtterance':
        return this.#end(event.end);
      case 'progress':
        return [...this.#noise(event.time), ...this.#usage(event.time, USAGE_INTERVAL)];
      case 'end':
        return [
          ...this.#end(this.#voice.quietSince),
          ...this.#usage(this.#offset + event.stats.audioSeconds, 0),
        ];
      default:
        return [];
    }
  }

  #begun(time: number): TurnEvent[] {
    if (this.#since !== undefined) return [];
    this.#since = time;
    return [{ type: 'start', time }];
  }

  #interim(draft: readonly Token[]): TurnEvent[] {
    const tokens = [...this.#open, ...draft].filter(({ text }) => text !== '');
    const text = textOf(tokens);
    const [first, last] = [tokens[0], tokens.at(-1)];
    const isNew = text !== this.#shown;
    this.#shown = text;
    if (!first || !last || !isNew) return [];
    const interim = { text, start: first.start, end: last.end, confidence: geometricMean(tokens) };
    return [...this.#begun(first.start), { type: 'interim', interim }];
  }

  #sentence(sentence: Sentence): TurnEvent[] {
    const last = sentence.tokens.findLast(({ text }) => text !== '');
    const at = last ? this.#open.lastIndexOf(last) : -1;
    // A revised sentence has other tokens.
    this.#open = at < 0 ? this.#open.filter(({ start }) => start >= sentence.end) : this.#open.slice(at + 1);
    this.#finals.push(sentence);
    this.#shown = '';
    return [...this.#begun(sentence.start), { type: 'final', sentence }];
  }

  #end(time: number): TurnEvent[] {
    if (this.#since === undefined) return [];
    const until = Math.max(time, this.#since);
    this.#since = undefined;
    const finals = this.#finals;
    this.#finals = [];
    const again = this.#voice.since;
    const ended: TurnEvent = { type: 'end', time: until, whole: wholeOf(finals) };
    // The next turn may have begun already: voices are heard before words are final.
    return again !== undefined && again >= until ? [ended, ...this.#begun(again)] : [ended];
  }

  /** Ends a turn in which there was sound but no word. */
  #noise(time: number): TurnEvent[] {
    const wordless = this.#open.length === 0 && this.#finals.length === 0 && this.#shown === '';
    const over = this.#since !== undefined && this.#voice.over(this.#since, time);
    return wordless && over ? this.#end(this.#voice.quietSince) : [];
  }

  #usage(time: number, least: number): TurnEvent[] {
    const seconds = time - this.#reported;
    if (seconds <= 0 || seconds < least) return [];
    this.#reported = time;
    return [{ type: 'usage', seconds }];
  }
}

const textOf = (tokens: readonly Token[]): string =>
  tokens
    .map(({ text }) => text)
    .join('')
    .trim();

function wholeOf(finals: readonly Sentence[]): TurnText | undefined {
  const [first, last] = [finals[0], finals.at(-1)];
  if (!first || !last) return undefined;
  return {
    text: finals.map(({ text }) => text).join(' '),
    start: first.start,
    end: last.end,
    confidence: geometricMean(finals.flatMap(({ tokens }) => tokens)),
  };
}
