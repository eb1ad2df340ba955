/** The order of several speakers' events, without streams. What it looks like from outside is in merge.test.ts. */
import { expect, test } from 'vitest';
import type { Token, TranscriptEvent } from '../../src/events.js';
import { Ordering } from '../../src/merge/ordering.js';

const token = (text: string, start: number): TranscriptEvent => ({
  type: 'token',
  token: { id: 0, text, start, end: start + 0.1, duration: 0.1, confidence: 1 } satisfies Token,
});

function ordering() {
  const out: string[] = [];
  const order = new Ordering(10, (event) => {
    if (event.type === 'token') out.push(`${event.speaker}: ${event.token.text}`);
    else if (event.type === 'progress') out.push(`${event.time}`);
    else if (event.type === 'left') out.push(`${event.speaker} left`);
  });
  return { order, out };
}

test('a token goes as soon as no input can give an earlier one', () => {
  const { order, out } = ordering();
  const [anna, ben] = [order.add('Anna', 0), order.add('Ben', 0)];
  order.take(anna, token('a', 1));
  expect(out).toEqual([]);
  order.take(ben, token('b', 0.5));
  order.take(ben, { type: 'progress', time: 2 });
  order.take(anna, { type: 'progress', time: 1.5 });
  expect(out.filter((line) => line.includes(':'))).toEqual(['Ben: b', 'Anna: a']);
});

test('an input that is over holds nothing back, and leaves after its last event', () => {
  const { order, out } = ordering();
  const [anna, ben] = [order.add('Anna', 0), order.add('Ben', 5)];
  order.take(anna, token('a', 6));
  expect(order.speakers).toEqual(['Anna', 'Ben']);
  order.end(ben);
  expect(out.at(-1)).not.toBe('Anna: a');
  order.end(anna);
  expect(out.filter((line) => !/^\d/.test(line))).toEqual(['Ben left', 'Anna: a', 'Anna left']);
  expect(order.empty).toBe(true);
});

test('who is far ahead must wait, the last one never', () => {
  const { order } = ordering();
  const [anna, ben] = [order.add('Anna', 0), order.add('Ben', 0)];
  for (let i = 1; i <= 64; i++) order.take(anna, token('a', i));
  expect(order.mustWait(anna)).toBe(true);
  expect(order.mustWait(ben)).toBe(false);
  order.end(ben);
  expect(order.mustWait(anna)).toBe(false);
});
