/** A viewer's connection: what is sent, and what happens to a viewer that does not read. */
import { afterEach, describe, expect, test, vi } from 'vitest';
import type { RoomEvent } from '../../../src/server/rooms/room-events.js';
import { ViewerStream } from '../../../src/server/rooms/viewer-stream.js';

const draft: RoomEvent = { type: 'draft', data: { final: 'x'.repeat(1000), tentative: '' } };
const sentence: RoomEvent = {
  type: 'sentence',
  data: { start: 0, end: 1, text: 'x'.repeat(1000), confidence: 1, words: [] },
};
const state: RoomEvent = { type: 'state', data: { live: true } };

const streams: ViewerStream[] = [];
function open(mostWaiting = 200_000) {
  const dropped = vi.fn();
  const stream = new ViewerStream(mostWaiting, dropped);
  streams.push(stream);
  return { stream, dropped };
}
afterEach(() => {
  vi.useRealTimers();
  for (const stream of streams.splice(0)) stream.destroy();
});

describe('a viewer that reads', () => {
  test('gets events in the form of server-sent events, and the end', async () => {
    const { stream } = open();
    stream.show(state);
    stream.show({ ...sentence, data: { ...sentence.data, text: 'two\n\nlines' } as never }, 'a-1');
    stream.end();
    let text = '';
    for await (const part of stream) text += part;
    expect(text).toBe(
      'retry: 2000\n\nevent: state\ndata: {"live":true}\n\n' +
        'id: a-1\nevent: sentence\ndata: {"start":0,"end":1,"text":"two\\n\\nlines","confidence":1,"words":[]}\n\n' +
        'event: end\ndata: {}\n\n',
    );
  });

  test('hears now and then that the connection is alive', () => {
    vi.useFakeTimers();
    const { stream } = open();
    stream.read();
    vi.advanceTimersByTime(15_000);
    expect(String(stream.read())).toBe(': \n\n');
  });
});

describe('a viewer that does not read', () => {
  test('loses drafts first, but no sentence', () => {
    const { stream, dropped } = open();
    stream.follow();
    for (let i = 0; i < 100; i++) {
      stream.show(draft);
      stream.show(sentence, `a-${i}`);
    }
    expect(dropped.mock.calls.length).toBeGreaterThan(50);
    expect(String(stream.read()).match(/^event: sentence$/gm)).toHaveLength(100);
  });

  test('loses the connection when too much waits, and can be written to without harm', () => {
    const { stream } = open();
    stream.follow();
    for (let i = 0; i < 1000; i++) stream.show(sentence, `a-${i}`);
    expect(stream.destroyed).toBe(true);
    stream.end();
  });

  test('is not blamed for what was there when it came', () => {
    const { stream } = open();
    for (let i = 0; i < 1000; i++) stream.show(sentence, `a-${i}`);
    stream.follow();
    for (let i = 0; i < 100; i++) stream.show(sentence, `a-${i}`);
    expect(stream.destroyed).toBe(false);
  });
});
