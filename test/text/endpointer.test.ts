import { describe, expect, test } from 'vitest';
import type { Token, TranscriptEvent } from '../../src/events.js';
import { Endpointer, settleUtterances, type UtteranceOptions } from '../../src/text/endpointer.js';
import { sentences } from '../../src/transforms/sentences.js';
import { drain } from '../support/streams.js';

const token = (text: string, start: number, duration = 0.2): Token => ({
  id: 0,
  text,
  start,
  end: start + duration,
  duration,
  confidence: 1,
});

const endpointer = (rules: UtteranceOptions | boolean) =>
  new Endpointer(settleUtterances(rules) as NonNullable<ReturnType<typeof settleUtterances>>);

describe('an utterance ends', () => {
  test('when nothing was said for `maxGap`', () => {
    const rules = endpointer({ maxGap: 0.8 });
    expect(rules.before(token(' so', 1))).toBeUndefined();
    expect(rules.after(token(' so', 1))).toBeUndefined();
    expect(rules.progress(1.9)).toBeUndefined();
    expect(rules.progress(2)).toEqual({ type: 'endOfUtterance', start: 1, end: 1.2, reason: 'silence' });
    expect(rules.progress(9)).toBeUndefined();
  });

  test('sooner after punctuation, also behind a quote', () => {
    for (const text of [' done.', ' done?"', ' 完。']) {
      const rules = endpointer({ maxGap: 2, maxGapAfterPunctuation: 0.4 });
      rules.after(token(text, 0));
      expect(rules.progress(0.5)).toBeUndefined();
      expect(rules.progress(0.6)).toMatchObject({ reason: 'punctuation' });
    }
  });

  test('with the token that makes it too long', () => {
    const rules = endpointer({ maxDuration: 3 });
    expect(rules.after(token(' a', 0))).toBeUndefined();
    expect(rules.after(token(' b', 2.8))).toEqual({
      type: 'endOfUtterance',
      start: 0,
      end: 3,
      reason: 'maxDuration',
    });
  });

  test('with a word that begins long after the last, before it; control tokens decide nothing', () => {
    const rules = endpointer(true);
    rules.after(token(' a', 0));
    expect(rules.before(token('', 5))).toBeUndefined();
    expect(rules.before(token(' b', 5))).toMatchObject({ start: 0, end: 0.2, reason: 'silence' });
  });

  test('rules that make no sense are refused', () => {
    expect(() => endpointer({ maxGap: 0 })).toThrow(/utterances\.maxGap/);
    expect(() => endpointer({ quiet: 1 } as object)).toThrow(/quiet/);
    expect(() => endpointer(7 as unknown as object)).toThrow(/true, or an object of rules/);
  });
});

test('the stage ends the open sentence with the utterance, in this order', async () => {
  const stage = sentences({ utterances: { maxGap: 1 } });
  const events: TranscriptEvent[] = [
    { type: 'token', token: token(' hello', 0) },
    { type: 'progress', time: 0.5 },
    { type: 'progress', time: 1.5 },
    { type: 'token', token: token(' again', 2) },
  ];
  for (const event of events) stage.write(event);
  stage.end();
  const { items } = await drain(stage);
  expect(items.map((event) => (event.type === 'sentence' ? event.sentence.text : event.type))).toEqual([
    'token',
    'progress',
    'hello',
    'endOfUtterance',
    'progress',
    'token',
    'again',
    'endOfUtterance',
  ]);
});
