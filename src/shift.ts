/**
 * Shifts events in time: for a stream that is a later part of something longer. Nothing else of them changes.
 */
import type { Sentence, Token, TranscriptEvent, TranscriptResult, Word } from './events.js';

/** The event with all its times later by so many seconds. */
export function shifted<E extends TranscriptEvent>(event: E, seconds: number): E {
  return seconds === 0 ? event : (move(event, seconds) as E);
}

function move(event: TranscriptEvent, by: number): TranscriptEvent {
  switch (event.type) {
    case 'token':
      return { ...event, token: span(event.token, by) };
    case 'draft':
      return { ...event, tokens: event.tokens.map((token) => span(token, by)) };
    case 'sentence':
      return { ...event, sentence: sentence(event.sentence, by) };
    case 'progress':
    case 'speechStart':
    case 'speechEnd':
      return { ...event, time: event.time + by };
    case 'endOfUtterance':
    case 'backchannel':
    case 'gap':
      return span(event, by);
    case 'end':
      return event.result ? { ...event, result: result(event.result, by) } : event;
    default:
      return event;
  }
}

const span = <T extends Token | Word | { start: number; end: number }>(one: T, by: number): T => ({
  ...one,
  start: one.start + by,
  end: one.end + by,
});

const sentence = (one: Sentence, by: number): Sentence => ({
  ...span(one, by),
  tokens: one.tokens.map((token) => span(token, by)),
  words: one.words.map((word) => span(word, by)),
});

const result = (one: TranscriptResult, by: number): TranscriptResult => ({
  ...one,
  sentences: one.sentences.map((each) => sentence(each, by)),
  tokens: one.tokens.map((token) => span(token, by)),
});
