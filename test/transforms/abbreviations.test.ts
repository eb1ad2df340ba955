import { describe, expect, test } from 'vitest';
import type { Token } from '../../src/events.js';
import { goesOnAfter } from '../../src/transforms/abbreviations.js';
import { splitSentences } from '../../src/transforms/sentence-splitter.js';

describe('a full stop after', () => {
  test.each([
    ['Dr.', 'Smith', true],
    ['(Mr.', 'Jones', true],
    ['e.g.', 'Berlin', true],
    ['J.', 'Bach', true],
    ['U.S.', 'troops', true],
    ['U.S.', 'Then', false],
    ['p.m.', 'on', true],
    ['p.m.', 'We', false],
    ['etc.', 'and', true],
    ['etc.', 'The', false],
    ['No.', '5', true],
    ['I.', 'Then', false],
    ['done.', 'and', false],
  ])('%s before %s: goes on? %s', (word, next, goesOn) => {
    expect(goesOnAfter(word, next)).toBe(goesOn);
  });
});

/** Pieces as a SentencePiece model gives them: a space begins a word. */
function tokens(...texts: string[]): Token[] {
  return texts.map((text, i) => ({
    id: i,
    text,
    start: i * 0.2,
    end: i * 0.2 + 0.1,
    duration: 0.1,
    confidence: 1,
  }));
}
const sentencesOf = (...texts: string[]) => splitSentences(tokens(...texts)).map((sentence) => sentence.text);

describe('sentences', () => {
  test('do not end at abbreviations, initials and numbers, in whatever pieces they come', () => {
    expect(
      sentencesOf(' D', 'r', '.', ' Smith', ' paid', ' 3', '.', '5', ' dollars', '.', ' He', ' left', '.'),
    ).toEqual(['Dr. Smith paid 3.5 dollars.', 'He left.']);
    expect(sentencesOf(' the', ' U', '.', 'S', '.', ' army', ' came', '.')).toEqual(['the U.S. army came.']);
    expect(sentencesOf(' the', ' U', '.S.', ' Then', ' it', ' left', '.')).toEqual([
      'the U.S.',
      'Then it left.',
    ]);
    expect(sentencesOf(' J', '.', ' S', '.', ' Bach', ' wrote', '.', ' We', ' play', '.')).toEqual([
      'J. S. Bach wrote.',
      'We play.',
    ]);
  });

  test('end where they did before', () => {
    expect(sentencesOf(' It', ' is', ' so', '.', ' Is', ' it', '?', ' Yes', '.')).toEqual([
      'It is so.',
      'Is it?',
      'Yes.',
    ]);
    expect(sentencesOf(' Call', ' the', ' Dr', '.')).toEqual(['Call the Dr.']);
  });
});
