// Beam search against the goldens: parakeet-mlx's own tokens for TDT.
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Architecture, goldenArray, readGolden } from '../support/goldens.js';
import { loadNativeGolden, type NativeGolden } from '../support/native-golden.js';

describe.each<[Architecture, 'short' | 'long']>([
  ['tdt', 'short'],
  ['tdt-ctc', 'short'],
])('TDT beam search of %s %s', (architecture, name) => {
  const golden = readGolden(architecture, name);
  let loaded: NativeGolden;
  beforeAll(async () => {
    loaded = await loadNativeGolden(architecture);
  });
  afterAll(() => loaded.native.close());

  test.each(Object.keys(golden.tokens).filter((way) => way.startsWith('beam')))('%s: the tokens of parakeet-mlx', async (way) => {
    const [size, lengthPenalty, patience, durationReward] = (way.match(/[\d.]+/g) ?? []).map(Number) as [number, number, number, number];
    const expected = golden.tokens[way] ?? [];
    const frame = (loaded.info.hop * loaded.info.subsamplingFactor) / loaded.info.sampleRate;
    const { shape, data } = goldenArray(golden, 'encoded');
    const beam = { size, lengthPenalty, patience, durationReward };
    const tokens = await loaded.native.decode(data, shape[0] as number, { head: 'tdt', beam }, 1);
    expect([...tokens.ids]).toEqual(expected.map(({ id }) => id));
    expect([...tokens.starts]).toEqual(expected.map(({ start }) => Math.round(start / frame)));
    expect([...tokens.durations]).toEqual(expected.map(({ duration }) => Math.round(duration / frame)));
  });
});
