/**
 * Sentences and utterances between the events of a transcript: events in, the same and more out. Where a sentence ends is in
 * sentence-splitter.ts, when an utterance is over in endpointer.ts; this file knows their order.
 */
import type { EndOfUtteranceEvent, Sentence, TranscriptEvent } from '../events.js';
import { type ConfidenceRule, MEASURED } from './confidence.js';
import { Endpointer, settleUtterances, type UtteranceOptions } from './endpointer.js';
import type { SentenceOptions } from './sentence-options.js';
import { SentenceSplitter, type SplitterState } from './sentence-splitter.js';

/** What is open: plain JSON. */
export interface SentenceState {
  splitter: SplitterState;
  endpointer?: Endpointer['state'];
}

export class SentenceEvents {
  readonly #splitter: SentenceSplitter;
  readonly #endpointer: Endpointer | undefined;

  /** @throws {@link ArgumentError} */
  constructor(
    sentences: SentenceOptions,
    utterances: UtteranceOptions | boolean | undefined,
    rule: ConfidenceRule = MEASURED,
  ) {
    const rules = settleUtterances(utterances);
    this.#splitter = new SentenceSplitter(sentences, rule);
    if (rules) this.#endpointer = new Endpointer(rules);
  }

  /** The open sentence and the open utterance. */
  get state(): SentenceState {
    const endpointer = this.#endpointer?.state;
    return { splitter: this.#splitter.state, ...(endpointer && { endpointer }) };
  }

  set state({ splitter, endpointer }: SentenceState) {
    this.#splitter.state = splitter;
    if (this.#endpointer && endpointer) this.#endpointer.state = endpointer;
  }

  /** The events that take the place of one. */
  *take(event: TranscriptEvent): Generator<TranscriptEvent> {
    switch (event.type) {
      case 'token':
        // A sentence that this token proves to be over comes before it; one that it ends itself comes after it.
        yield* this.#token(event);
        return;
      case 'endOfUtterance':
        // The model's own: the rules begin anew after it.
        this.#endpointer?.end('model');
        yield* this.#endUtterance(event);
        return;
      case 'progress':
        yield* sentencesOf(this.#splitter.progress(event.time));
        yield* this.#endUtterance(this.#endpointer?.progress(event.time));
        yield event;
        return;
      case 'end':
        yield* this.end('end');
        yield event;
        return;
      default:
        yield event;
    }
  }

  /** Closes what is open. */
  *end(reason: 'end' | 'flush'): Generator<TranscriptEvent> {
    yield* sentencesOf(this.#splitter.finish());
    yield* this.#endUtterance(this.#endpointer?.end(reason));
  }

  *#endUtterance(event: EndOfUtteranceEvent | undefined): Generator<TranscriptEvent> {
    if (!event) return;
    yield* sentencesOf(this.#splitter.finish());
    yield event;
  }

  *#token(event: Extract<TranscriptEvent, { type: 'token' }>): Generator<TranscriptEvent> {
    yield* this.#endUtterance(this.#endpointer?.before(event.token));
    const done = this.#splitter.push(event.token);
    const before = done.filter((sentence) => !sentence.tokens.includes(event.token));
    yield* sentencesOf(before);
    yield event;
    yield* sentencesOf(done.slice(before.length));
    yield* this.#endUtterance(this.#endpointer?.after(event.token));
  }
}

function* sentencesOf(sentences: readonly Sentence[]): Generator<TranscriptEvent> {
  for (const sentence of sentences) yield { type: 'sentence', sentence };
}
