// Where refined sentences are cut: the words of a stream that is heard again, given by hand.
import { describe, expect, test } from 'vitest';
import type { Sentence, Token } from '../../src/events.js';
import { splitSentences } from '../../src/text/sentence-splitter.js';
import { Refiner } from '../../src/transforms/refiner.js';

/** Words at the seconds given: `at('so it is.', 1, 1.4, 1.8)`. */
function at(text: string, ...starts: number[]): Token[] {
  return text.split(' ').map((word, i) => {
    const start = starts[i] as number;
    return { id: i, text: ` ${word}`, start, end: start + 0.2, duration: 0.2, confidence: 0.9 };
  });
}

/** A stream whose better words are known. */
function refiner(better: Token[]) {
  const asked: [number, number][] = [];
  const hearAgain = async (from: number, until: number) => {
    asked.push([from, until]);
    return better.filter((token) => token.start >= from && token.start < until);
  };
  return { refiner: new Refiner(hearAgain), asked };
}

const sentence = (tokens: Token[]): Sentence => splitSentences(tokens)[0] as Sentence;

describe('a refined sentence', () => {
  test('has the better words and times, and says so', async () => {
    const better = at('I scream loud. You too.', 1, 1.4, 1.8, 3, 3.4);
    const { refiner: one, asked } = refiner(better);
    const refined = await one.refine(sentence(at('Ice cream loud.', 1.08, 1.4, 1.88)));
    expect(refined).toMatchObject({ text: 'I scream loud.', revised: true, start: 1, end: 2 });
    expect(refined.words).toHaveLength(3);
    expect(await one.refine(sentence(at('You two.', 3, 3.4)))).toMatchObject({
      text: 'You too.',
      revised: true,
    });
    expect(asked[0]).toEqual([0, expect.closeTo(4.08)]);
  });

  test('that is as it was, is what it was', async () => {
    const same = sentence(at('Well done.', 1, 1.4));
    expect(await refiner(at('Well done.', 1, 1.4)).refiner.refine(same)).toBe(same);
  });

  test('takes no word of the next, and leaves none out between: each better word is in one sentence', async () => {
    const better = at('One two three. Four five. Six.', 0, 0.4, 0.8, 1.1, 1.5, 2.2);
    const { refiner: one } = refiner(better);
    const first = await one.refine(sentence(at('One too three', 0.08, 0.4, 0.88)));
    const second = await one.refine(sentence(at('for five.', 1.2, 1.5)));
    const third = await one.refine(sentence(at('Six.', 2.3)));
    expect([first, second, third].map((one) => one.text)).toEqual(['One two three.', 'Four five.', 'Six.']);
  });

  test('of which nothing is heard again stays, and the next does not get its words', async () => {
    const old = sentence(at('Hm.', 1));
    const { refiner: one } = refiner(at('Yes.', 4));
    expect(await one.refine(old)).toBe(old);
    expect(await one.refine(sentence(at('Yes', 4)))).toMatchObject({ text: 'Yes.' });
  });

  test('of endless length is heard again only at its end', async () => {
    const words = Array.from({ length: 300 }, (_, i) => i * 0.5);
    const tokens = at(words.map((i) => `w${i}`).join(' '), ...words);
    const { refiner: one, asked } = refiner(tokens);
    await one.refine(sentence(tokens));
    const [from, until] = asked[0] as [number, number];
    expect(until - from).toBeLessThan(80);
  });
});
