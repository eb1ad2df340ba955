/** Words to pieces, as SentencePiece splits them. */
import path from 'node:path';
import fc from 'fast-check';
import { beforeAll, describe, expect, test } from 'vitest';
import { bundledModel } from '../../src/bundled-model.js';
import { type ModelVocabulary, modelVocabulary } from '../../src/lm/model-vocabulary.js';
import { Tokenizer } from '../../src/lm/tokenizer.js';
import { Detokenizer } from '../../src/model/vocabulary.js';

describe('byte-pair encoding', () => {
  let bundled: ModelVocabulary;
  beforeAll(async () => {
    bundled = await modelVocabulary(path.resolve(bundledModel()), {});
  });

  // By SentencePiece 0.2 with the model's own tokenizer.model.
  test('splits a sentence as SentencePiece does', () => {
    const { pieces, tokenizer } = bundled;
    const text = tokenizer.text("The quarterly figures were discussed. Isn't it?");
    expect(text.map((id) => pieces[id]).join(' ')).toBe(
      "▁The ▁qu ar ter ly ▁f ig ure s ▁were ▁dis c u ss ed . ▁I s n ' t ▁it ?",
    );
  });

  test('splits a text into pieces that spell it', () => {
    const { pieces, tokenizer } = bundled;
    fc.assert(
      fc.property(
        fc.array(fc.stringMatching(/^[A-Za-z']{1,14}[.,?!]?$/), { minLength: 1, maxLength: 12 }),
        (words) => {
          const detokenizer = new Detokenizer(pieces);
          const text = tokenizer.text(words.join('  ')).map((id) => detokenizer.push(id));
          expect(text.join('').trim()).toBe(words.join(' '));
        },
      ),
    );
  });

  test('a word with letters that the vocabulary has not is none', () => {
    expect(bundled.tokenizer.word('1984')).toBeUndefined();
    expect(bundled.tokenizer.text('in 1984 it')).toEqual(bundled.tokenizer.text('in it'));
  });

  test('merges by the order of the vocabulary, not by length', () => {
    const tokenizer = new Tokenizer(['<unk>', 'bc', '▁a', '▁abc', 'c', '▁', 'a', 'b']);
    expect(tokenizer.word('abc')).toEqual([3]);
    expect(new Tokenizer(['<unk>', 'bc', '▁a', 'c', '▁', 'a', 'b', '▁ab']).word('abc')).toEqual([2, 1]);
  });
});

test('with scores, the likeliest pieces are taken', () => {
  const pieces = ['▁', 'a', 'b', 'c', '▁ab', 'bc', '▁a'];
  expect(new Tokenizer(pieces, [-3, -3, -3, -1, -2, -4, -3]).word('abc')).toEqual([4, 3]);
  expect(new Tokenizer(pieces, [-3, -3, -3, -1, -9, -3, -3]).word('abc')).toEqual([6, 5]);
  expect(
    new Tokenizer(
      pieces,
      pieces.map(() => -1),
    ).word('abd'),
  ).toBeUndefined();
});
