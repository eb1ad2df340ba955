import { Readable } from 'node:stream';
import { describe, expect, test } from 'vitest';
import type { Token, TranscriptEvent } from '../../src/events.js';
import { parakeet } from '../../src/parakeet.js';
import { sentences } from '../../src/transforms/sentences.js';
import { writtenForm } from '../../src/transforms/written-form.js';

const token = (text: string, start: number): Token => ({
  id: 1,
  text,
  start,
  end: start + 1,
  duration: 1,
  confidence: 0.9,
});
const said = (text: string, start: number): TranscriptEvent => ({ type: 'token', token: token(text, start) });

async function through(events: TranscriptEvent[], collect = false): Promise<TranscriptEvent[]> {
  const out: TranscriptEvent[] = [];
  for await (const event of Readable.from(events).pipe(sentences({ collect })).pipe(writtenForm()))
    out.push(event as TranscriptEvent);
  return out;
}

const shortly = (events: TranscriptEvent[]) =>
  events.map((event) => {
    if (event.type === 'token') return event.token.text;
    if (event.type === 'draft') return `draft: ${event.text}`;
    if (event.type === 'sentence') return `sentence: ${event.sentence.text}`;
    if (event.type === 'progress') return `final: ${event.time}`;
    return event.type;
  });

test('a number is held until a word follows that does not belong to it, and progress with it', async () => {
  const events = await through([
    said(' About', 0),
    said(' twenty', 1),
    { type: 'progress', time: 2 },
    { type: 'draft', tokens: [token(' five', 2), token(' per', 3)], text: 'five per', revision: 1 },
    said(' five', 2),
    { type: 'progress', time: 3 },
    said(' percent', 3),
    { type: 'progress', time: 4 },
    said(' came', 4),
    { type: 'progress', time: 5 },
  ]);
  expect(shortly(events)).toEqual([
    ' About',
    'final: 1',
    'draft: 25 per',
    ' 25%',
    ' came',
    'final: 5',
    'sentence: About 25% came',
  ]);
  const merged = events.find((event) => event.type === 'token' && event.token.text === ' 25%');
  expect(merged).toMatchObject({ token: { start: 1, end: 4, duration: 3, confidence: expect.closeTo(0.9) } });
});

describe('what is held comes', () => {
  test('before the end of its sentence, whose words are the same', async () => {
    const events = await through(
      [said(' It', 0), said(' is', 1), said(' ten.', 2), said(' Twenty', 3)],
      true,
    );
    expect(shortly(events)).toEqual([' It', ' is', ' 10.', 'sentence: It is 10.', ' 20', 'sentence: 20']);
    for (const event of events) {
      if (event.type !== 'sentence') continue;
      expect(event.sentence.words.map(({ text }) => text).join(' ')).toBe(event.sentence.text);
    }
  });

  test('at a flush, and the next word begins anew', async () => {
    const stage = writtenForm();
    const out: TranscriptEvent[] = [];
    stage.on('data', (event: TranscriptEvent) => out.push(event));
    stage.write(said(' twenty', 0));
    await new Promise(setImmediate);
    expect(out).toEqual([]);
    stage.end();
    await new Promise((resolve) => stage.once('end', resolve));
    expect(shortly(out)).toEqual([' 20']);
  });
});

test('the result that is collected is written too', async () => {
  const stats = {} as never;
  const events = await through([said(' Ten', 0), said(' men.', 1), { type: 'end', stats }], true);
  expect(events.at(-1)).toMatchObject({
    type: 'end',
    result: { text: '10 men.', sentences: [{ text: '10 men.' }] },
  });
});

test('invalid options', () => {
  expect(() => writtenForm({ language: 'de' as never })).toThrow(
    expect.objectContaining({ code: 'ERR_PARAKEET_INVALID_ARGUMENT' }),
  );
  expect(() => parakeet({ text: 'digits' as never })).toThrow(/'spoken' or 'written'|spoken/);
});
