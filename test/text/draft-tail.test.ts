// The tail that follows the finals, whatever comes first: at each moment finals and tail together are what was said, once.
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { Token } from '../../src/events.js';
import { DraftTail } from '../../src/text/draft-tail.js';
import { WORD_JITTER } from '../../src/text/word-alignment.js';

const token = (text: string, start: number, end = start + 0.08): Token => ({
  id: 1,
  text,
  start,
  end,
  duration: end - start,
  confidence: 1,
});
const textOf = (tokens: readonly Token[]) => tokens.map(({ text }) => text).join('');
/** Words 0.3 s apart, each one token. */
const tokens = (text: string, from = 0, every = 0.3) =>
  text.split(' ').map((word, i) => token(` ${word}`, from + i * every));

/** A tail after these finals and this draft. */
function tailOf(finals: Token[], heard: Token[], progress: number, tentative: Token[] = []): string {
  const tail = new DraftTail();
  for (const final of finals) tail.final(final);
  tail.advance(progress);
  tail.hear(heard, tentative);
  return textOf(tail.next());
}

const said = fc.array(
  fc.record({
    word: fc.constantFrom('very', 'verily', 'no', 'nothing', 'not', 'a'),
    gap: fc.double({ min: 0.16, max: 1.2, noNaN: true }),
    late: fc.double({ min: 0, max: WORD_JITTER - 0.02, noNaN: true }),
    /** Where each model cuts the word into tokens. */
    cuts: fc.tuple(fc.nat(6), fc.nat(6)),
  }),
  { minLength: 1, maxLength: 30 },
);

/** The tokens of a word, cut in two, the second a frame later. */
const pieces = (word: string, cut: number, start: number): Token[] => {
  const [first, second] = [word.slice(0, cut), word.slice(cut)];
  if (first === '' || second === '') return [token(` ${word}`, start)];
  return [token(` ${first}`, start), token(second, start + 0.08)];
};

describe('DraftTail', () => {
  test('finals and tail are what was said, at each moment, without a repeated or missing letter', () => {
    const property = fc.property(said, fc.array(fc.boolean(), { maxLength: 120 }), (list, order) => {
      let time = 0;
      let floor = 0;
      const accurate: Token[] = [];
      const fast: Token[] = [];
      for (const { word, gap, late, cuts } of list) {
        time += gap;
        floor = Math.max(floor + 0.16, time + late);
        // Only words that both place within the jitter are the same word.
        fc.pre(floor - time < WORD_JITTER);
        accurate.push(...pieces(word, cuts[0], time));
        fast.push(...pieces(word, cuts[1], floor));
      }
      const whole = textOf(accurate);
      const tail = new DraftTail();
      let [final, heard] = ['', ''];
      let [a, f] = [0, 0];
      for (const isFinal of [...order, ...accurate.map(() => true), ...fast.map(() => false)]) {
        const next = isFinal ? accurate[a] : fast[f];
        if (!next) continue;
        if (isFinal) {
          a++;
          final += next.text;
          tail.final(next);
          tail.advance(next.end);
        } else {
          f++;
          heard += next.text;
          tail.hear([next]);
        }
        const shown = final + textOf(tail.next());
        expect(shown).toBe(whole.slice(0, Math.max(final.length, heard.length)));
      }
    });
    // A draft that is behind: its cut word is as close to the beginning of the last final word as to the whole one before.
    const even = (word: string, cuts: [number, number]) => ({ word, gap: 0.16, late: 0, cuts });
    const nothing = [
      even('nothing', [0, 4]),
      even('very', [0, 0]),
      even('very', [0, 0]),
      even('not', [0, 0]),
    ];
    const very = [1, 0, 2, 0, 0].map((cut) => even('very', [0, cut]));
    const examples: [typeof nothing, boolean[]][] = [
      [nothing, []],
      [
        [...very, even('very', [1, 0]), even('very', [0, 0])],
        [false, false, false, false],
      ],
    ];
    fc.assert(property, { numRuns: 500, examples });
  });

  test('goes on within a word whose end is not final yet', () => {
    expect(tailOf([token(' trans', 1)], tokens('transcribe it', 1.1), 1.1)).toBe('cribe it');
    expect(tailOf([token(' Hello', 1)], [token(' hello', 1), token(',', 1.2)], 1.1)).toBe(',');
  });

  test('leaves a word alone that was over long ago', () => {
    expect(tailOf([token(' the', 1)], tokens('there', 1.1), 2)).toBe('');
  });

  test('shows the tentative words of a model that may take words back, and replaces them', () => {
    const tail = new DraftTail();
    for (const final of tokens('one two')) tail.final(final);
    tail.advance(0.5);
    tail.hear(tokens('one two'), tokens('tree', 0.6));
    expect(textOf(tail.next())).toBe(' tree');
    tail.hear(tokens('three', 0.6), tokens('four', 0.9));
    expect(textOf(tail.next())).toBe(' three four');
    tail.hear([]);
    expect(textOf(tail.next())).toBe(' three');
  });

  test('places the tail after the final tokens', () => {
    const tail = new DraftTail();
    tail.final(token(' one', 1, 1.4));
    tail.advance(1.2);
    tail.hear([token(' one', 0.7), token(' two', 0.9, 1.1), token(' three', 1.2, 1.3)]);
    expect(tail.next().map(({ text, start, end }) => [text, start, end])).toEqual([
      [' two', 1, 1.1],
      [' three', 1.2, 1.3],
    ]);
  });

  test('leaves out tokens without text', () => {
    expect(tailOf([], [token('', 0.1), ...tokens('so', 0.2)], 0)).toBe(' so');
  });

  test('in languages without spaces each token is a word', () => {
    const heard = [...'你好世界'].map((text, i) => token(text, 0.2 * i));
    expect(tailOf(heard.slice(0, 2), heard, 0.3)).toBe('世界');
  });

  test('settles what was said until a position, and keeps what came after', () => {
    const tail = new DraftTail();
    tail.hear(tokens('one two'));
    const position = tail.position;
    tail.hear(tokens('three', 2));
    tail.final(token(' one', 0));
    tail.advance(1);
    tail.settle(position);
    expect(textOf(tail.next())).toBe(' three');
    tail.settle(tail.position);
    expect(tail.next()).toEqual([]);
  });

  test('keeps little of a long stream, with the same words and with others', () => {
    for (const word of ['same', 'other']) {
      const tail = new DraftTail();
      let most = 0;
      for (let i = 0; i < 3000; i++) {
        tail.final(token(' same', i * 0.3));
        tail.hear([token(` ${word}`, i * 0.3)]);
        tail.advance(i * 0.3 + 0.1);
        tail.next();
        most = Math.max(most, tail.state.finals.length, tail.state.heard.length);
      }
      expect(most).toBeLessThan(100);
      expect(tail.position).toBe(3000);
    }
  });

  test('aligns the words again only when something was said', () => {
    const tail = new DraftTail();
    for (const final of tokens('one two')) tail.final(final);
    tail.advance(0.5);
    tail.hear(tokens('one two three'));
    const changes = [
      () => tail.final(token(' three', 0.6)),
      () => tail.advance(0.7),
      () => tail.hear(tokens('four', 0.9)),
      () => tail.settle(tail.position),
    ];
    for (const change of changes) {
      const before = tail.next();
      expect(tail.next()).toBe(before);
      tail.advance(0.5);
      expect(tail.next()).toBe(before);
      change();
      expect(tail.next()).not.toBe(before);
    }
  });

  test('goes on from its state', () => {
    const tail = new DraftTail();
    for (const final of tokens('one two')) tail.final(final);
    tail.advance(0.5);
    tail.hear(tokens('one two three'), tokens('four', 0.9));
    const other = new DraftTail();
    other.state = JSON.parse(JSON.stringify(tail.state));
    expect(other.next()).toEqual(tail.next());
    for (const one of [tail, other]) {
      one.final(token(' three', 0.6));
      one.advance(0.7);
      expect(textOf(one.next())).toBe(' four');
    }
  });
});
