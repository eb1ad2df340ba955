/**
 * From events to cues, as soon as they are final. Sentences are split into cues; of a sentence that does not end, the words that were
 * spoken long enough ago are; and a cue stays until it can be read, or until the next one begins. Cues never overlap, even with several
 * speakers. How they are written is up to the writers.
 */
import type { Sentence, SentenceEvent, Token, TranscriptEvent } from '../events.js';
import { splitCues, splitLines } from './cue-splitter.js';
import { type CueWord, wordsOfSentence, wordsOfTokens } from './cue-words.js';
import type { SubtitleRules } from './subtitle-options.js';

/** What one speaker says in a cue. */
export interface CuePart {
  speaker: string | undefined;
  lines: CueWord[][];
}

/** Text on the screen from `start` to `end`, in seconds; of two speakers when both speak at that time. */
export interface SubtitleCue {
  start: number;
  end: number;
  parts: CuePart[];
}

/** What a speaker has said that is in no cue yet. */
interface Open {
  tokens: Token[];
  /** How many tokens of the open sentence are in cues already, and when those cues end. */
  taken: number;
  until: number;
}

/** Shortest cue that is left when two must share their time, in seconds: a millisecond, the resolution of the formats. */
const LEAST = 0.001;

/** In whole milliseconds, so that rounding makes no cue overlap or vanish. */
const whole = (seconds: number): number => Math.round(seconds * 1000) / 1000;

export class CueMaker {
  readonly #rules: SubtitleRules;
  readonly #labelWidth: (speaker: string) => number;
  readonly #open = new Map<string | undefined, Open>();
  /** The last cue, whose end depends on the next one. */
  #held: SubtitleCue | undefined;
  /** Where the last emitted cue ends. */
  #end = 0;
  #done: SubtitleCue[] = [];

  /** @param labelWidth columns that a speaker's name takes on the screen, at the beginning of each cue. */
  constructor(rules: SubtitleRules, labelWidth: (speaker: string) => number) {
    this.#rules = rules;
    this.#labelWidth = labelWidth;
  }

  /** Takes an event; returns the cues that are complete now. */
  push(event: TranscriptEvent): SubtitleCue[] {
    switch (event.type) {
      case 'token':
        this.#token(event.token, event.speaker);
        break;
      case 'sentence':
        this.#sentence(event);
        break;
      case 'progress':
        this.#progress(event.time);
        break;
      default:
    }
    return this.#take();
  }

  /** Ends the input: returns what is left, including words that are in no sentence. */
  finish(): SubtitleCue[] {
    for (const [speaker, open] of [...this.#open].sort(([, a], [, b]) => startOf(a) - startOf(b)))
      this.#cues(wordsOfTokens(open.tokens, this.#rules.lineWidth), speaker);
    this.#open.clear();
    this.#release(Number.POSITIVE_INFINITY);
    return this.#take();
  }

  #take(): SubtitleCue[] {
    const done = this.#done;
    this.#done = [];
    return done;
  }

  #openOf(speaker: string | undefined): Open {
    let open = this.#open.get(speaker);
    if (!open) {
      open = { tokens: [], taken: 0, until: 0 };
      this.#open.set(speaker, open);
    }
    return open;
  }

  #token(token: Token, speaker: string | undefined): void {
    if (token.text === '') return;
    const open = this.#openOf(speaker);
    open.tokens.push(token);
    // Enough for more than two cues: the first ones will not change any more, however the sentence continues.
    const seconds = token.end - startOf(open);
    if (seconds > 2 * this.#rules.longest || open.tokens.length > this.#manyTokens)
      this.#early(open, speaker);
  }

  /** More tokens than two full cues hold; a token has at least one character. */
  get #manyTokens(): number {
    return 2 * this.#rules.lineWidth * this.#rules.lineCount;
  }

  /** Makes cues of a sentence that goes on, all but the last two, which may still change. */
  #early(open: Open, speaker: string | undefined): void {
    const words = wordsOfTokens(open.tokens, this.#rules.lineWidth);
    const cues = splitCues(words, this.#rules, this.#label(speaker)).slice(0, -2);
    // In languages without spaces a word may end within a token: such a cue waits.
    while (cues.length > 0) {
      const text = cues
        .flat()
        .map((word) => word.text)
        .join('');
      const count = tokensThatMake(text, open.tokens);
      if (count === undefined) {
        cues.pop();
        continue;
      }
      open.until = (words[cues.flat().length - 1] as CueWord).end;
      open.taken += count;
      open.tokens.splice(0, count);
      for (const cue of cues) this.#cue(cue, speaker);
      return;
    }
  }

  #sentence({ sentence, speaker }: SentenceEvent): void {
    const open = this.#openOf(speaker);
    const { lineWidth } = this.#rules;
    const spoken = sentence.tokens.filter(({ text }) => text !== '');
    if (open.taken === 0) this.#cues(wordsOfSentence(sentence, lineWidth), speaker);
    else if (isAsSpoken(sentence, spoken))
      this.#cues(wordsOfTokens(spoken.slice(open.taken), lineWidth), speaker);
    else {
      // The words were changed, perhaps because the sentence was refined: too late for those that are in cues already.
      const words = wordsOfSentence(sentence, lineWidth);
      this.#cues(
        words.filter((word) => (word.start + word.end) / 2 >= open.until),
        speaker,
      );
    }
    this.#close(open, sentence, spoken);
  }

  /** Removes the tokens of a sentence from the open ones; in a merged transcript those of the next sentence may be there already. */
  #close(open: Open, sentence: Sentence, spoken: readonly Token[]): void {
    if (sentence.revised) {
      const rest = open.tokens.findIndex((token) => token.start >= sentence.end - LEAST);
      open.tokens = rest < 0 ? [] : open.tokens.slice(rest);
      open.taken = 0;
      return;
    }
    open.tokens.splice(0, Math.max(0, spoken.length - open.taken));
    open.taken = Math.max(0, open.taken - spoken.length);
  }

  #progress(time: number): void {
    // These will not be continued for a long time.
    for (const [speaker, open] of this.#open) {
      const last = open.tokens.at(-1);
      if (!last || time - last.end < this.#rules.longest) continue;
      this.#cues(wordsOfTokens(open.tokens, this.#rules.lineWidth), speaker);
      open.taken += open.tokens.length;
      open.until = last.end;
      open.tokens = [];
    }
    this.#release(time);
  }

  #label(speaker: string | undefined): number {
    return speaker === undefined ? 0 : this.#labelWidth(speaker);
  }

  #cues(words: readonly CueWord[], speaker: string | undefined): void {
    for (const cue of splitCues(words, this.#rules, this.#label(speaker))) this.#cue(cue, speaker);
  }

  /** Emits the next cue, in the order of the starts as far as speakers allow. */
  #cue(words: readonly CueWord[], speaker: string | undefined): void {
    const [first, last] = [words[0], words.at(-1)];
    if (!first || !last) return;
    const start = Math.max(whole(first.start), this.#end);
    const next: SubtitleCue = {
      start,
      end: whole(Math.max(last.end, start + LEAST)),
      parts: [{ speaker, lines: splitLines(words, this.#rules, this.#label(speaker)) }],
    };
    const held = this.#held;
    this.#held = next;
    if (!held) return;
    if (next.start < held.end) {
      if (this.#joined(held, next)) return;
      this.#shared(held, next);
    }
    this.#give(held, next.start);
    next.start = Math.max(next.start, this.#end);
    next.end = whole(Math.max(next.end, next.start + LEAST));
  }

  /** Two speakers at one time, a line each: one cue for both. */
  #joined(held: SubtitleCue, next: SubtitleCue): boolean {
    const { lineCount, longest, highlightWords } = this.#rules;
    const parts = [...held.parts, ...next.parts];
    const speakers = new Set(parts.map(({ speaker }) => speaker));
    const lines = parts.reduce((sum, part) => sum + part.lines.length, 0);
    const start = Math.min(held.start, next.start);
    const end = Math.max(held.end, next.end);
    const fits = speakers.size === parts.length && lines <= lineCount && end - start <= longest;
    if (!fits || highlightWords) return false;
    this.#held = { start, end, parts };
    return true;
  }

  /** Two cues at one time that cannot be one: they share it in proportion to the length of their texts. */
  #shared(held: SubtitleCue, next: SubtitleCue): void {
    const [one, other] = [widthOfCue(held), widthOfCue(next)];
    const end = Math.max(held.end, next.end);
    next.start = Math.max(next.start, held.start);
    const fair = held.start + ((end - held.start) * one) / (one + other);
    const border = Math.min(Math.max(fair, next.start), held.end);
    held.end = whole(Math.max(border, held.start + LEAST));
    next.start = held.end;
    next.end = whole(Math.max(end, next.start + LEAST));
  }

  /** Returns the held cue when nothing before `time` can change it any more. */
  #release(time: number): void {
    const held = this.#held;
    if (!held || time < this.#wanted(held)) return;
    const begun = [...this.#open.values()].filter(({ tokens }) => tokens.length > 0).map(startOf);
    const next = Math.min(...begun.filter((start) => start >= held.start));
    this.#give(held, next);
    this.#held = undefined;
  }

  /** When a cue should end. */
  #wanted(cue: SubtitleCue): number {
    const { shortest, longest, speed } = this.#rules;
    const readable = Math.max(cue.end, cue.start + shortest, cue.start + widthOfCue(cue) / speed);
    return Math.min(readable, cue.start + longest);
  }

  #give(cue: SubtitleCue, next: number): void {
    const end = whole(Math.max(Math.min(this.#wanted(cue), Math.max(next, cue.start)), cue.start + LEAST));
    this.#end = end;
    this.#done.push({ ...cue, end });
  }
}

const startOf = ({ tokens }: Open): number => tokens[0]?.start ?? Number.POSITIVE_INFINITY;

/** True if the text of the sentence is unchanged. */
function isAsSpoken(sentence: Sentence, spoken: readonly Token[]): boolean {
  const text = spoken.map((token) => token.text).join('');
  return sentence.revised !== true && text.trim() === sentence.text.trim();
}

function widthOfCue({ parts }: SubtitleCue): number {
  const words = parts.flatMap(({ lines }) => lines.flat());
  return words.reduce((sum, { width, spaced }) => sum + width + (spaced ? 1 : 0), 0);
}

/** How many tokens have exactly this text, ignoring spaces; `undefined` when it ends within a token, or within a word. */
function tokensThatMake(text: string, tokens: readonly Token[]): number | undefined {
  const bare = text.replace(/\s/g, '').length;
  let length = 0;
  for (let i = 0; i < tokens.length; i++) {
    length += (tokens[i] as Token).text.replace(/\s/g, '').length;
    if (length < bare) continue;
    return length === bare ? i + 1 : undefined;
  }
  return undefined;
}
