import { describe, expect, test } from 'vitest';
import type { Token } from '../../src/events.js';
import { goesOnAfter } from '../../src/text/abbreviations.js';
import { splitSentences } from '../../src/text/sentence-splitter.js';

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
    ['No.', 'I', false],
    ['done.', 'and', false],
    ['done.', 'And', false],
    ['art.', 'The', false],
    ['sec.', 'Then', false],
    ['Mme.', 'Dupont', true],
    ['M.', 'Dupont', true],
    ['J.-C.', 'et', true],
    ['J.-C.', 'Les', false],
    ['janv.', 'Les', false],
    ['c.-à-d.', 'Paris', true],
    ['bzw.', 'Frauen', true],
    ['Mio.', 'Euro', true],
    ['vgl.', 'Kapitel', true],
    ['ggf.', 'Anpassungen', true],
    ['usw.', 'Dann', false],
    ['z.B.', 'Berlin', true],
    ['Nr.', '5', true],
    ['Hauptstr.', '5', true],
    ['Hauptstr.', 'Dann', false],
    ['f.eks.', 'Danmark', true],
    ['„Dr.', 'Weiß', true],
    ['5.', 'maj', true],
    ['5.', 'Then', false],
    ['5.', '6.', true],
    ['1984.', 'Then', false],
  ])('%s before %s: goes on? %s', (word, next, goesOn) => {
    expect(goesOnAfter(word, ` ${next}`)).toBe(goesOn);
  });

  test.each([
    [' Am', '24.', 'Dezember', true],
    [' Am', '24.', 'De', true],
    [' geboren am', '3.', 'Tag', true],
    [' geboren am', '3.', 'Dann', false],
    [' I am', '24.', 'August', false],
    [" I'm", '24.', 'My', false],
    [' im', '19.', 'Jahrhundert', true],
    [' Donnerstag,', '24.', 'Dezember', true],
    ['', '24.', 'Dezember', true],
    [' we have', '5.', 'The', false],
    [' Dr.', 'med.', 'Weiß', true],
    [' the', 'med.', 'Then', false],
    [' p.', 'ex.', 'Paris', true],
    [' mon', 'ex.', 'Paris', false],
  ])('%j %s before %s: goes on? %s', (before, word, next, goesOn) => {
    expect(goesOnAfter(word, ` ${next}`, before)).toBe(goesOn);
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

  test.each([
    ['Am 24. Dezember kommen wir. Dann nicht.', 2],
    ['Den 5. maj rejser vi. Så kommer vi hjem.', 2],
    ['Er kaufte z. B. Brot, d. h. Mehl. Es war teuer.', 2],
    ['Il est né en 50 av. J.-C. et mort à Rome. Les autres, p. ex. Paul, restent.', 2],
    ['Είσαι καλά; Ναι. Πρώτον· δεύτερον', 4],
    ['He paused; then he left. Ok', 2],
    ['She said stop. and then she left. Really.', 2],
    ['no capitals here. none at all.', 2],
    ['col·legi i més. Bé', 2],
    ['यह सही है। वह भी', 2],
    ['هل أنت هنا؟ نعم', 2],
    ['یہ ہے۔ وہ ہے۔', 2],
    ['ሰላም ነው። እሺ።', 2],
    ['Um 50 v. Chr. Dann kam er.', 2],
  ])('of %s: %i', (text, count) => {
    const whole = text.split(/(?= )/).map((word, i) => (i === 0 ? ` ${word}` : word));
    const pieces = whole.flatMap((word) => word.match(/^ ?.|./gsu) ?? []);
    // In whole words, and in pieces of a letter each.
    for (const tokens of [whole, pieces]) {
      const found = sentencesOf(...tokens);
      expect(found.join(' ').replace(/\s/g, '')).toBe(text.replace(/\s/g, ''));
      expect(found).toHaveLength(count);
    }
  });
});
