// Models written in our own format: nothing changes but what was asked for.
import { mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { type ConvertModelOptions, convertModel, loadModel, type Model } from '../../src/index.js';
import { readTensorIndex } from '../../src/model/safetensors.js';
import { relativeDifference } from '../../src/verify/check.js';
import { ARCHITECTURES, goldenArray, goldenFolder, readGolden } from '../support/goldens.js';
import { halved, ModelFolders, readWeightsOf } from '../support/model-folder.js';

const folders = new ModelFolders();
afterAll(() => folders.remove());
let count = 0;
const target = () => path.join(folders.root, `converted-${count++}`);
const nemo = path.join(import.meta.dirname, '..', 'fixtures', 'nemo', 'tdt.nemo');

async function convert(name: string, options?: ConvertModelOptions): Promise<string> {
  const folder = target();
  const { bytes } = await convertModel(name, folder, options);
  expect(statSync(path.join(folder, 'model.safetensors')).size).toBe(bytes);
  return folder;
}

async function heard(model: Model, architecture: 'tdt' | 'tdt-ctc' | 'rnnt' | 'ctc') {
  const { shape, data } = goldenArray(readGolden(architecture, 'short'), 'features');
  const encoded = await model.native.encode(data, shape[0] as number, [-1, -1], 0);
  const heads = architecture === 'tdt-ctc' ? (['tdt', 'ctc'] as const) : ([architecture] as const);
  const tokens = [];
  for (const head of heads) tokens.push(await model.native.decode(encoded.data, encoded.rows, { head }, 0));
  return { encoded, tokens };
}

describe.each(ARCHITECTURES)('%s', (architecture) => {
  test.each(['float32', 'bfloat16', 'int8', 'int4'] as const)(
    'in %s computes what the original does in it',
    async (dtype) => {
      const folder = await convert(goldenFolder(architecture), { dtype });
      await using original = await loadModel(goldenFolder(architecture), { dtype });
      await using converted = await loadModel(folder, { dtype });
      expect(await heard(converted, architecture)).toEqual(await heard(original, architecture));
    },
  );
});

test('a folder that cannot be written is an error of writing', async () => {
  const file = path.join(folders.root, 'a-file');
  writeFileSync(file, '');
  await expect(convertModel(goldenFolder('tdt'), path.join(file, 'model'))).rejects.toMatchObject({
    code: 'ERR_PARAKEET_WRITE',
    message: expect.stringContaining(path.join(file, 'model')),
    cause: { code: 'ENOTDIR' },
  });
});

test('bytes take a quarter, and load as such', async () => {
  const original = statSync(path.join(goldenFolder('tdt'), 'model.safetensors')).size;
  const folder = await convert(goldenFolder('tdt'), { dtype: 'int8' });
  // The golden model has many small vectors and scales; a large one comes closer to a quarter.
  expect(statSync(path.join(folder, 'model.safetensors')).size).toBeLessThan(0.45 * original);
  await using model = await loadModel(folder);
  expect(model.info.dtype).toBe('int8');
  const types = new Set(
    (await readTensorIndex(path.join(folder, 'model.safetensors'))).map(({ dtype }) => dtype),
  );
  expect([...types].sort()).toEqual(['BF16', 'F32', 'I8']);
});

test('four bits take less than bytes, load as such, and are what is loaded in four bits', async () => {
  const size = (folder: string) => statSync(path.join(folder, 'model.safetensors')).size;
  const folder = await convert(goldenFolder('tdt'), { dtype: 'int4' });
  expect(size(folder)).toBeLessThan(size(await convert(goldenFolder('tdt'), { dtype: 'int8' })));
  await using model = await loadModel(folder);
  expect(model.info.dtype).toBe('int4');
  const index = await readTensorIndex(path.join(folder, 'model.safetensors'));
  const typeOf = (name: string) =>
    index.find((tensor) => tensor.name === `encoder.layers.0.${name}.weight`)?.dtype;
  expect(typeOf('feed_forward1.linear2')).toBe('I4');
  expect(typeOf('self_attn.linear_pos')).toBe('I4');
  expect(typeOf('conv.pointwise_conv1')).toBe('I8');
});

test('four bits are computed in any type, from the same values', async () => {
  const folder = await convert(goldenFolder('tdt'), { dtype: 'int4' });
  await using four = await loadModel(folder);
  const exact = await heard(four, 'tdt');
  for (const [dtype, most] of [
    ['float32', 3e-2],
    ['int8', 3e-2],
  ] as const) {
    await using model = await loadModel(folder, { dtype });
    const { encoded } = await heard(model, 'tdt');
    expect(relativeDifference(encoded.data, exact.encoded.data)).toBeLessThan(most);
  }
});

test('an archive of NVIDIA becomes a folder that gives the same, without what only training reads', async () => {
  const folder = await convert(nemo);
  await using original = await loadModel(nemo, { dtype: 'float32' });
  await using converted = await loadModel(folder, { dtype: 'float32' });
  expect(await heard(converted, 'tdt')).toEqual(await heard(original, 'tdt'));
  expect(readdirSync(folder).sort()).toEqual(['config.json', 'model.safetensors']);
});

test('without a type, halves stay halves', async () => {
  const half = folders.make({ weights: halved(readWeightsOf('tdt'), 'F16') });
  const folder = await convert(half);
  const kept = await readTensorIndex(path.join(folder, 'model.safetensors'));
  expect(new Set(kept.map(({ dtype }) => dtype))).toEqual(new Set(['F16']));
  await using original = await loadModel(half, { dtype: 'float32' });
  await using converted = await loadModel(folder, { dtype: 'float32' });
  expect(await heard(converted, 'tdt')).toEqual(await heard(original, 'tdt'));
});

test('halves of either kind become float32 of the same values', async () => {
  for (const kind of ['F16', 'BF16'] as const) {
    const half = folders.make({ weights: halved(readWeightsOf('tdt'), kind) });
    await using original = await loadModel(half, { dtype: 'float32' });
    await using converted = await loadModel(await convert(half, { dtype: 'float32' }), { dtype: 'float32' });
    expect(await heard(converted, 'tdt')).toEqual(await heard(original, 'tdt'));
  }
});

test.each([
  ['int8', 'int4'],
  ['int4', 'int8'],
] as const)('%s can be written again as it is, not as anything else', async (dtype, other) => {
  const narrow = await convert(goldenFolder('tdt'), { dtype });
  for (const same of [undefined, dtype]) {
    await using original = await loadModel(narrow);
    await using again = await loadModel(await convert(narrow, { dtype: same }));
    expect(again.info.dtype).toBe(dtype);
    expect(await heard(again, 'tdt')).toEqual(await heard(original, 'tdt'));
  }
  for (const wrong of ['float32', other] as const) {
    await expect(convertModel(narrow, target(), { dtype: wrong })).rejects.toMatchObject({
      code: 'ERR_PARAKEET_UNSUPPORTED_MODEL',
      message: expect.stringContaining(`found ${dtype}`),
    });
  }
});

test('four bits without their scales, or of another width, are refused', async () => {
  const folder = await convert(goldenFolder('tdt'), { dtype: 'int4' });
  const file = path.join(folder, 'model.safetensors');
  const whole = readFileSync(file);
  const name = 'encoder.layers.0.feed_forward1.linear1.weight';
  const renamed = (from: string, to: string) => {
    const text = whole.toString('latin1').replace(from, to);
    writeFileSync(file, Buffer.from(text, 'latin1'));
    return loadModel(folder);
  };
  await expect(renamed(`${name}_scale`, `${name}_Scale`)).rejects.toMatchObject({
    code: 'ERR_PARAKEET_INVALID_WEIGHTS',
    message: expect.stringContaining(`${name}_scale`),
  });
  // 256 rows of 36 bytes: the same number of them as half of the rows of twice the width.
  const shape = `"${name}":{"dtype":"U8","shape":[`;
  expect(whole.includes(`${shape}256,36]`)).toBe(true);
  await expect(renamed(`${shape}256,36]`, `${shape}128,72]`)).rejects.toMatchObject({
    code: 'ERR_PARAKEET_INVALID_WEIGHTS',
    message: expect.stringContaining('[256, 64]'),
  });
  await expect(renamed('"four_bits":"1"', '"four_bits":"2"')).rejects.toMatchObject({
    code: 'ERR_PARAKEET_INVALID_WEIGHTS',
    message: expect.stringContaining("but found '2'"),
  });
  await expect(renamed(`${shape}256,36]`, `${shape}288,32]`)).rejects.toMatchObject({
    code: 'ERR_PARAKEET_INVALID_WEIGHTS',
    message: expect.stringContaining('groups of 9 bytes'),
  });
});

test('the bundled model keeps its streaming.json and its language model', async () => {
  const folder = await convert(path.join(import.meta.dirname, '..', '..', 'models', 'parakeet-tiny-en'), {
    dtype: 'int8',
  });
  await using model = await loadModel(folder);
  expect(model.info.prior).toBeDefined();
  expect(model.info.languageModel).toBe(path.join(folder, 'en.lm'));
});

test('a folder with something in it is left alone', async () => {
  const folder = target();
  mkdirSync(folder);
  writeFileSync(path.join(folder, 'mine.txt'), 'mine');
  await expect(convertModel(goldenFolder('tdt'), folder)).rejects.toMatchObject({
    code: 'ERR_PARAKEET_INVALID_ARGUMENT',
  });
  expect(readdirSync(folder)).toEqual(['mine.txt']);
});

test('what a conversion that was killed left is written anew', async () => {
  const folder = target();
  mkdirSync(folder);
  writeFileSync(path.join(folder, 'model.safetensors.part'), 'half');
  await convertModel(goldenFolder('tdt'), folder);
  expect(readdirSync(folder).sort()).toEqual(['config.json', 'model.safetensors']);
  await (await loadModel(folder)).close();
});

test('an abort leaves no weights', async () => {
  const folder = target();
  const controller = new AbortController();
  const done = convertModel(goldenFolder('tdt'), folder, {
    signal: controller.signal,
    onProgress: () => controller.abort(),
  });
  await expect(done).rejects.toMatchObject({ code: 'ERR_PARAKEET_ABORTED' });
  expect(readdirSync(folder)).toEqual([]);
});
