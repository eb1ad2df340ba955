/** The log of a room's sentences: who comes back misses nothing that is kept, and is told what is not. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { RoomSentence } from '../../../src/server/rooms/room-events.js';
import { SentenceLog } from '../../../src/server/rooms/sentence-log.js';

const sentence = (text: string): RoomSentence => ({
  start: 0,
  end: 1,
  text,
  confidence: 1,
  words: [{ text, start: 0, end: 1, confidence: 1 }],
});
const textsAfter = (log: SentenceLog, id?: string) =>
  log.after(id).entries.map((entry) => entry.sentence.text);

describe('a log', () => {
  test('gives what came after any of its ids', () => {
    fc.assert(
      fc.property(fc.array(fc.string(), { maxLength: 20 }), fc.nat(19), (texts, seen) => {
        const log = new SentenceLog();
        const ids = texts.map((text) => log.add(sentence(text)));
        expect(textsAfter(log)).toEqual(texts);
        expect(textsAfter(log, ids[seen])).toEqual(ids[seen] === undefined ? texts : texts.slice(seen + 1));
        expect(log.after(undefined).entries.map(({ id }) => id)).toEqual(ids);
        expect(log.after(ids[seen]).missed).toBe(0);
      }),
    );
  });

  test.each(['nonsense', '00000000-1', '', '-1', '1e9', 'x'.repeat(10_000)])(
    'gives everything after an id that is none of its own: %s',
    (id) => {
      const log = new SentenceLog();
      log.add(sentence('one'));
      expect(textsAfter(log, id)).toEqual(['one']);
    },
  );

  test('gives everything after an id that it has not reached', () => {
    const log = new SentenceLog();
    const id = log.add(sentence('one'));
    expect(textsAfter(log, id.replace(/-1$/, '-7'))).toEqual(['one']);
  });

  test('forgets the oldest, and says how many of them were missed', () => {
    const log = new SentenceLog(1000);
    const ids = Array.from({ length: 50 }, (_, i) => log.add(sentence(`sentence ${i}`)));
    const kept = log.sentences.length;
    expect(kept).toBeLessThan(15);
    expect(kept).toBeGreaterThan(3);
    expect(log.after(ids[9])).toMatchObject({ missed: 40 - kept });
    expect(log.after(undefined).missed).toBe(50 - kept);
    expect(log.after(ids[48]).missed).toBe(0);
    expect(textsAfter(log, ids[48])).toEqual(['sentence 49']);
  });
});
