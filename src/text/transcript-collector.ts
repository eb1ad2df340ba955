/** Collects the finals of one transcript, for callers that want all of it at the end. */
import type { Sentence, Token, TranscriptEvent, TranscriptResult } from '../events.js';
import { textOf } from './sentence-splitter.js';

export class TranscriptCollector {
  readonly #tokens: Token[] = [];
  readonly #sentences: Sentence[] = [];

  /** @param refined Sentences have other words than the tokens: the text is taken from the sentences. */
  constructor(private readonly refined = false) {}

  /** Takes the next event; all but finals are ignored. */
  push(event: TranscriptEvent): void {
    if (event.type === 'token') this.#tokens.push(event.token);
    if (event.type === 'sentence') this.#sentences.push(event.sentence);
  }

  /** What was collected so far. */
  get result(): TranscriptResult {
    const [tokens, sentences] = [this.#tokens, this.#sentences];
    const text = this.refined ? sentences.map((one) => one.text).join(' ') : textOf(tokens);
    return { text, sentences, tokens };
  }
}
