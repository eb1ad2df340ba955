/**
 * Events of several inputs in the order of time: which must wait for another input, and which can be emitted. No streams: reading the
 * inputs is up to the caller.
 */
import type { Sentence, StreamStats, Token, TranscriptEvent } from '../events.js';
import { shifted } from '../shift.js';
import { textOf } from '../text/sentence-splitter.js';
import { combined } from './stats.js';

/** Finals of an input ahead of the others that may wait. */
const MAX_WAITING = 64;

/** Seconds that an open sentence may hold back those of others, unless something else is wanted. */
export const DEFAULT_MAX_HOLD = 10;

/** One input, as far as the order needs it. Only {@link Ordering} changes it. */
export interface Voice {
  readonly speaker: string;
  /** Where the input's time 0 is on the merged clock. */
  readonly offset: number;
  /** Everything before it is final. Infinite once the input is over. */
  progress: number;
  /** It sends `progress` events. */
  reports: boolean;
  /** Final tokens that wait for the others. */
  tokens: Token[];
  /** Complete sentences that wait for the others. */
  sentences: Sentence[];
  /** Tokens that are in no sentence yet: the next sentence begins with the first of them. */
  open: Token[];
  drafting: boolean;
  revision: number;
  over: boolean;
  stats?: StreamStats;
  error?: Error;
}

/** Orders events and emits each as soon as no input can emit an earlier one. */
export class Ordering {
  readonly #voices = new Set<Voice>();
  readonly #stats: StreamStats[] = [];
  #progress = 0;

  /**
   * @param maxHold Seconds that an open sentence may hold back those of others.
   * @param emit Receives the events.
   */
  constructor(
    private readonly maxHold: number,
    private readonly emit: (event: TranscriptEvent) => void,
  ) {}

  /** The labels of the inputs that are not over. */
  get speakers(): string[] {
    return [...this.#voices].filter((voice) => !voice.over).map((voice) => voice.speaker);
  }

  /** All inputs are over, and all their events were emitted. */
  get empty(): boolean {
    return this.#voices.size === 0;
  }

  /** The cost of the inputs that are over. */
  get stats(): StreamStats {
    return combined(this.#stats);
  }

  /** One more input. */
  add(speaker: string, offset: number): Voice {
    const voice: Voice = {
      speaker,
      offset,
      progress: offset,
      reports: false,
      tokens: [],
      sentences: [],
      open: [],
      drafting: false,
      revision: 0,
      over: false,
    };
    this.#voices.add(voice);
    return voice;
  }

  /** An input is far ahead of another: it should wait. The slowest one never does. */
  mustWait(voice: Voice): boolean {
    const ahead = voice.progress > this.#slowest();
    return ahead && voice.tokens.length + voice.sentences.length >= MAX_WAITING;
  }

  /** Takes an event of an input. */
  take(voice: Voice, event: TranscriptEvent): void {
    this.#note(voice, event);
    this.#release();
  }

  /** Ends an input, with its failure if it has one. */
  end(voice: Voice, error?: Error): void {
    if (error) voice.error = error;
    voice.over = true;
    voice.progress = Number.POSITIVE_INFINITY;
    voice.open = [];
    this.#release();
  }

  #note(voice: Voice, event: TranscriptEvent): void {
    switch (event.type) {
      case 'token': {
        const { token } = shifted(event, voice.offset);
        voice.tokens.push(token);
        voice.open.push(token);
        // An input without progress events has advanced to the start of its last token.
        if (!voice.reports) voice.progress = Math.max(voice.progress, token.start);
        return;
      }
      case 'sentence': {
        const { sentence } = shifted(event, voice.offset);
        voice.sentences.push(sentence);
        voice.open = afterSentence(voice.open, sentence);
        if (!voice.reports) voice.progress = Math.max(voice.progress, sentence.start);
        return;
      }
      case 'progress':
        voice.reports = true;
        voice.progress = Math.max(voice.progress, event.time + voice.offset);
        return;
      case 'draft': {
        // Finals that wait for others are not settled either for a reader of this stream.
        const tokens = [...voice.tokens, ...shifted(event, voice.offset).tokens];
        this.#draft(voice, tokens);
        return;
      }
      case 'end':
        voice.stats = event.stats;
        return;
      default:
        this.emit(foreign(event, voice));
    }
  }

  #draft(voice: Voice, tokens: Token[]): void {
    if (tokens.length === 0 && !voice.drafting) return;
    voice.drafting = tokens.length > 0;
    this.emit({
      type: 'draft',
      tokens,
      text: textOf(tokens),
      revision: ++voice.revision,
      speaker: voice.speaker,
    });
  }

  /** Emits everything that no input can precede any more. */
  #release(): void {
    const final = this.#slowest();
    this.#releaseTokens(final);
    this.#releaseSentences(final);
    if (Number.isFinite(final)) this.#advance(final);
    for (const voice of this.#voices) {
      if (voice.over && voice.tokens.length === 0 && voice.sentences.length === 0) this.#leave(voice);
    }
  }

  #slowest(): number {
    let time = Number.POSITIVE_INFINITY;
    for (const { progress } of this.#voices) time = Math.min(time, progress);
    return time;
  }

  #releaseTokens(final: number): void {
    for (;;) {
      const voice = first(this.#voices, ({ tokens }) => tokens[0]?.start);
      const token = voice?.tokens[0];
      if (!voice || !token || token.start >= final) return;
      voice.tokens.shift();
      this.emit({ type: 'token', token, speaker: voice.speaker });
    }
  }

  /** By their starts. A sentence that is still open may begin before one that is complete. */
  #releaseSentences(final: number): void {
    let open = Number.POSITIVE_INFINITY;
    for (const voice of this.#voices) open = Math.min(open, voice.open[0]?.start ?? voice.progress);
    const bound = Math.max(open, final - this.maxHold);
    for (;;) {
      const voice = first(this.#voices, ({ sentences }) => sentences[0]?.start);
      const sentence = voice?.sentences[0];
      if (!voice || !sentence || sentence.start >= bound) return;
      // After its own tokens.
      if ((sentence.tokens.at(-1)?.start ?? sentence.start) >= final) return;
      voice.sentences.shift();
      this.emit({ type: 'sentence', sentence, speaker: voice.speaker });
    }
  }

  #advance(time: number): void {
    if (time <= this.#progress) return;
    this.#progress = time;
    this.emit({ type: 'progress', time });
  }

  #leave(voice: Voice): void {
    const { speaker, stats, error } = voice;
    this.#draft(voice, []);
    this.#voices.delete(voice);
    if (stats) this.#stats.push(stats);
    this.emit({ type: 'left', speaker, ...(stats ? { stats } : {}), ...(error ? { error } : {}) });
  }
}

/** The input whose key is smallest; inputs without a key do not count. */
function first(voices: Iterable<Voice>, key: (voice: Voice) => number | undefined): Voice | undefined {
  let found: Voice | undefined;
  let least = Number.POSITIVE_INFINITY;
  for (const voice of voices) {
    const value = key(voice);
    if (value === undefined || value >= least) continue;
    [found, least] = [voice, value];
  }
  return found;
}

/**
 * The tokens that are in no sentence after `sentence`. A sentence comes right behind its own tokens; a revised one has other tokens than
 * those that came, possibly fewer, so it closes all of them.
 */
export function afterSentence(open: Token[], sentence: Sentence): Token[] {
  const last = sentence.tokens.at(-1);
  if (sentence.revised || !last) return [];
  return open.slice(open.findLastIndex((token) => token.start <= last.start) + 1);
}

/** An event of a user's stage or of a later version: it is labelled, and put in its place if it has a time. */
function foreign(event: object, { speaker, offset }: Voice): TranscriptEvent {
  const copy: Record<string, unknown> = { ...event, speaker };
  for (const key of ['time', 'start', 'end']) {
    if (typeof copy[key] === 'number') copy[key] = (copy[key] as number) + offset;
  }
  return copy as unknown as TranscriptEvent;
}
