/** ARPA files: their probabilities come through, in pieces or NeMo's characters; what is cut, hostile or of other tokens is refused. */
import { existsSync, writeFileSync } from 'node:fs';
import fc from 'fast-check';
import { afterAll, describe, expect, test } from 'vitest';
import { bundledModel } from '../../src/bundled-model.js';
import { convertLanguageModel } from '../../src/lm/convert.js';
import { modelVocabulary } from '../../src/lm/model-vocabulary.js';
import { openLanguageModel } from '../../src/model/language-model.js';
import { LanguageModelFolder } from '../support/language-model.js';

const folder = new LanguageModelFolder();
afterAll(() => folder.remove());
const model = bundledModel();
const { pieces } = await modelVocabulary(model, {});

type Word = (id: number) => string;
const asPiece: Word = (id) => (id < 0 ? '<s>' : (pieces[id] as string));
const asCharacter: Word = (id) => (id < 0 ? '<s>' : String.fromCodePoint(id + 100));

/** A model of order 3; -1 is `<s>`. */
function arpa(word: Word): string {
  const gram = (ids: number[], p: number, backoff?: number) =>
    [p, ids.map(word).join(' '), ...(backoff === undefined ? [] : [backoff])].join('\t');
  const one = pieces.map((_, id) => gram([id], -1.5 - id / 100, -0.25)).slice(1);
  const two = [gram([-1, 7], -0.5, -0.125), gram([7, 8], -0.75, -0.5), gram([8, 9], -1, 0)];
  const three = [gram([-1, 7, 8], -0.25), gram([7, 8, 9], -0.125)];
  return [
    '',
    '\\data\\',
    `ngram 1=${one.length + 3}`,
    `ngram 2=${two.length}`,
    `ngram 3=${three.length}`,
    '',
    '\\1-grams:',
    '-99\t<s>\t-0.75',
    '-1.25\t</s>',
    '-4\t<unk>',
    ...one,
    '',
    '\\2-grams:',
    ...two,
    '',
    '\\3-grams:',
    ...three,
    '',
    '\\end\\',
    '',
  ].join('\n');
}

const bytes = async function* (text: string, size = 1000) {
  const all = Buffer.from(text);
  for (let at = 0; at < all.length; at += size) yield all.subarray(at, at + size) as Uint8Array;
};
const target = folder.file('converted.lm');

describe('an ARPA file', () => {
  test.each<[string, Word]>([
    ['of pieces', asPiece],
    ["of NeMo's characters", asCharacter],
  ])('%s gives its probabilities, by back-off where there is no gram', async (_, word) => {
    writeFileSync(folder.file('tokens.arpa'), arpa(word));
    const { grams } = await convertLanguageModel(folder.file('tokens.arpa'), target, { model });
    expect(grams).toEqual([pieces.length + 1, 3, 2]);
    const scores = openLanguageModel(target, pieces).score(Int32Array.of(7, 8, 9, 9, 0));
    const expected = [
      -0.5, // <s> 7
      -0.25, // <s> 7 8
      -0.125, // 7 8 9
      -1.5 - 0.09 - 0.25, // 8 9 has no weight of its own; 9 by its back-off
      -4 - 0.25, // <unk> stands for what has no gram
    ];
    scores.forEach((score, i) => {
      expect(Math.abs(score / Math.LN10 - (expected[i] as number))).toBeLessThan(0.25);
    });
  });

  test('gives the same in any pieces, with CRLF, and by its kind when it is named', async () => {
    const file = async (text: string, size: number, tokens: 'auto' | 'pieces' = 'auto') => {
      await convertLanguageModel(bytes(text, size), target, { model, tokens });
      return [...openLanguageModel(target, pieces).score(Int32Array.from(pieces, (_, id) => id))];
    };
    const whole = await file(arpa(asPiece), 1e6);
    expect(await file(arpa(asPiece), 7)).toEqual(whole);
    expect(await file(arpa(asPiece).replaceAll('\n', '\r\n'), 64)).toEqual(whole);
    expect(await file(arpa(asPiece), 64, 'pieces')).toEqual(whole);
  });
});

describe('what is no ARPA file of the tokens', () => {
  const refused = (text: string | AsyncIterable<Uint8Array>) =>
    expect(
      convertLanguageModel(typeof text === 'string' ? bytes(text) : text, folder.file('bad.lm'), { model }),
    );
  const invalid = (message: RegExp) =>
    expect.objectContaining({
      code: 'ERR_PARAKEET_INVALID_LANGUAGE_MODEL',
      message: expect.stringMatching(message),
    });
  const good = arpa(asPiece);

  test('is refused, and says where', async () => {
    await refused('').rejects.toEqual(invalid(/\\end\\/));
    await refused(good.slice(0, good.indexOf('\\end'))).rejects.toEqual(invalid(/\\end\\/));
    await refused(good.replace('ngram 2=3', 'ngram 2=2')).rejects.toEqual(invalid(/line \d+ is a gram more/));
    await refused(good.replace('ngram 2=3', 'ngram 2=4')).rejects.toEqual(
      invalid(/after 3, and the head says 4/),
    );
    await refused(good.replace('-0.75\t', 'much\t')).rejects.toEqual(invalid(/no gram of/));
    await refused(good.replace('\\2-grams:', '\\3-grams:')).rejects.toEqual(invalid(/another section/));
    await refused(good.replace('▁a\t', 'wordlike\t')).rejects.toEqual(invalid(/token|continue|word/));
    await refused(good.replace('\\2-grams:', '\\data\\\nngram 1=1\n\\2-grams:')).rejects.toEqual(
      invalid(/second head/),
    );
    await refused(good.replaceAll('▁a', 'hello')).rejects.toEqual(invalid(/the word/));
    await refused(good.replace(`\n-1\t${asPiece(8)} ${asPiece(9)}\t0`, '\n-1\t.\t0')).rejects.toEqual(
      invalid(/./),
    );
    expect(existsSync(folder.file('bad.lm'))).toBe(false);
  });

  test('of an order that is too high, or of more grams than fit in memory, is refused by its head', async () => {
    const head = (counts: number[]) =>
      `\\data\\\n${counts.map((count, i) => `ngram ${i + 1}=${count}\n`).join('')}\n\\1-grams:\n`;
    await refused(head([1, 1, 1, 1, 1, 1, 1])).rejects.toEqual(invalid(/order 7, and at most 6/));
    let given = 0;
    const endless = async function* () {
      yield Buffer.from(head([40_000_000, 40_000_000]));
      for (;;) {
        given++;
        yield Buffer.alloc(1 << 16, '-1 a\n');
      }
    };
    await refused(endless()).rejects.toEqual(invalid(/more than 50000000/));
    const more = async function* () {
      yield Buffer.from(head([10]));
      for (;;) {
        given++;
        yield Buffer.from('-1\ta\n'.repeat(1000));
      }
    };
    await refused(more()).rejects.toEqual(invalid(/more than the head says/));
    expect(given).toBeLessThan(10);
  });

  test('cut or altered anywhere, it is refused with a code or gives a model', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.nat(good.length - 1),
        fc.constantFrom('', '\t', '\n', '9', '-', '\\', '\ufffd', 'NaN', '\0'),
        fc.boolean(),
        async (at, put, cut) => {
          const text = cut ? good.slice(0, at) : good.slice(0, at) + put + good.slice(at + 1);
          const made = await convertLanguageModel(bytes(text), target, { model }).then(
            ({ bytes }) => bytes,
            (error: { code?: string }) => error.code,
          );
          if (typeof made === 'number') expect(openLanguageModel(target, pieces).order).toBeGreaterThan(0);
          else expect(made).toBe('ERR_PARAKEET_INVALID_LANGUAGE_MODEL');
        },
      ),
      { numRuns: 150 },
    );
  });
});
