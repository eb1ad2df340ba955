/**
 * Turns: every start has an end, all text is inside of turns, and nothing final is lost or said twice.
 */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { Sentence, StreamStats, Token, TranscriptEvent } from '../../src/events.js';
import { type TurnEvent, Turns } from '../../src/livekit/turns.js';

const tokenAt = (text: string, start: number): Token => ({
  id: 1,
  text,
  start,
  end: start + 0.2,
  duration: 0.2,
  confidence: 0.9,
});
const sentenceOf = (...tokens: Token[]): Sentence => ({
  text: tokens
    .map(({ text }) => text)
    .join('')
    .trim(),
  start: tokens[0]?.start ?? 0,
  end: tokens.at(-1)?.end ?? 0,
  duration: 1,
  confidence: 0.9,
  tokens,
  words: [],
});
const stats = { audioSeconds: 10 } as StreamStats;
const run = (events: TranscriptEvent[], turns = new Turns()): TurnEvent[] =>
  events.flatMap((event) => turns.push(event));
const typesOf = (events: readonly TurnEvent[]) => events.map(({ type }) => type);

const [hello, world, again] = [tokenAt(' Hello', 1), tokenAt(' world.', 1.3), tokenAt(' Again', 4)];
const draft = (tokens: Token[], revision = 1): TranscriptEvent => ({
  type: 'draft',
  tokens,
  text: '',
  revision,
});

describe('a turn', () => {
  test('starts, changes, becomes final and ends with its whole text', () => {
    const events = run([
      { type: 'speechStart', time: 0.9 },
      draft([hello]),
      { type: 'token', token: hello },
      draft([world]),
      { type: 'token', token: world },
      { type: 'sentence', sentence: sentenceOf(hello, world) },
      { type: 'speechEnd', time: 1.6 },
      { type: 'endOfUtterance', start: 1, end: 1.5, reason: 'punctuation' },
    ]);
    expect(typesOf(events)).toEqual(['start', 'interim', 'interim', 'final', 'end']);
    expect(events.flatMap((event) => (event.type === 'interim' ? [event.interim.text] : []))).toEqual([
      'Hello',
      'Hello world.',
    ]);
    expect(events.at(-1)).toMatchObject({ time: 1.5, whole: { text: 'Hello world.', start: 1, end: 1.5 } });
  });

  test('starts with its first text if no voice was noticed', () => {
    expect(run([draft([hello])])).toMatchObject([{ type: 'start', time: 1 }, { type: 'interim' }]);
  });

  test('of sound without words ends, although the next voice is heard before that is certain', () => {
    const events = run([
      { type: 'speechStart', time: 1 },
      { type: 'speechEnd', time: 2 },
      { type: 'progress', time: 2.3 },
      { type: 'speechStart', time: 3.1 },
      { type: 'progress', time: 2.9 },
      { type: 'progress', time: 3.1 },
      { type: 'progress', time: 5 },
    ]);
    expect(events.filter(({ type }) => type !== 'usage')).toEqual([
      { type: 'start', time: 1 },
      { type: 'end', time: 2, whole: undefined },
      { type: 'start', time: 3.1 },
    ]);
  });

  test('that begins before the last one is final starts right after its end', () => {
    const events = run([
      { type: 'speechStart', time: 0.9 },
      { type: 'token', token: hello },
      { type: 'speechEnd', time: 1.2 },
      { type: 'speechStart', time: 3.9 },
      { type: 'sentence', sentence: sentenceOf(hello) },
      { type: 'endOfUtterance', start: 1, end: 1.2, reason: 'silence' },
      { type: 'token', token: again },
    ]);
    expect(events).toMatchObject([
      { type: 'start', time: 0.9 },
      { type: 'final' },
      { type: 'end', time: 1.2 },
      { type: 'start', time: 3.9 },
    ]);
  });

  test('of noise without a word ends when it is quiet', () => {
    const events = run([
      { type: 'speechStart', time: 1 },
      { type: 'speechEnd', time: 2 },
      { type: 'progress', time: 2.5 },
      { type: 'progress', time: 3.1 },
    ]);
    expect(events).toEqual([
      { type: 'start', time: 1 },
      { type: 'end', time: 2, whole: undefined },
    ]);
  });

  test('shows a draft once, and not the words of a sentence that is final', () => {
    const events = run([
      { type: 'token', token: hello },
      draft([]),
      draft([], 2),
      { type: 'sentence', sentence: { ...sentenceOf(hello), revised: true, tokens: [tokenAt(' Halo', 1)] } },
      draft([again], 3),
    ]);
    const shown = events.flatMap((event) => (event.type === 'interim' ? [event.interim.text] : []));
    expect(shown).toEqual(['Hello', 'Again']);
  });
});

test('usage adds up to the audio, counted from where the stream begins', () => {
  const events = run(
    [
      { type: 'progress', time: 104 },
      { type: 'progress', time: 106 },
      { type: 'end', stats },
    ],
    new Turns(100),
  );
  const seconds = events.flatMap((event) => (event.type === 'usage' ? [event.seconds] : []));
  expect(seconds).toEqual([6, 4]);
});

test('starts and ends alternate, and text is between them, whatever the events', () => {
  const times = fc.double({ min: 0, max: 100, noNaN: true });
  const words = times.map((time) => tokenAt(' word', time));
  const event: fc.Arbitrary<TranscriptEvent> = fc.oneof(
    times.map((time): TranscriptEvent => ({ type: 'speechStart', time })),
    times.map((time): TranscriptEvent => ({ type: 'speechEnd', time })),
    times.map((time): TranscriptEvent => ({ type: 'progress', time })),
    words.map((token): TranscriptEvent => ({ type: 'token', token })),
    fc.array(words, { maxLength: 3 }).map((tokens) => draft(tokens)),
    words.map((token): TranscriptEvent => ({ type: 'sentence', sentence: sentenceOf(token) })),
    times.map(
      (time): TranscriptEvent => ({ type: 'endOfUtterance', start: 0, end: time, reason: 'silence' }),
    ),
  );
  fc.assert(
    fc.property(fc.array(event, { maxLength: 40 }), (list) => {
      let isTurn = false;
      const sentences = list.filter(({ type }) => type === 'sentence').length;
      const events = run(list);
      for (const { type } of events) {
        if (type === 'start' || type === 'end') {
          expect(isTurn).toBe(type === 'end');
          isTurn = type === 'start';
        } else if (type !== 'usage') expect(isTurn).toBe(true);
      }
      expect(events.filter(({ type }) => type === 'final')).toHaveLength(sentences);
    }),
  );
});
