// transformers' layout of a cache-aware model, against what transformers itself computed, streamed chunk by chunk.
import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { NativeContext } from '../../../src/engine/addon.js';
import { loadModel, type Model } from '../../../src/index.js';
import { maxDifference } from '../../support/goldens.js';
import type { Json } from '../../support/model-folder.js';
import { readSafetensors, type Tensor } from '../../support/safetensors.js';

const NAME = 'transformers-cache-aware-rnnt';
const goldens = path.join(import.meta.dirname, '..', '..', 'goldens', NAME);
const root = mkdtempSync(path.join(tmpdir(), 'parakeet-cache-aware-'));
afterAll(() => rmSync(root, { recursive: true, force: true }));

const PIECES = Array.from({ length: 47 }, (_, id) => (id === 0 ? '<unk>' : `▁p${id}`));
const RIGHTS = [0, 1, 3];
let count = 0;

/** A copy of the golden model with a tokenizer, whose JSON files a test may break. */
function folder(files: Record<string, Json> = {}): string {
  const copy = path.join(root, String(count++));
  cpSync(goldens, copy, { recursive: true });
  const all = {
    'tokenizer.json': { model: { type: 'Unigram', vocab: PIECES.map((piece, i) => [piece, -i]) } },
    'processor_config.json': { supported_num_lookahead_tokens: [...RIGHTS].reverse() },
    ...files,
  };
  for (const [file, content] of Object.entries(all))
    if (content !== null) writeFileSync(path.join(copy, file), JSON.stringify(content));
  return copy;
}

const json = (file: string): Json => JSON.parse(readFileSync(path.join(goldens, file), 'utf8'));

describe('the golden model', () => {
  const golden = readSafetensors(path.join(goldens, 'short.safetensors'));
  const array = (key: string): Tensor => {
    const tensor = golden.get(key);
    if (!tensor) throw new Error(key);
    return tensor;
  };
  const frames = json('short.json') as Record<string, number>;
  let model: Model;
  beforeAll(async () => {
    model = await loadModel(folder(), { dtype: 'float32' });
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
