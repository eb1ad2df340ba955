// Two transcripts of the same words that place them differently: exactly the final words must be covered, whatever the times.
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { alignWords, plainWord, type TimedWord, WORD_JITTER } from '../../src/text/word-alignment.js';

const words = (text: string, from = 0, every = 0.3): TimedWord[] =>
  text
    .split(' ')
    .filter((word) => word !== '')
    .map((word, i) => ({ plain: plainWord(word), start: from + i * every }));

const covered = (finals: TimedWord[], drafts: TimedWord[], progress: number) =>
  alignWords(finals, drafts, progress).covered;

/** Few different words, so that they often repeat. */
const vocabulary = fc.constantFrom('very', 'no', 'yes', 'the');
const gaps = fc.array(fc.record({ word: vocabulary, gap: fc.double({ min: 0.08, max: 1, noNaN: true }) }), {
  minLength: 1,
  maxLength: 24,
});
const jitter = fc.infiniteStream(fc.double({ min: 0, max: WORD_JITTER - 0.01, noNaN: true }));

/** What was said, as two models place it: each word of the draft is up to the jitter later, or earlier. */
function placed(
  said: { word: string; gap: number }[],
  late: Iterator<number>,
  early: boolean,
): { finals: TimedWord[]; drafts: TimedWord[] } {
  let time = 0;
  let floor = 0;
  const both = said.map(({ word, gap }) => {
    time += gap;
    const by = late.next().value as number;
    floor = Math.max(floor, early ? time - by : time + by);
    return [
      { plain: word, start: time },
      { plain: word, start: floor },
    ] as const;
  });
  return { finals: both.map(([final]) => final), drafts: both.map(([, draft]) => draft) };
}

describe('alignWords', () => {
  test('covers exactly the final words, for all that is final at any moment, if both heard the same words', () => {
    const property = fc.property(gaps, jitter, fc.boolean(), fc.nat(), (said, late, early, at) => {
      const { finals, drafts } = placed(said, late, early);
      // A word that is placed after all the others' times would be further from its partner than the jitter.
      fc.pre(finals.every(({ start }, i) => Math.abs(start - (drafts[i]?.start ?? 0)) < WORD_JITTER));
      const count = at % (finals.length + 1);
      const progress = (finals[count - 1]?.start ?? 0) + 1e-6;
      expect(covered(finals.slice(0, count), drafts, progress)).toBe(count);
    });
    fc.assert(property, { numRuns: 1000 });
  });

  test('covers all words of a draft that is behind what is final', () => {
    const property = fc.property(gaps, jitter, fc.nat(), (said, late, at) => {
      const { finals, drafts } = placed(said, late, false);
      fc.pre(finals.every(({ start }, i) => Math.abs(start - (drafts[i]?.start ?? 0)) < WORD_JITTER));
      const count = at % (drafts.length + 1);
      const progress = (finals.at(-1)?.start ?? 0) + 1e-6;
      expect(covered(finals, drafts.slice(0, count), progress)).toBe(count);
    });
    fc.assert(property, { numRuns: 500 });
  });

  test('covers a misheard word with the right one at its time', () => {
    const property = fc.property(gaps, fc.nat(), fc.nat(), (said, at, wrong) => {
      const { finals } = placed(said, fc.sample(fc.constant(0), said.length).values(), false);
      const heard = finals.map((word, i) => ({
        plain: i === wrong % said.length ? 'other' : word.plain,
        start: word.start,
      }));
      const count = at % (finals.length + 1);
      const progress = (finals[count - 1]?.start ?? 0) + 1e-6;
      expect(covered(finals.slice(0, count), heard, progress)).toBe(count);
    });
    fc.assert(property, { numRuns: 500 });
  });

  test('a word that only the draft has is dropped once what is final is past it', () => {
    const drafts = words('so uh then we');
    expect(covered(words('so'), drafts, 0.5)).toBe(1);
    expect(covered(words('so'), drafts, 0.3 + WORD_JITTER + 0.01)).toBe(2);
    expect(covered([...words('so'), { plain: 'then', start: 0.6 }], drafts, 0.7)).toBe(3);
  });

  test('a word that only the accurate model has covers nothing that was said later', () => {
    const finals = words('we really go');
    const drafts = [
      { plain: 'we', start: 0 },
      { plain: 'go', start: 0.6 },
      { plain: 'home', start: 0.95 },
    ];
    expect(covered(finals, drafts, 0.9)).toBe(2);
  });

  test('keeps both of two equal words when one is final', () => {
    const drafts = words('very very good', 0, 0.4);
    expect(covered(words('very'), drafts, 0.35)).toBe(1);
    expect(covered(words('very very', 0, 0.4), drafts, 0.7)).toBe(2);
  });

  test('says which word replaces which', () => {
    const finals = words('ice cream is good');
    expect(alignWords(finals, words('i scream is good now'), 1).partners).toEqual([0, 1, 2, 3]);
    expect(alignWords(words('yes of course'), words('yes course'), 1).partners[0]).toBe(0);
  });

  test('with nothing on one side covers nothing', () => {
    expect(alignWords([], [], 3)).toEqual({ covered: 0, partners: [] });
    expect(covered([], words('a b'), 0)).toBe(0);
    expect(covered(words('a b'), [], 1)).toBe(0);
  });
});

describe('plainWord', () => {
  test('keeps letters, marks and digits of any script', () => {
    expect(plainWord(' Don’t,')).toBe('dont');
    expect(plainWord('«Ünïcode!»')).toBe('ünïcode');
    expect(plainWord('नमस्ते।')).toBe('नमस्ते');
    expect(plainWord(' ｋｍ 12')).toBe('km12');
    expect(plainWord(' —')).toBe('');
  });
});
