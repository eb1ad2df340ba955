/**
 * From transcript events to Deepgram's messages, for one channel. A sentence waits for the event behind it, which says whether the utterance
 * ends with it.
 */
import type { DraftEvent, EndOfUtteranceEvent, Sentence, Token, TranscriptEvent } from '../../../index.js';
import type { ListenParameters } from './parameters.js';
import { alternativeOf, rounded, wordsOf } from './words.js';

/** A message to the client; `interim` ones may be left out. */
export interface DeepgramMessage {
  interim: boolean;
  message: object;
}

/** Of the model and the connection; part of each result. */
export interface ResultMetadata {
  request_id: string;
  model_uuid: string;
  model_info: { name: string; version: string; arch: string };
}

/**
 * Events behind a sentence that do not say whether the utterance goes on: `endOfUtterance` says that it ends, and where a voice begins or ends
 * is told as soon as it is heard, also between a sentence and the end of its utterance.
 */
const SAYS_NOTHING: ReadonlySet<TranscriptEvent['type']> = new Set([
  'endOfUtterance',
  'speechStart',
  'speechEnd',
]);

export class Results {
  readonly #parameters: ListenParameters;
  readonly #metadata: ResultMetadata;
  readonly #index: [number, number];
  /** Final, and in no sentence yet: an interim result begins with them. */
  #open: Token[] = [];
  #held: Sentence | undefined;
  /** End of the last word that no `UtteranceEnd` was sent for. */
  #lastWord: number | undefined;
  /** Up to where everything is final. */
  #final = 0;
  #finalized = false;

  constructor(parameters: ListenParameters, metadata: ResultMetadata, index: number) {
    this.#parameters = parameters;
    this.#metadata = metadata;
    this.#index = [index, parameters.separate];
  }

  /** The messages that an event leads to. */
  *take(event: TranscriptEvent): Generator<DeepgramMessage> {
    if (!SAYS_NOTHING.has(event.type)) yield* this.#release(false);
    switch (event.type) {
      case 'token':
        this.#open.push(event.token);
        if (event.token.text.trim() !== '') this.#lastWord = event.token.end;
        break;
      case 'draft':
        yield* this.#interim(event);
        break;
      case 'sentence':
        this.#held = event.sentence;
        this.#open = this.#open.slice(event.sentence.tokens.length);
        break;
      case 'endOfUtterance':
        yield* this.#endOfUtterance(event);
        break;
      case 'progress':
        this.#final = event.time;
        yield* this.#utteranceEnd(event.time);
        break;
      case 'speechStart':
        if (this.#parameters.vadEvents)
          yield send({ type: 'SpeechStarted', channel: this.#index, timestamp: rounded(event.time) });
        break;
      default:
    }
  }

  /** Everything before a `Finalize` was taken: its result, if none has said so. */
  *finalized(): Generator<DeepgramMessage> {
    yield* this.#release(true, true);
    if (!this.#finalized) yield send(this.#empty(true));
    this.#finalized = false;
  }

  /** The transcript is over, perhaps with a failure: what waits for another event does not wait any more. */
  finish(): Generator<DeepgramMessage> {
    return this.#release(true);
  }

  *#endOfUtterance({ reason }: EndOfUtteranceEvent): Generator<DeepgramMessage> {
    const isFlush = reason === 'flush';
    if (this.#held) yield* this.#release(true, isFlush);
    else yield send(this.#empty(isFlush));
    if (isFlush) this.#finalized = true;
  }

  *#release(isSpeechFinal: boolean, fromFinalize = false): Generator<DeepgramMessage> {
    const sentence = this.#held;
    this.#held = undefined;
    if (!sentence) return;
    if (fromFinalize) this.#finalized = true;
    const { text, confidence, words, start, duration } = sentence;
    const alternative = alternativeOf(text, confidence, words, this.#parameters.punctuate);
    yield send(
      this.#results(alternative, start, duration, {
        is_final: true,
        speech_final: isSpeechFinal,
        fromFinalize,
      }),
    );
  }

  *#interim({ tokens }: DraftEvent): Generator<DeepgramMessage> {
    if (!this.#parameters.interim) return;
    const words = wordsOf([...this.#open, ...tokens]);
    const [first, last] = [words[0], words.at(-1)];
    if (!first || !last) return;
    const confidence = words.reduce((least, word) => Math.min(least, word.confidence), 1);
    const text = words.map((word) => word.text).join(' ');
    const alternative = alternativeOf(text, confidence, words, this.#parameters.punctuate);
    const flags = { is_final: false, speech_final: false, fromFinalize: false };
    yield { interim: true, message: this.#results(alternative, first.start, last.end - first.start, flags) };
  }

  *#utteranceEnd(time: number): Generator<DeepgramMessage> {
    const { utteranceEnd } = this.#parameters;
    const last = this.#lastWord;
    if (utteranceEnd === undefined || last === undefined || time - last < utteranceEnd) return;
    this.#lastWord = undefined;
    yield send({ type: 'UtteranceEnd', channel: this.#index, last_word_end: rounded(last) });
  }

  /** An utterance is over whose last sentence has been sent before. */
  #empty(fromFinalize: boolean): object {
    const flags = { is_final: true, speech_final: true, fromFinalize };
    return this.#results({ transcript: '', confidence: 0, words: [] }, this.#final, 0, flags);
  }

  #results(
    alternative: object,
    start: number,
    duration: number,
    { fromFinalize, ...flags }: { is_final: boolean; speech_final: boolean; fromFinalize: boolean },
  ): object {
    return {
      type: 'Results',
      channel_index: this.#index,
      duration: rounded(duration),
      start: rounded(start),
      ...flags,
      channel: { alternatives: [alternative] },
      metadata: this.#metadata,
      from_finalize: fromFinalize,
    };
  }
}

const send = (message: object): DeepgramMessage => ({ interim: false, message });
