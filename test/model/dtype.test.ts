// The types that weights may have: how far each strays from float32, that words stay, that silence stays finite, and that the
// number of threads changes nothing.
import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { readRecordings, readSamples } from '../../bench/recordings.mjs';
import { wordErrorRate } from '../../bench/wer-metric.mjs';
import { loadAddon } from '../../src/engine/load-addon.js';
import { loadModel } from '../../src/index.js';
import type { Model } from '../../src/model.js';
import { relativeDifference } from '../../src/verify/check.js';
import { goldenArray, maxDifference, readGolden } from '../support/goldens.js';
import { loadNativeGolden } from '../support/native-golden.js';

const audio = fileURLToPath(new URL('../audio', import.meta.url));

test.each([
  ['float32', 0, 1e-5],
  ['bfloat16', 1e-5, 2e-2],
  // 0.0176 where only the weights are bytes (AVX2), 0.0200 to 0.0212 where the activations are too (AVX-512, AMX).
  ['int8', 1e-5, 2.5e-2],
  // Coarser than int8, or nothing is in four bits; MLX's own operations take int8 for it.
  ['int4', loadAddon().build().instructions === null ? 1e-5 : 3e-2, 0.2],
] as const)('the encoder in %s strays by more than %d and less than %d', async (dtype, least, most) => {
  const golden = readGolden('tdt', 'long');
  const { native } = await loadNativeGolden('tdt', dtype);
  const { shape, data } = goldenArray(golden, 'features');
  const encoded = await native.encode(data, shape[0] as number, [-1, -1], 0);
  await native.close();
  const error = relativeDifference(encoded.data, goldenArray(golden, 'encoded').data);
  expect(error).toBeGreaterThanOrEqual(least);
  expect(error).toBeLessThan(most);
});

test.each(['float32', 'bfloat16', 'int8', 'int4'] as const)('silence stays finite in %s', async (dtype) => {
  const { native, info } = await loadNativeGolden('tdt', dtype);
  for (const level of [0, 1e-30, 1e-6]) {
    const samples = new Float32Array(info.sampleRate).map((_, i) => level * Math.sin(i));
    const mel = await native.logMel(samples);
    const features = await native.normalize(mel.data, mel.rows);
    const encoded = await native.encode(features.data, features.rows, [-1, -1], 0);
    expect(encoded.data.every(Number.isFinite)).toBe(true);
  }
  await native.close();
});

describe('the bundled model', () => {
  const models = new Map<string, Model>();
  beforeAll(async () => {
    for (const dtype of ['float32', 'bfloat16', 'int8', 'int4'] as const)
      models.set(dtype, await loadModel(undefined, { dtype }));
  });
  afterAll(async () => {
    for (const model of models.values()) await model.close();
  });

  // What a type changes, not what a language model makes of it.
  const decoding = { type: 'greedy' } as const;
  test.each([
    ['bfloat16', 2],
    ['int8', 2],
    ['int4', 8],
  ])('hears in %s what it hears in float32, but for %d words in a hundred', async (dtype, most) => {
    const model = models.get(dtype) as Model;
    expect(model.info.dtype).toBe(dtype);
    const pairs = [];
    let words = 0;
    for (const { file } of readRecordings(audio)) {
      const samples = await readSamples(file, model.info.sampleRate);
      const said = (await (models.get('float32') as Model).transcribe(samples, { decoding })).text;
      words += said.split(' ').length;
      pairs.push({ said, heard: (await model.transcribe(samples, { decoding })).text });
    }
    expect(words).toBeGreaterThan(100);
    // bench:wer holds the rates against what was said, on more audio.
    expect(wordErrorRate(pairs).wer).toBeLessThanOrEqual(most);
  });
});

test('the number of threads changes nothing', () => {
  const script = fileURLToPath(new URL('../support/encode-with-threads.mjs', import.meta.url));
  const run = (threads: number) => {
    const { stdout, stderr, status } = spawnSync(process.execPath, [script, String(threads)], {
      encoding: 'buffer',
    });
    expect(status, stderr.toString()).toBe(0);
    return new Float32Array(stdout.buffer.slice(stdout.byteOffset, stdout.byteOffset + stdout.byteLength));
  };
  const one = run(1);
  expect(one.length).toBeGreaterThan(10_000);
  for (const threads of [2, 7]) {
    const many = run(threads);
    expect(many.length).toBe(one.length);
    expect(maxDifference(many, one)).toBe(0);
  }
});
