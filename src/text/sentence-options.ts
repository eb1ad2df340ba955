/** Where sentences end, besides punctuation: the options and their checks. */
import { known, optionalInteger, optionalPositive } from '../options.js';

/** When sentences end, besides punctuation. */
export interface SentenceOptions {
  /**
   * Most words in a sentence, at least 1.
   * @defaultValue no limit
   */
  maxWords?: number | undefined;
  /**
   * Seconds without a token after which a sentence ends, more than 0.
   * @defaultValue no limit
   */
  maxGap?: number | undefined;
  /**
   * Seconds after which a sentence ends with the current token, more than 0.
   * @defaultValue no limit
   */
  maxDuration?: number | undefined;
}

/** The names of {@link SentenceOptions}. */
export const sentenceOptionKeys = ['maxWords', 'maxGap', 'maxDuration'] as const;

/**
 * Checks the options; missing ones become `Infinity`.
 *
 * @param at A prefix for the names in messages.
 * @throws {@link ArgumentError}
 */
export function settleSentences(
  { maxWords, maxGap, maxDuration }: SentenceOptions,
  at = '',
): Required<{ [K in keyof SentenceOptions]: number }> {
  return {
    maxWords: optionalInteger(`${at}maxWords`, maxWords, 1) ?? Number.POSITIVE_INFINITY,
    maxGap: optionalPositive(`${at}maxGap`, maxGap) ?? Number.POSITIVE_INFINITY,
    maxDuration: optionalPositive(`${at}maxDuration`, maxDuration) ?? Number.POSITIVE_INFINITY,
  };
}

/** Checks the group `sentences`. @throws {@link ArgumentError} */
export function checkSentences(sentences: SentenceOptions | undefined): void {
  if (sentences !== undefined)
    settleSentences(known('sentences', sentences, sentenceOptionKeys), 'sentences.');
}
