// Holds the TypeScript reference against the golden arrays and tokens: only then may it judge the native engine.

import { describe, expect, test } from 'vitest';
import { joinedAcrossBlanks } from '../support/across-blanks.js';
import {
  ARCHITECTURES,
  type Architecture,
  goldenArray,
  goldenFolder,
  maxDifference,
  readGolden,
} from '../support/goldens.js';
import { decodeAll, type Head } from './decode.js';
import { type Context, encode } from './encoder.js';
import { Matrix } from './matrix.js';
import { logMel, normalize, statistics } from './mel.js';
import { readReferenceModel } from './model.js';

const CASES: [Architecture, 'short' | 'long'][] = [
  ...ARCHITECTURES.map((a): [Architecture, 'short'] => [a, 'short']),
  ['tdt', 'long'],
];

describe.each(CASES)('the reference on %s %s', (architecture, name) => {
  const golden = readGolden(architecture, name);
  const model = readReferenceModel(goldenFolder(architecture));
  const matrix = (key: string): Matrix => {
    const { shape, data } = goldenArray(golden, key);
    return new Matrix(shape[0] as number, shape[1] as number, data);
  };

  test('log-mel within 1e-3', () => {
    const mel = logMel(goldenArray(golden, 'audio').data, model.mel);
    expect(maxDifference(mel.data, goldenArray(golden, 'log_mel').data)).toBeLessThan(1e-3);
  });

  test('normalised features within 1e-4', () => {
    const mel = matrix('log_mel');
    const features = normalize(mel, statistics(mel, mel.rows, false));
    expect(maxDifference(features.data, goldenArray(golden, 'features').data)).toBeLessThan(1e-4);
  });

  const encodings = [...golden.arrays.keys()].filter((key) => key.startsWith('encoded'));
  test.each(encodings)('%s within 1e-4', (key) => {
    const [left, right] = key === 'encoded' ? [-1, -1] : key.split('_').slice(2).map(Number);
    const context: Context = [left as number, right as number];
    const encoded = encode(model, matrix('features'), context);
    expect(maxDifference(encoded.data, goldenArray(golden, key).data)).toBeLessThan(1e-4);
  });

  const ways = Object.keys(golden.tokens).filter((way) => way.endsWith('greedy'));
  test.each(ways)('%s tokens, identical', (way) => {
    const head: Head = way === 'ctc_greedy' ? 'ctc' : model.durations.length > 0 ? 'tdt' : 'rnnt';
    const frame = (model.mel.hop * model.encoder.subsamplingFactor) / model.mel.sampleRate;
    const expected = golden.tokens[way] ?? [];
    const decoded = decodeAll(model, matrix('encoded'), head);
    const tokens = way === 'ctc_greedy' ? joinedAcrossBlanks(decoded) : decoded;
    expect(expected.length).toBeGreaterThan(0);
    expect(tokens.map(({ id, start, duration }) => [id, start, duration])).toEqual(
      expected.map(({ id, start, duration }) => [
        id,
        Math.round(start / frame),
        Math.round(duration / frame),
      ]),
    );
    const confidences = tokens.map((token) => token.confidence);
    expect(
      maxDifference(
        confidences,
        expected.map((token) => token.confidence),
      ),
    ).toBeLessThan(1e-3);
  });
});
