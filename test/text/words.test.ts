/**
 * The words of a sentence: between spaces, or by Intl.Segmenter where a language writes none. The examples are ones on which
 * all versions of ICU's dictionaries agree.
 */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { Token, Word } from '../../src/events.js';
import { splitSentences } from '../../src/text/sentence-splitter.js';
import { wordsOf } from '../../src/text/words.js';

/** Tokens of these texts, one after the other, each of 0.1 s for a character. */
function tokensOf(...texts: string[]): Token[] {
  let at = 0;
  return texts.map((text, id) => {
    const start = at;
    const duration = text.trim().length / 10;
    at += duration;
    return { id, text, start, end: at, duration, confidence: 0.9 };
  });
}
const texts = (words: Word[]) => words.map((word) => word.text);
const times = (words: Word[]) => words.map(({ start, end }) => [start, end].map((t) => Number(t.toFixed(6))));

describe('with spaces', () => {
  test.each([
    [[' Hel', 'lo', ',', ' wor', 'ld', '.'], 'Hello, world.'],
    [[' (the', ' e', '-', 'mail', ')', " isn't", ' here', '?!'], "(the e-mail) isn't here?!"],
    [[' Grüß', ' dich', ',', ' Ελένη', ' и', ' Саша', '.'], 'Grüß dich, Ελένη и Саша.'],
    [[' 안녕', '하세', '요', ' 大韓民國', '에', '서', ' 왔어요', '.'], '안녕하세요 大韓民國에서 왔어요.'],
  ])('%j stay what stands between them', (pieces, text) => {
    expect(texts(wordsOf(tokensOf(...pieces)))).toEqual(text.split(' '));
  });

  test('times are those of the first and the last token, confidence is the geometric mean', () => {
    const tokens = tokensOf(' wo', 'rd', '!', ' x');
    (tokens[1] as Token).confidence = 0.4;
    const [word] = wordsOf(tokens);
    expect(word).toMatchObject({ text: 'word!', start: 0, end: 0.5 });
    expect(word?.confidence).toBeCloseTo((0.9 * 0.4 * 0.9) ** (1 / 3), 6);
  });

  test('a space alone is no word', () => {
    expect(texts(wordsOf(tokensOf(' a', ' ', ' b', ' ')))).toEqual(['a', 'b']);
  });
});

describe('without spaces', () => {
  test.each([
    ['Chinese', [' 我', '们', '喜欢', '音', '乐', '。'], ['我们', '喜欢', '音乐。']],
    ['Japanese', [' 今日', 'は', '天', '気', 'が', 'いい', '。'], ['今日', 'は', '天気', 'が', 'いい。']],
    ['Thai', [' ฉัน', 'รัก', 'ภาษา', 'ไทย'], ['ฉัน', 'รัก', 'ภาษา', 'ไทย']],
    ['Lao', [' ສະ', 'ບາຍ', 'ດີ'], undefined],
  ])('%s', (_, pieces, words) => {
    const got = texts(wordsOf(tokensOf(...pieces)));
    if (words) expect(got).toEqual(words);
    expect(got.join('')).toBe(pieces.join('').trim());
  });

  test('punctuation goes with the word before it, what opens with the word after it', () => {
    const got = texts(
      wordsOf(tokensOf('“', '你好', '”', '，', '他', '说', '：', '《', '音乐', '》', '！', '！')),
    );
    expect(got).toEqual(['“你好”，', '他', '说：', '《音乐》！！']);
  });

  test('words of other scripts within them keep their apostrophes and hyphens', () => {
    const got = texts(
      wordsOf(tokensOf(' 我', '用', 'i', 'Phone', '发', 'e', '-', 'mail', '，', "it's", '，', 'OK', '。')),
    );
    expect(got).toEqual(['我', '用', 'iPhone', '发', 'e-mail，', "it's，", 'OK。']);
  });

  test('spaces within them still part words', () => {
    expect(texts(wordsOf(tokensOf(' 音乐', ' rock', '　', '音乐')))).toEqual(['音乐', 'rock', '音乐']);
  });

  test('a token that spans words gives each its part of the time', () => {
    const words = wordsOf(tokensOf(' 我们喜', '欢音乐', '。'));
    expect(texts(words)).toEqual(['我们', '喜欢', '音乐。']);
    expect(times(words)).toEqual([
      [0, 0.2],
      [0.2, 0.4],
      [0.4, 0.7],
    ]);
  });

  test('confidence is that of all tokens that it touches', () => {
    const tokens = tokensOf('我们喜', '欢', '音乐');
    (tokens[0] as Token).confidence = 0.4;
    const confidences = wordsOf(tokens).map((word) => Number(word.confidence.toFixed(6)));
    expect(confidences).toEqual([0.4, 0.6, 0.9]);
  });

  test('tokens of no length keep their time, control tokens count for nothing', () => {
    const tokens = tokensOf('我们', '', '喜欢').map((token) => ({ ...token, start: 1, end: 1, duration: 0 }));
    expect(times(wordsOf(tokens))).toEqual([
      [1, 1],
      [1, 1],
    ]);
  });

  test('sentences have them', () => {
    const sentences = splitSentences(tokensOf(' 我们', '喜欢', '音乐', '。', '你', '好', '！'));
    expect(sentences.map(({ words }) => texts(words))).toEqual([['我们', '喜欢', '音乐。'], ['你好！']]);
  });
});

test('whatever the tokens: nothing is lost, and time goes forward', () => {
  const piece = fc.oneof(
    fc.constantFrom(
      ' ',
      ' a',
      "n't",
      '-',
      '.',
      '，',
      '「',
      '」',
      '我们',
      '喜',
      '欢音乐',
      'ー',
      'が',
      'カ',
      'ไทย',
      'ภา',
      '。',
      '2024',
      '年',
      '👍',
      '\ud83d',
      '안',
    ),
    fc.string({ unit: 'grapheme', maxLength: 4 }),
  );
  fc.assert(
    fc.property(fc.array(piece, { maxLength: 12 }), (pieces) => {
      const tokens = tokensOf(...pieces);
      const words = wordsOf(tokens);
      const bare = (text: string) => text.replace(/\s/g, '');
      expect(bare(texts(words).join(''))).toBe(bare(pieces.join('')));
      let at = 0;
      for (const { text, start, end } of words) {
        expect(text).not.toBe('');
        expect(start).toBeGreaterThanOrEqual(at - 1e-9);
        expect(end).toBeGreaterThanOrEqual(start);
        at = start;
      }
      const last = tokens.at(-1)?.end ?? 0;
      expect(words.at(-1)?.end ?? 0).toBeLessThanOrEqual(last);
    }),
  );
});

test('maxWords counts them, so that a sentence ends in every language', () => {
  const sentences = (maxWords: number, ...pieces: string[]) =>
    splitSentences(tokensOf(...pieces), { maxWords }).map((sentence) => sentence.text);
  const chinese = [' 我们', '今天', '学习', '中', '文', '。'];
  expect(sentences(2, ...chinese)).toEqual(['我们今天', '学习中文。']);
  expect(sentences(100, ...chinese)).toEqual(['我们今天学习中文。']);
  for (const max of [1, 2, 3]) {
    for (const sentence of splitSentences(tokensOf(...chinese), { maxWords: max }))
      expect(sentence.words.length).toBeLessThanOrEqual(max);
  }
  expect(sentences(2, ' one', ' two', ' three', ' fo', 'ur', '.')).toEqual(['one two', 'three four.']);
});
