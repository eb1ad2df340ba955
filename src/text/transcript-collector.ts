/** Collects the finals of one transcript, for callers that want all of it at the end. */
import type { Sentence, Token, TranscriptEvent, TranscriptResult } from '../events.js';
import { textOf } from './sentence-splitter.js';

export class TranscriptCollector {
  readonly #tokens: Token[] = [];
  readonly #sentences: Sentence[] = [];

  /** @param bySentence The text is that of the sentences: they have other words than the tokens, or the tokens of several speakers alternate. */
  constructor(private readonly bySentence = false) {}

  /** Takes the next event; all but finals are ignored. */
  push(event: TranscriptEvent): void {
    if (event.type === 'token') this.#tokens.push(event.token);
    if (event.type !== 'sentence') return;
    const { sentence, speaker } = event;
    this.#sentences.push(speaker === undefined ? sentence : { speaker, ...sentence });
  }

  /** What was collected so far. */
  get result(): TranscriptResult {
    const [tokens, sentences] = [this.#tokens, this.#sentences];
    const text = this.bySentence ? sentences.map((one) => one.text).join(' ') : textOf(tokens);
    return { text, sentences, tokens };
  }
}
