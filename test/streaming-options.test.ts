/**
 * What the encoder makes of the options of a stream.
 */
import { describe, expect, test } from 'vitest';
import { presets, settleSilence } from '../src/model/latency.js';
import { resolveStreaming, streamingOf } from '../src/model/streaming-options.js';
import { fakeModel } from './support/fake-native.js';

// Two layers, a kernel of nine frames, two mel features.
const { info } = fakeModel();

describe('presets', () => {
  test('balanced is the default, and an option beats its preset', () => {
    expect(resolveStreaming(info)).toEqual({
      chunk: 8,
      lookahead: 13,
      context: [128, -1],
      cache: 128,
      normalization: 'running',
      emissionDelay: 4,
      hangover: 80,
      gate: false,
      history: 0,
      grow: 1,
      recall: [-1, -1],
    });
    expect(resolveStreaming(info, { latency: 'low', chunk: 3 })).toMatchObject({
      chunk: 3,
      lookahead: 12,
      agreement: { drafts: 3, lookahead: 4, confidence: 0.9 },
    });
    expect(resolveStreaming(info, { latency: 'low', agreement: false }).agreement).toBeUndefined();
    expect(resolveStreaming(info, { lookahead: 0, left: 7 })).toMatchObject({
      lookahead: 0,
      context: [7, -1],
      cache: 7,
    });
  });

  test('in seconds they are the same numbers', () => {
    const silence = settleSilence();
    for (const latency of ['low', 'balanced', 'accurate'] as const) {
      const { chunk, lookahead, left, agreement } = presets[latency];
      const frames = resolveStreaming(info, { latency });
      expect(resolveStreaming(info, streamingOf(info, { latency }, silence))).toEqual(frames);
      expect(
        resolveStreaming(
          info,
          streamingOf(info, { latency: { chunk, lookahead, left, agreement } }, silence),
        ),
      ).toEqual(frames);
    }
    expect(streamingOf(info, { latency: { chunk: 0.001 } }, silence)).toMatchObject({
      chunk: 1,
      lookahead: 13,
    });
  });

  test('more accuracy costs more delay', () => {
    const { low, balanced, accurate } = presets;
    expect(low.lookahead).toBeLessThan(balanced.lookahead);
    expect(balanced.lookahead).toBeLessThan(accurate.lookahead);
  });
});

describe('contextSize and depth, as in parakeet-mlx, with the share of the convolution', () => {
  test('lookahead = depth × (right + (kernel − 1) / 2)', () => {
    expect(resolveStreaming(info, { contextSize: [30, 6] })).toMatchObject({
      lookahead: 10,
      context: [30, 6],
      cache: 30,
    });
    expect(resolveStreaming(info, { contextSize: [30, 6], depth: 2 }).lookahead).toBe(20);
  });
  test('more depth than layers sees no further', () => {
    expect(resolveStreaming(info, { contextSize: [30, 6], depth: 99 }).lookahead).toBe(20);
  });
  test('keepOriginalAttention lifts the band, not the cache', () => {
    expect(resolveStreaming(info, { contextSize: [30, 6], keepOriginalAttention: true })).toMatchObject({
      context: [-1, -1],
      cache: 30,
      lookahead: 10,
    });
  });
});

describe('normalization', () => {
  test('given statistics become float32', () => {
    expect(resolveStreaming(info, { normalization: { mean: [1, 2], std: [3, 4] } }).normalization).toEqual({
      mean: Float32Array.of(1, 2),
      std: Float32Array.of(3, 4),
    });
  });
  test.each([
    [{ mean: [1], std: [1, 1] }, /2 finite numbers, one per mel feature, for normalization.mean/],
    [{ mean: [1, 1], std: [1, 0] }, /2 positive numbers/],
    [{ mean: [1, Number.NaN], std: [1, 1] }, /normalization.mean/],
    [{ mean: [1, 1] }, /normalization.std/],
    ['batch', /one of 'running', 'none'/],
    [null, /one of 'running', 'none'/],
  ])('%j is refused', (normalization, message) => {
    expect(() => resolveStreaming(info, { normalization: normalization as never })).toThrow(
      expect.objectContaining({
        code: 'ERR_PARAKEET_INVALID_ARGUMENT',
        message: expect.stringMatching(message),
      }),
    );
  });
});
