/**
 * The unsettled tail when a second, faster model writes the drafts: the fast model's words after the last word that the accurate one has made
 * final. State and bookkeeping of one transcript; how the two are aligned is in word-alignment.ts.
 */
import type { Token } from '../events.js';
import { alignWords, plainWord, WORD_JITTER } from './word-alignment.js';
import { isUnspaced } from './words.js';

/** Seconds of final words that are kept for the alignment. */
const KEPT = 4;
/** Seconds after which words are forgotten although no word before them was the same in both transcripts. */
const LONGEST = 20;

/** Tokens that are compared as one word; in languages without spaces, each token is one. */
interface Group {
  tokens: Token[];
  text: string;
  plain: string;
  start: number;
}

/** The state that is needed to continue. */
export interface DraftTailState {
  finals: readonly Token[];
  heard: readonly Token[];
  tentative: readonly Token[];
  progress: number;
  lastStart: number;
}

/** Follows the two transcripts of one stream. */
export class DraftTail {
  #finals: Group[] = [];
  #heard: Group[] = [];
  #tentative: readonly Token[] = [];
  /** Words of the fast model that were forgotten. */
  #forgotten = 0;
  #progress = 0;
  /** Start of the last final token. */
  #lastStart = 0;
  /** The tail, until something is said that may change it. */
  #next: readonly Token[] | undefined;

  /** The next final token of the accurate model. */
  final(token: Token): void {
    append(this.#finals, token);
    this.#lastStart = token.start;
    this.#next = undefined;
  }

  /** Everything before `time` is final in the accurate model. */
  advance(time: number): void {
    if (time <= this.#progress) return;
    this.#progress = time;
    this.#next = undefined;
  }

  /** The next tokens that the fast model does not take back, and those that it may; these replace the ones before. */
  hear(tokens: readonly Token[], tentative: readonly Token[] = []): void {
    for (const token of tokens) append(this.#heard, token);
    this.#tentative = tentative;
    this.#next = undefined;
  }

  /** How many words the fast model has said so far, for {@link settle}. */
  get position(): number {
    return this.#forgotten + this.#heard.length;
  }

  /** All is final that was said up to a `position`: an utterance is over in both models. */
  settle(position: number): void {
    const count = Math.max(0, position - this.#forgotten);
    this.#forget(this.#finals.length, count);
    this.#tentative = [];
    this.#next = undefined;
  }

  /** The tail as of now: tokens of the fast model that go on after the final ones, in places after theirs. */
  next(): readonly Token[] {
    this.#next ??= this.#align();
    return this.#next;
  }

  #align(): readonly Token[] {
    const drafts = this.#drafts();
    const { covered, partners } = alignWords(this.#finals, drafts, this.#progress);
    const last = this.#finals.at(-1);
    const partner = drafts[partners.at(-1) ?? -1];
    const rest = last && partner && partners.at(-1) === covered - 1 ? this.#restOf(last, partner) : [];
    const tail = [...rest, ...drafts.slice(covered).flatMap((group) => group.tokens)];
    this.#forgetOld(drafts, partners);
    return placedAfter(this.#lastStart, tail);
  }

  get state(): DraftTailState {
    const tokensOf = (groups: readonly Group[]) => groups.flatMap((group) => group.tokens);
    return {
      finals: tokensOf(this.#finals),
      heard: tokensOf(this.#heard),
      tentative: this.#tentative,
      progress: this.#progress,
      lastStart: this.#lastStart,
    };
  }

  set state({ finals, heard, tentative, progress, lastStart }: DraftTailState) {
    this.#finals = [];
    this.#heard = [];
    for (const token of finals) append(this.#finals, token);
    this.hear(heard, tentative);
    this.#progress = progress;
    this.#lastStart = lastStart;
  }

  #drafts(): Group[] {
    if (this.#tentative.length === 0) return this.#heard;
    const drafts = this.#heard.map((group) => ({ ...group, tokens: [...group.tokens] }));
    for (const token of this.#tentative) append(drafts, token);
    return drafts;
  }

  /** What the fast model's word has beyond a final word whose end may still be missing. */
  #restOf(final: Group, draft: Group): Token[] {
    const end = final.tokens.at(-1)?.end ?? 0;
    const [begun, whole] = [final.text.trimStart(), draft.text.trimStart()];
    const open = this.#progress < end + WORD_JITTER;
    if (!open || !whole.toLowerCase().startsWith(begun.toLowerCase())) return [];
    return tokensAfter(draft.tokens, draft.text.length - whole.length + begun.length);
  }

  /** Forgets what can no longer change the alignment: all before a word that both have, long enough ago. */
  #forgetOld(drafts: readonly Group[], partners: readonly number[]): void {
    const same = (f: number) => {
      const [final, draft] = [this.#finals[f], drafts[partners[f] ?? -1]];
      return draft !== undefined && final?.plain === draft.plain;
    };
    const before = this.#progress - KEPT;
    const settled = this.#finals.findLastIndex(({ start }, f) => start < before && same(f));
    const old = ({ start }: Group) => start < this.#progress - LONGEST;
    if (settled >= 0) this.#forget(settled + 1, (partners[settled] ?? 0) + 1);
    else this.#forget(this.#finals.filter(old).length, this.#heard.filter(old).length);
  }

  #forget(finals: number, heard: number): void {
    this.#finals.splice(0, finals);
    this.#forgotten += this.#heard.splice(0, heard).length;
  }
}

function append(groups: Group[], token: Token): void {
  const open = groups.at(-1);
  if (token.text === '') return;
  if (!open || token.text.startsWith(' ') || isUnspaced(token.text)) {
    groups.push({ tokens: [token], text: token.text, plain: plainWord(token.text), start: token.start });
    return;
  }
  open.tokens.push(token);
  open.text += token.text;
  open.plain = plainWord(open.text);
}

/** The tokens of a text without its first `count` characters. */
function tokensAfter(tokens: readonly Token[], count: number): Token[] {
  let skip = count;
  return tokens.flatMap((token) => {
    const text = token.text.slice(skip);
    skip = Math.max(0, skip - token.text.length);
    return text === '' ? [] : [{ ...token, text }];
  });
}

/** Starts never decrease from one token to the next, whatever the models say. */
function placedAfter(time: number, tokens: readonly Token[]): Token[] {
  let floor = time;
  return tokens.map((token) => {
    if (token.start >= floor) {
      floor = token.start;
      return token;
    }
    const end = Math.max(token.end, floor);
    return { ...token, start: floor, end, duration: end - floor };
  });
}
