/** Language models of text: the probabilities are those of modified Kneser-Ney, files keep to their size, and bad input is refused. */
import { readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { buildLanguageModel } from '../../src/lm/build.js';
import { convertLanguageModel } from '../../src/lm/convert.js';
import { modelVocabulary } from '../../src/lm/model-vocabulary.js';
import { writeLanguageModel } from '../../src/lm/write-model.js';
import { openLanguageModel } from '../../src/model/language-model.js';
import { kneserNey } from '../reference/kneser-ney.js';
import { root } from '../support/documents.js';
import { goldenFolder } from '../support/goldens.js';
import { LanguageModelFolder } from '../support/language-model.js';

const folder = new LanguageModelFolder();
afterAll(() => folder.remove());
const model = goldenFolder('tdt');
const { pieces, tokenizer } = await modelVocabulary(model, {});

/** Words that the golden vocabulary can spell, in an order with some sense in it. */
function someText(words: number, seed = 1): string {
  const known = ['the', 'a', 'aa', 'bh', 'the.', 'a,', 'aing', 'theing?'].filter((word) =>
    tokenizer.word(word),
  );
  let at = seed;
  return Array.from({ length: words }, (_, i) => {
    at = (at * 5 + ((i * i * 7) % 11)) % 101;
    return known[at % known.length];
  }).join(' ');
}

describe('a language model of text', () => {
  test.each([1, 2, 3])('of order %d has the probabilities of the formulas', async (order) => {
    const text = someText(300);
    const file = folder.file(`order-${order}.lm`);
    writeFileSync(folder.file('text.txt'), text);
    const built = await buildLanguageModel([folder.file('text.txt')], file, { model, order });
    expect(built).toMatchObject({ words: 300, skipped: 0, bytes: statSync(file).size });
    const tokens = tokenizer.text(text);
    const reference = kneserNey(tokens, order, pieces.length);
    const scores = openLanguageModel(file, pieces).score(Int32Array.from(tokens));
    // The first tokens have the full stop before them.
    const before = [pieces.indexOf('.')];
    tokens.forEach((token, i) => {
      const context = [...before, ...tokens.slice(0, i)].slice(-(order - 1)).slice(order === 1 ? i + 1 : 0);
      expect(Math.abs((scores[i] as number) - Math.log(reference(context, token)))).toBeLessThan(0.06);
    });
  });

  test('is at most as large as asked for, the same every time, and made of several texts without gluing them', async () => {
    const texts = ['README.md', 'ARCHITECTURE.md'].map((name) => path.join(root, name));
    const sizes = [];
    for (const size of [1_000_000, 20_000, 10_000]) {
      const { bytes, grams } = await buildLanguageModel(texts, folder.file(`${size}.lm`), {
        order: 4,
        size,
      });
      expect(bytes).toBeLessThanOrEqual(size);
      sizes.push(grams.reduce((sum, count) => sum + count, 0));
    }
    expect(sizes[0]).toBeGreaterThan(sizes[1] as number);
    expect(sizes[1]).toBeGreaterThan(sizes[2] as number);
    await buildLanguageModel(texts, folder.file('again.lm'), { order: 4, size: 20_000 });
    expect(readFileSync(folder.file('again.lm'))).toEqual(readFileSync(folder.file('20000.lm')));
  });

  test('of text that cannot be used is not made, and leaves no file', async () => {
    const before = readdirSync(folder.path);
    const build = (text: string | Uint8Array, options = {}) => {
      const stream = (async function* () {
        yield typeof text === 'string' ? Buffer.from(text) : text;
      })();
      return buildLanguageModel([stream], folder.file('bad.lm'), { model, ...options });
    };
    const invalid = expect.objectContaining({ code: 'ERR_PARAKEET_INVALID_ARGUMENT' });
    await expect(build('1984 2001')).rejects.toEqual(invalid);
    await expect(build('')).rejects.toEqual(invalid);
    await expect(build(Uint8Array.of(0xff, 0xfe, 0x41))).rejects.toEqual(invalid);
    await expect(build('the', { order: 7 })).rejects.toEqual(invalid);
    await expect(build('the', { size: 10 })).rejects.toEqual(invalid);
    await expect(build('the', { model: folder.path })).rejects.toMatchObject({
      code: 'ERR_PARAKEET_MODEL_NOT_FOUND',
    });
    await expect(build('the', { signal: AbortSignal.abort() })).rejects.toMatchObject({
      code: 'ERR_PARAKEET_ABORTED',
    });
    await expect(
      buildLanguageModel([folder.file('text.txt')], folder.file('none/x.lm'), { model }),
    ).rejects.toMatchObject({ code: 'ERR_PARAKEET_WRITE' });
    expect(readdirSync(folder.path)).toEqual(before);
  });

  test('two that are written to one place at the same time do not take each other away', async () => {
    const target = folder.file('both.lm');
    const file = { file: Buffer.alloc(1 << 20, 7), grams: [1], tokens: 1 };
    await Promise.all(Array.from({ length: 8 }, () => writeLanguageModel(target, file)));
    expect(readFileSync(target)).toEqual(file.file);
    expect(readdirSync(folder.path).filter((name) => name.endsWith('.part'))).toEqual([]);
  });

  test.each([[undefined], [7], [''], [new URL('https://host/x.lm')]])(
    'a target of %s is a mistake',
    async (target) => {
      await expect(
        buildLanguageModel([folder.file('text.txt')], target as string, { model }),
      ).rejects.toMatchObject({
        code: 'ERR_PARAKEET_INVALID_ARGUMENT',
      });
      await expect(
        convertLanguageModel(folder.file('x.arpa'), target as string, { model }),
      ).rejects.toMatchObject({
        code: 'ERR_PARAKEET_INVALID_ARGUMENT',
      });
    },
  );

  test('counts the words that the vocabulary cannot spell', async () => {
    writeFileSync(folder.file('some.txt'), someText(3).replaceAll(' ', ' 42 '));
    const built = await buildLanguageModel([folder.file('some.txt')], folder.file('some.lm'), {
      model,
      order: 2,
    });
    expect(built).toMatchObject({ words: 5, skipped: 2 });
  });
});
