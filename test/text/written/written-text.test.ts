/** Numbers in their written form: 500 pairs, and the same however the text is cut into tokens. */
import { readFileSync } from 'node:fs';
import path from 'node:path';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { Token } from '../../../src/events.js';
import { textOf } from '../../../src/text/sentence-splitter.js';
import { WrittenText, written } from '../../../src/text/written/written-text.js';

const pairs = readFileSync(path.join(import.meta.dirname, 'pairs.tsv'), 'utf8')
  .trimEnd()
  .split('\n')
  .map((line) => line.split('\t') as [spoken: string, expected: string]);

/** Pieces of a text, each a token of 80 ms. */
function tokensOf(pieces: readonly string[]): Token[] {
  return pieces.map((text, i) => {
    const start = 0.08 * i;
    return { id: i, text, start, end: start + 0.08, duration: 0.08, confidence: 0.9 };
  });
}

const wordsOf = (text: string) => text.split(' ').map((word) => ` ${word}`);

test('there are 500 pairs', () => {
  expect(pairs.length).toBeGreaterThanOrEqual(500);
});

test.each(pairs)('%s', (spoken, expected) => {
  expect(textOf(written(tokensOf(wordsOf(spoken))))).toBe(expected);
});

/** A text of pairs, cut anywhere as a vocabulary of pieces would cut it: a space begins a piece. */
const cutText = fc
  .array(fc.constantFrom(...pairs), { minLength: 1, maxLength: 4 })
  .chain((chosen) => {
    const words = wordsOf(chosen.map(([spoken]) => spoken).join(' '));
    return fc.tuple(
      ...words.map((word) =>
        fc.nat({ max: word.length - 1 }).map((at) => [word.slice(0, at + 1), word.slice(at + 1)]),
      ),
    );
  })
  .map((cut) => cut.flat().filter((piece) => piece !== '' && piece !== ' '));

describe('tokens', () => {
  test('however they are cut, and whenever they come: the same text, and nothing that was given out changes', () => {
    fc.assert(
      fc.property(cutText, (pieces) => {
        const tokens = tokensOf(pieces.map((piece, i) => (i > 0 && !piece.startsWith(' ') ? piece : piece)));
        const text = new WrittenText();
        const given: Token[] = [];
        for (const [i, token] of tokens.entries()) {
          given.push(...text.push(token));
          // What is held is not before what was given out.
          if (given.length > 0)
            expect(text.heldFrom).toBeGreaterThanOrEqual((given.at(-1) as Token).end - 1e-9);
          const preview = [...given, ...text.preview(tokens.slice(i + 1))];
          expect(textOf(preview)).toBe(textOf(written(tokens)));
        }
        given.push(...text.finish());
        expect(given).toEqual(written(tokens));
        expect(textOf(given)).toBe(textOf(written(tokensOf(wordsOf(textOf(tokens))))));
      }),
      { numRuns: 200 },
    );
  });

  test('keep their times, in order', () => {
    fc.assert(
      fc.property(cutText, (pieces) => {
        const tokens = tokensOf(pieces);
        const out = written(tokens);
        expect(out[0]?.start).toBe(tokens[0]?.start);
        expect(out.at(-1)?.end).toBeCloseTo(tokens.at(-1)?.end as number);
        for (const [i, token] of out.entries()) {
          expect(token.end).toBeGreaterThanOrEqual(token.start);
          expect(token.duration).toBeCloseTo(token.end - token.start);
          if (i > 0) expect(token.start).toBeGreaterThanOrEqual((out[i - 1] as Token).end - 1e-9);
        }
      }),
    );
  });

  test('words that no number begins with are not held', () => {
    const text = new WrittenText();
    const [she, said] = tokensOf([' she', ' said']) as [Token, Token];
    expect(text.push(she)).toEqual([she]);
    expect(text.push(said)).toEqual([said]);
    const [twen, ty, five, people] = tokensOf([' twen', 'ty', ' five', ' people']) as [
      Token,
      Token,
      Token,
      Token,
    ];
    expect([twen, ty, five].flatMap((token) => text.push(token))).toEqual([]);
    expect(text.heldFrom).toBe(twen.start);
    expect(textOf(text.push(people))).toBe('25 people');
    expect(text.heldFrom).toBe(Number.POSITIVE_INFINITY);
  });

  test('of somebody who counts for minutes are not all held', () => {
    const text = new WrittenText();
    const counted = Array.from({ length: 1000 }, (_, i) => (i % 2 === 0 ? ' ten' : ' twenty'));
    let held = 0;
    let given = 0;
    for (const [i, token] of tokensOf(counted).entries()) {
      given += text.push(token).length;
      held = Math.max(held, i + 1 - given);
    }
    expect(held).toBeLessThan(100);
    expect(textOf(written(tokensOf(counted)))).toBe(textOf(tokensOf(counted)));
  });

  test('without text pass', () => {
    const silent = { ...(tokensOf([''])[0] as Token) };
    expect(new WrittenText().push(silent)).toEqual([silent]);
  });

  test('of several words in writing share the time', () => {
    const out = written(tokensOf([' three', ' thirty', ' p.m.', ' then']));
    expect(out.map(({ text }) => text)).toEqual([' 3:30', ' p.m.', ' then']);
    expect(out[0]).toMatchObject({ id: 0, start: 0 });
    expect(out[1]?.end).toBeCloseTo(0.24);
  });
});
