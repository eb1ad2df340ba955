/**
 * How a client's live transcript is made, whoever makes it: this server, or another one of the cluster that goes on with it. Plain JSON, so that it can be
 * kept beside a snapshot.
 */
import type { BoostPhrase, Latency, Model, UtteranceOptions } from '../index.js';
import { spellable } from './phrases.js';

/** What a protocol says of it. */
export interface WantedTranscript {
  /**
   * Send `draft` events.
   * @defaultValue true
   */
  drafts?: boolean;
  /**
   * When an utterance is over.
   * @defaultValue true, by the library's rules
   */
  utterances?: UtteranceOptions | boolean;
  /** Phrases to listen for; those that the model cannot spell are left out. */
  boost?: readonly BoostPhrase[];
  /**
   * Seconds that are added to all times: where this transcript begins in its room.
   * @defaultValue 0
   */
  offset?: number;
}

/** Most seconds of a sentence: none stays open for longer, however long nobody pauses. */
const MAX_SENTENCE = 12;

/** The options of `parakeet()` and `movableStream()`. @throws {@link ArgumentError} for what is no phrase. */
export function transcriptOptions(
  { drafts = true, utterances = true, boost = [], offset = 0 }: WantedTranscript,
  { model, latency }: { model: Model; latency: Latency },
) {
  return {
    ...{ latency, drafts, utterances, offset },
    sentences: { maxDuration: MAX_SENTENCE },
    decoding: { boost: spellable(model, boost) },
  };
}

export type TranscriptOptions = ReturnType<typeof transcriptOptions>;
