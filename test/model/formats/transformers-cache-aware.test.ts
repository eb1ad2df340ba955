// transformers' layout of a cache-aware model, against what transformers itself computed, streamed chunk by chunk.
import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { NativeContext } from '../../../src/engine/addon.js';
import { loadModel, type Model } from '../../../src/index.js';
import { cacheAwareGoldens } from '../../support/cache-aware.js';
import { maxDifference } from '../../support/goldens.js';
import type { Json } from '../../support/model-folder.js';
import { readSafetensors, type Tensor } from '../../support/safetensors.js';

const root = mkdtempSync(path.join(tmpdir(), 'parakeet-cache-aware-'));
afterAll(() => rmSync(root, { recursive: true, force: true }));

const RIGHTS = [0, 1, 3];
let count = 0;

/** A copy of the golden model whose JSON files a test may break; a file that is `null` is removed. */
function folder(files: Record<string, Json> = {}): string {
  const copy = path.join(root, String(count++));
  cpSync(cacheAwareGoldens, copy, { recursive: true });
  for (const [file, content] of Object.entries(files)) {
    if (content === null) rmSync(path.join(copy, file));
    else writeFileSync(path.join(copy, file), JSON.stringify(content));
  }
  return copy;
}

const json = (file: string): Json => JSON.parse(readFileSync(path.join(cacheAwareGoldens, file), 'utf8'));

describe('the golden model', () => {
  const golden = readSafetensors(path.join(cacheAwareGoldens, 'short.safetensors'));
  const array = (key: string): Tensor => {
    const tensor = golden.get(key);
    if (!tensor) throw new Error(key);
    return tensor;
  };
  const frames = json('short.json') as Record<string, number>;
  let model: Model;
  beforeAll(async () => {
    model = await loadModel(cacheAwareGoldens, { dtype: 'float32' });
  });
  afterAll(() => model.close());

  test('the contexts that it was trained with, the shortest first', () => {
    expect(model.info.contexts).toEqual(RIGHTS.map((right) => [8, right]));
    expect(model.info.attention).toEqual([8, 3]);
  });

  test.each(RIGHTS)(
    'encoder frames with %i frames to the right within 1e-4 of transformers',
    async (right) => {
      const expected = array(`encoded_right_${right}`);
      const rows = frames[`mel_frames_right_${right}`] as number;
      const features = array('features').data.subarray(0, rows * 128);
      const context: NativeContext = [8, right];
      const encoded = await model.native.encode(features, rows, context, 0);
      expect([encoded.rows, encoded.columns]).toEqual(expected.shape);
      expect(maxDifference(encoded.data, expected.data)).toBeLessThanOrEqual(1e-4);
    },
  );

  test('log-mel features within 1e-3', async () => {
    const mel = await model.native.logMel(array('audio').data);
    expect(maxDifference(mel.data, array('features').data.subarray(0, mel.data.length))).toBeLessThanOrEqual(
      1e-3,
    );
  });
});

describe('a configuration', () => {
  const refused = async (files: Record<string, Json>, code: string, message: RegExp | string) => {
    const error = await loadModel(folder(files)).then(
      () => undefined,
      (reason: Error & { code?: string }) => reason,
    );
    expect(error?.code).toBe(code);
    expect(error?.message).toMatch(message);
  };
  const encoder = (more: object) => {
    const config = json('config.json');
    return { 'config.json': { ...config, encoder_config: { ...config.encoder_config, ...more } } };
  };
  const INVALID = 'ERR_PARAKEET_INVALID_CONFIG';

  test('with a missing or wrong key gets an error that names it', async () => {
    await refused(encoder({ sliding_window: null }), INVALID, /'encoder_config.sliding_window'.*found null/);
    await refused(encoder({ sliding_window: 0 }), INVALID, /an integer from 1/);
    await refused(
      encoder({ default_num_lookahead_tokens: -1 }),
      INVALID,
      /'encoder_config.default_num_lookahead_tokens'/,
    );
    await refused(
      { 'processor_config.json': { supported_num_lookahead_tokens: [0.5] } },
      INVALID,
      /'supported_num_lookahead_tokens'.*\[0.5\]/,
    );
    // 8 frames to the left are no whole chunks of 3.
    await refused(
      { 'processor_config.json': { supported_num_lookahead_tokens: [2] } },
      INVALID,
      /'encoder.att_context_size'/,
    );
  });

  test('without the list of contexts has the default one', async () => {
    await using model = await loadModel(folder({ 'processor_config.json': null }));
    expect(model.info.contexts).toEqual([[8, 3]]);
  });
});
