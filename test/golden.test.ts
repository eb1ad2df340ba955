// The native engine against the golden arrays and tokens of all four architectures, in float32.
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { NativeContext, NativeHead, NativeMatrix } from '../src/engine/addon.js';
import { joinedAcrossBlanks } from './support/across-blanks.js';
import {
  ARCHITECTURES,
  type Architecture,
  goldenArray,
  maxDifference,
  readGolden,
} from './support/goldens.js';
import { loadNativeGolden, type NativeGolden } from './support/native-golden.js';
import { frameTokens } from './support/native-stream.js';

const CASES: [Architecture, 'short' | 'long'][] = [
  ...ARCHITECTURES.map((architecture): [Architecture, 'short'] => [architecture, 'short']),
  ['tdt', 'long'],
];

describe.each(CASES)('the engine on %s %s', (architecture, name) => {
  const golden = readGolden(architecture, name);
  let loaded: NativeGolden;
  beforeAll(async () => {
    loaded = await loadNativeGolden(architecture);
  });
  afterAll(() => loaded.native.close());

  const expectClose = (actual: NativeMatrix, key: string, tolerance: number): void => {
    const { shape, data } = goldenArray(golden, key);
    expect([actual.rows, actual.columns]).toEqual(shape);
    expect(maxDifference(actual.data, data)).toBeLessThanOrEqual(tolerance);
  };

  test('log-mel within 1e-3', async () => {
    expectClose(await loaded.native.logMel(goldenArray(golden, 'audio').data), 'log_mel', 1e-3);
  });

  test('normalised features within 1e-3', async () => {
    const { shape, data } = goldenArray(golden, 'log_mel');
    expectClose(await loaded.native.normalize(data, shape[0] as number), 'features', 1e-3);
  });

  const encodings = [...golden.arrays.keys()].filter((key) => key.startsWith('encoded'));
  test.each(encodings)('%s within 1e-4', async (key) => {
    const context: NativeContext =
      key === 'encoded' ? [-1, -1] : (key.split('_').slice(2).map(Number) as NativeContext);
    const { shape, data } = goldenArray(golden, 'features');
    expectClose(await loaded.native.encode(data, shape[0] as number, context, 1), key, 1e-4);
  });

  const ways = Object.keys(golden.tokens).filter((way) => way.endsWith('greedy'));
  test.each(ways)('%s tokens, identical, confidences within 1e-3', async (way) => {
    const head: NativeHead = way === 'ctc_greedy' ? 'ctc' : loaded.head;
    const frame = (loaded.info.hop * loaded.info.subsamplingFactor) / loaded.info.sampleRate;
    const expected = golden.tokens[way] ?? [];
    const frames = (key: 'start' | 'duration'): number[] =>
      expected.map((token) => Math.round(token[key] / frame));
    const { shape, data } = goldenArray(golden, 'encoded');
    const decoded = frameTokens(await loaded.native.decode(data, shape[0] as number, { head }, 1));
    const tokens = way === 'ctc_greedy' ? joinedAcrossBlanks(decoded) : decoded;
    expect(tokens.map((token) => token.id)).toEqual(expected.map((token) => token.id));
    expect(tokens.map((token) => token.start)).toEqual(frames('start'));
    expect(tokens.map((token) => token.duration)).toEqual(frames('duration'));
    expect(
      maxDifference(
        tokens.map((token) => token.confidence),
        expected.map((token) => token.confidence),
      ),
    ).toBeLessThanOrEqual(1e-3);
  });
});
