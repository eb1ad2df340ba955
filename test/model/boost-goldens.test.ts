// Boosted phrases in parakeet-mlx's search: the tokens of parakeet-mlx 0.7.0, from the same encoder frames.
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { phraseTree } from '../../src/model/boost-tree.js';
import { goldenArray, goldenFolder, readGolden } from '../support/goldens.js';
import { loadNativeGolden, type NativeGolden } from '../support/native-golden.js';
import { frameTokens } from '../support/native-stream.js';

interface Case {
  beam: { size: number; length_penalty: number; patience: number; duration_reward: number };
  booster?: {
    words: Record<string, number>;
    boundary?: boolean;
    scale?: number;
    first_uppercase?: number;
  };
  tokens: [id: number, start: number, duration: number][];
}

describe.each(['tdt', 'tdt-ctc', 'rnnt'] as const)("parakeet-mlx's boosters on %s", (architecture) => {
  const file = path.join(goldenFolder(architecture), 'boost.json');
  const { cases } = JSON.parse(readFileSync(file, 'utf8')) as { cases: Case[] };
  let loaded: NativeGolden;
  beforeAll(async () => {
    loaded = await loadNativeGolden(architecture);
  });
  afterAll(() => loaded.native.close());

  test('are there', () => {
    expect(cases.length).toBe(15);
    expect(cases.filter(({ booster }) => booster).length).toBe(12);
  });

  test.each(cases.map((one, i) => [i, JSON.stringify(one.booster ?? null), one] as const))(
    '%d: %s',
    async (_, __, { beam, booster, tokens }) => {
      const { shape, data } = goldenArray(readGolden(architecture, 'short'), 'encoded');
      const { words = {}, boundary = true, scale = 1, first_uppercase: firstUppercase } = booster ?? {};
      const boost = Object.entries(words).map(([phrase, weight]) => ({
        phrase,
        weight: scale * weight,
        wholeWords: boundary,
        caseSensitive: true,
      }));
      const decoded = await loaded.native.decode(
        data,
        shape[0] as number,
        {
          head: loaded.head,
          beam: {
            search: 'parakeet-mlx',
            size: beam.size,
            lengthPenalty: beam.length_penalty,
            patience: beam.patience,
            durationReward: beam.duration_reward,
          },
          boost: phraseTree(loaded.reference.vocabulary, boost, firstUppercase),
        },
        1,
      );
      expect(frameTokens(decoded).map(({ id, start, duration }) => [id, start, duration])).toEqual(tokens);
    },
  );
});
