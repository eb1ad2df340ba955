// Searches with language models, against the exact score of texts: the likelihood over all alignments, and what each token adds.
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { NativeFusion } from '../../src/engine/addon.js';
import { openLanguageModel } from '../../src/model/language-model.js';
import {
  ctcLikelihood,
  ctcLogits,
  firstFrames,
  internalLikelihoods,
  rnntLikelihood,
  tdtLikelihood,
} from '../reference/likelihood.js';
import { type Architecture, goldenArray, readGolden } from '../support/goldens.js';
import { LanguageModelFolder } from '../support/language-model.js';
import { loadNativeGolden, type NativeGolden } from '../support/native-golden.js';

const folder = new LanguageModelFolder();
afterAll(() => folder.remove());

const beam = (size: number) => ({
  search: 'frame' as const,
  size,
  lengthPenalty: 0,
  patience: 1,
  durationReward: 0.5,
});

describe.each<Architecture>(['tdt', 'rnnt', 'ctc'])('%s', (architecture) => {
  let loaded: NativeGolden;
  let one: string;
  let other: string;
  beforeAll(async () => {
    loaded = await loadNativeGolden(architecture);
    one = await folder.make(loaded.reference.vocabulary, 5);
    other = await folder.make(loaded.reference.vocabulary, 11, 4);
  });
  afterAll(() => loaded.native.close());

  function piece(from: number, rows: number) {
    const { shape, data } = goldenArray(readGolden(architecture, 'short'), 'encoded');
    const columns = shape[1] as number;
    return {
      data: data.slice(from * columns, (from + rows) * columns),
      frames: firstFrames(data, columns, from, rows),
    };
  }

  test.each([1, 2])(
    'with %d language models, a beam finds the best of all texts of up to two tokens',
    async (count) => {
      const files = [one, other].slice(0, count);
      const { vocabulary } = loaded.reference;
      const models = files.map((file, i) => ({
        model: openLanguageModel(file, vocabulary),
        share: count === 1 ? 1 : ([0.7, 0.3][i] as number),
      }));
      const internalWeight = architecture === 'ctc' ? 0 : 0.2;
      const lm: NativeFusion = { models, weight: 1.5, tokenBonus: 0.4, internalWeight };
      for (const from of [0, 5, 25]) {
        const { data, frames } = piece(from, 3);
        const acoustic = (text: number[]) => {
          if (architecture === 'tdt') return tdtLikelihood(loaded.reference, frames, text);
          if (architecture === 'rnnt') return rnntLikelihood(loaded.reference, frames, text);
          return ctcLikelihood(ctcLogits(loaded.reference, frames), text, vocabulary.length);
        };
        const score = (text: number[]) => {
          const scores = models.map(({ model }) => model.score(Int32Array.from(text)));
          const internal = architecture === 'ctc' ? [] : internalLikelihoods(loaded.reference, text);
          const added = text.map((_, u) => {
            const p = models.reduce(
              (sum, { share }, m) => sum + share * Math.exp(scores[m]?.[u] as number),
              0,
            );
            return 1.5 * Math.log(p) + 0.4 - internalWeight * (internal[u] ?? 0);
          });
          return acoustic(text) + added.reduce((sum, value) => sum + value, 0);
        };
        const decoding = { head: loaded.head, beam: beam(64), lm };
        const found = [...(await loaded.native.decode(data, 3, decoding, 1)).ids];
        const tokens = Array.from({ length: vocabulary.length }, (_, id) => id);
        const single = tokens.map((id) => [id]).sort((a, b) => score(b) - score(a));
        const two = single.slice(0, 2).flatMap(([id]) => tokens.map((next) => [id as number, next]));
        const best = Math.max(score([]), ...single.map(score), ...two.map(score));
        expect(score(found)).toBeGreaterThanOrEqual(best - 0.05);
      }
    },
  );

  test('greedily, the likelier of similar tokens is taken; a weight of zero changes nothing', async () => {
    const { vocabulary } = loaded.reference;
    const model = openLanguageModel(one, vocabulary);
    const { shape, data } = goldenArray(readGolden(architecture, 'short'), 'encoded');
    const ids = async (weight: number) => {
      const lm = { models: [{ model, share: 1 }], weight, tokenBonus: 0, internalWeight: 0 };
      return [...(await loaded.native.decode(data, shape[0] as number, { head: loaded.head, lm }, 1)).ids];
    };
    const plain = [...(await loaded.native.decode(data, shape[0] as number, { head: loaded.head }, 1)).ids];
    expect(await ids(0)).toEqual(plain);
    const mean = (tokens: number[]) =>
      model.score(Int32Array.from(tokens)).reduce((sum, value) => sum + value, 0) / tokens.length;
    expect(mean(await ids(2))).toBeGreaterThan(mean(plain) + 0.1);
  });

  test('streams with the same language models are decoded together, and as each alone', async () => {
    const { vocabulary } = loaded.reference;
    const { shape, data } = goldenArray(readGolden(architecture, 'short'), 'encoded');
    const columns = shape[1] as number;
    const decoding = (file: string) => ({
      head: loaded.head,
      beam: beam(3),
      lm: {
        models: [{ model: openLanguageModel(file, vocabulary), share: 1 }],
        weight: 1,
        tokenBonus: 0,
        internalWeight: 0,
      },
    });
    const jobs = [0, 3, 8, 13].flatMap((from) => [one, other].map((file) => ({ from, file })));
    const run = async ({ from, file }: (typeof jobs)[number]) => {
      const rows = (shape[0] as number) - from;
      return [...(await loaded.native.decode(data.slice(from * columns), rows, decoding(file), 1)).ids];
    };
    const alone = [];
    for (const job of jobs) alone.push(await run(job));
    expect(await Promise.all(jobs.map(run))).toEqual(alone);
    expect(alone[0]).not.toEqual(alone[1]);
  });
});
