/** Turns of OpenAI's realtime API: a voice is announced once, however early it is heard. */
import { expect, test } from 'vitest';
import type { TranscriptEvent } from '../../../../src/events.js';
import { Turns } from '../../../../src/server/protocols/openai/realtime/turns.js';

const token = (text: string, start: number): TranscriptEvent => ({
  type: 'token',
  token: { id: 1, text, start, end: start + 0.2, duration: 0.2, confidence: 0.9 },
});
const END: TranscriptEvent = { type: 'endOfUtterance', start: 1, end: 1.2, reason: 'silence' };

/** Where speech starts and stops, in milliseconds, and what was said. */
function said(events: readonly TranscriptEvent[], detected = true): unknown[] {
  const turns = new Turns(detected, false);
  return events
    .flatMap((event) => [...turns.take(event)])
    .flatMap(({ type, audio_start_ms, audio_end_ms, transcript }) => {
      if (type === 'input_audio_buffer.speech_started') return [['start', audio_start_ms]];
      if (type === 'input_audio_buffer.speech_stopped') return [['stop', audio_end_ms]];
      return transcript === undefined ? [] : [transcript];
    });
}

test('a voice that is heard before the turn before it is final starts right behind it', () => {
  const events: TranscriptEvent[] = [
    { type: 'speechStart', time: 1 },
    token(' Hello', 1),
    { type: 'speechEnd', time: 1.3 },
    { type: 'speechStart', time: 2.5 },
    END,
    token(' again', 2.6),
  ];
  expect(said(events)).toEqual([['start', 1000], ['stop', 1200], 'Hello', ['start', 2500]]);
});

test('a voice that goes on after the end of an utterance does not start again', () => {
  expect(said([{ type: 'speechStart', time: 1 }, token(' Hello', 1), END])).toEqual([
    ['start', 1000],
    ['stop', 1200],
    'Hello',
  ]);
});

test('sound without a word ends when everything after it is final, and the next voice starts', () => {
  const events: TranscriptEvent[] = [
    { type: 'speechStart', time: 1 },
    { type: 'speechEnd', time: 1.5 },
    { type: 'speechStart', time: 3 },
    { type: 'progress', time: 2.4 },
    { type: 'progress', time: 2.6 },
    { type: 'progress', time: 4 },
  ];
  expect(said(events)).toEqual([['start', 1000], ['stop', 1500], '', ['start', 3000]]);
});

test('a client that commits itself is told of no voice', () => {
  const events: TranscriptEvent[] = [
    { type: 'speechStart', time: 1 },
    { type: 'speechEnd', time: 1.5 },
    { type: 'progress', time: 4 },
  ];
  expect(said(events, false)).toEqual([]);
});
