// The cache-aware encoder of random shapes and contexts against the plain TypeScript reference; and the options by which a context is chosen.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import fc from 'fast-check';
import { afterAll, describe, expect, test } from 'vitest';
import { ArgumentError } from '../../src/errors.js';
import { loadModel } from '../../src/load-model.js';
import { contextOf, isCacheAware } from '../../src/model/cache-aware.js';
import { resolveStreaming } from '../../src/model/streaming-options.js';
import { encode } from '../reference/encoder.js';
import { Matrix } from '../reference/matrix.js';
import { readReferenceModel } from '../reference/model.js';
import { cacheAwareGoldens, randomCacheAware } from '../support/cache-aware.js';
import { fakeModel } from '../support/fake-native.js';
import { maxDifference } from '../support/goldens.js';
import { noise } from '../support/signals.js';

const root = mkdtempSync(path.join(tmpdir(), 'parakeet-cache-aware-'));
afterAll(() => rmSync(root, { recursive: true, force: true }));

test('an encoder of any shape agrees with the reference', async () => {
  let count = 0;
  await fc.assert(
    fc.asyncProperty(
      fc.record({
        layers: fc.integer({ min: 1, max: 3 }),
        heads: fc.constantFrom(1, 2, 4),
        width: fc.constantFrom(16, 32, 64),
        features: fc.integer({ min: 8, max: 40 }),
        convKernel: fc.constantFrom(3, 5, 9, 15),
        subsamplingFactor: fc.constantFrom(2, 4, 8),
        subsamplingChannels: fc.constantFrom(8, 16, 24),
        useBias: fc.boolean(),
      }),
      fc.integer({ min: 0, max: 5 }),
      fc.integer({ min: 0, max: 8 }),
      fc.integer({ min: 1, max: 200 }),
      async (shape, right, chunks, rows) => {
        const context: [number, number] = [chunks * (right + 1), right];
        const folder = randomCacheAware(path.join(root, String(count++)), { ...shape, contexts: [context] });
        await using model = await loadModel(folder, { dtype: 'float32', threads: 1 });
        const data = noise(rows * shape.features, 2, count);
        const reference = encode(
          readReferenceModel(folder),
          new Matrix(rows, shape.features, Float64Array.from(data)),
          context,
        );
        const encoded = await model.native.encode(data, rows, context, 0);
        expect([encoded.rows, encoded.columns]).toEqual([reference.rows, reference.columns]);
        expect(maxDifference(encoded.data, reference.data)).toBeLessThan(1e-4);
      },
    ),
    { numRuns: 16 },
  );
});

describe('the context of a stream', () => {
  const info = {
    ...fakeModel().info,
    contexts: [
      [70, 0],
      [70, 1],
      [70, 6],
      [70, 13],
    ] as [number, number][],
    attention: [70, 13] as [number, number],
  };

  test.each([
    [0.08, 0],
    [0.16, 1],
    [0.56, 6],
    [1.12, 13],
    ['low', 1],
    ['balanced', 6],
    ['accurate', 13],
    [undefined, 6],
  ] as const)('latency %o is that with %i frames to the right', (latency, right) => {
    expect(contextOf(info, latency)).toEqual([70, right]);
  });

  test('a preset that is shorter than every chunk takes the shortest', () => {
    expect(contextOf({ ...info, contexts: [[70, 13]] }, 'low')).toEqual([70, 13]);
  });

  test('seconds that the model was not trained with name those that it has', () => {
    expect(() => contextOf(info, 0.3)).toThrow(
      "Expected one of 0.08, 0.16, 0.56, 1.12, 'low', 'balanced', 'accurate', which this model was trained with, for latency but received 0.3",
    );
    expect(() => contextOf(info, { chunk: 0.56 })).toThrow(ArgumentError);
  });

  test('the numbers of the engine follow from it', () => {
    expect(resolveStreaming(info, { latency: 0.56, silenceGate: true })).toMatchObject({
      chunk: 7,
      lookahead: 0,
      context: [70, 6],
      cache: 70,
      normalization: 'none',
      gate: true,
      recall: [70, 13],
    });
    expect(resolveStreaming(info, { contextSize: [70, 1] }).context).toEqual([70, 1]);
  });

  test.each([
    ['chunk', { chunk: 4 }],
    ['lookahead', { lookahead: 2 }],
    ['left', { left: 70 }],
    ['keepOriginalAttention', { keepOriginalAttention: true, contextSize: [70, 1] }],
    ['normalization', { normalization: 'running' }],
    ['contextSize', { contextSize: [70, 2] }],
  ] as const)('%s has no meaning or is not trained, and is refused', (option, options) => {
    expect(() => resolveStreaming(info, options)).toThrow(new RegExp(`for ${option} but received`));
  });

  test('a number is for cache-aware models only', () => {
    const other = fakeModel().info;
    expect(isCacheAware(other)).toBe(false);
    expect(() => resolveStreaming(other, { latency: 0.56 })).toThrow('A number is for cache-aware models.');
  });
});

test('whole recordings are heard with the largest context, and take no other than trained ones', async () => {
  await using model = await loadModel(cacheAwareGoldens, { dtype: 'float32' });
  const samples = noise(32_000, 0.3);
  const mel = await model.computeLogMel(samples);
  const encoded = await model.encodeLogMel(mel);
  const largest = await model.native.encode(mel.data, mel.frames, [8, 3], 0);
  expect(encoded.data).toEqual(largest.data);
  await expect(model.encodeLogMel(mel, { attention: { left: 0.64, right: 0.4 } })).rejects.toThrow(
    'Expected one of [8, 0] frames, [8, 1] frames, [8, 3] frames',
  );
  await expect(model.encodeLogMel(mel, { normalize: true })).rejects.toThrow('features as they are');
  await expect(model.transcribe(samples, { windows: { attention: { left: 1, right: 1 } } })).rejects.toThrow(
    ArgumentError,
  );
});
