/** Models packed for this machine's CPU: they compute the same, here and on any other, and damage is noticed. */
import { execFile } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { randomModel } from '../../bench/random-model.mjs';
import { type ConvertModelOptions, convertModel, loadModel } from '../../src/index.js';
import { readTensorIndex } from '../../src/model/safetensors.js';
import { goldenFolder } from '../support/goldens.js';

const run = promisify(execFile);
const script = fileURLToPath(new URL('../support/encode-shapes.mjs', import.meta.url));

let work: string;
let count = 0;
beforeAll(() => {
  work = mkdtempSync(path.join(tmpdir(), 'parakeet-packed-'));
});
afterAll(() => rmSync(work, { recursive: true, force: true }));

async function convert(name: string, options: ConvertModelOptions): Promise<string> {
  const folder = path.join(work, `converted-${count++}`);
  await convertModel(name, folder, options);
  return folder;
}

/** Frames of many lengths, by a process with at most these instructions. */
async function encoded(folder: string, dtype: string, instructions: string): Promise<Buffer> {
  const output = path.join(work, `${count++}.f32`);
  await run(process.execPath, [script, folder, dtype, output], {
    env: { ...process.env, ONEDNN_MAX_CPU_ISA: instructions },
  });
  return readFileSync(output);
}

const weightsOf = (folder: string) => path.join(folder, 'model.safetensors');
const packedIn = async (folder: string) =>
  (await readTensorIndex(weightsOf(folder))).filter(({ checksum }) => checksum !== undefined);

// Panels that are not full, groups that are padded, and a gate.
describe.each([40, 48, 72])('a model of width %d', (width) => {
  const original = () =>
    randomModel('custom', {
      dtype: 'float32',
      size: { layers: 2, width, features: 24, vocabulary: 40 },
      out: path.join(work, `width-${width}`),
    });

  test.each(['float32', 'bfloat16', 'int8'] as const)(
    'packed in %s computes bit for bit what it does unpacked, with any instructions',
    async (dtype) => {
      const plain = await convert(original(), { dtype });
      const folder = await convert(original(), { dtype, packed: true });
      const found = await packedIn(folder);
      expect(found).toHaveLength(2 * 11);
      for (const { offset, shape } of found) {
        expect(offset % 64).toBe(0);
        expect(shape).toHaveLength(5);
      }
      for (const instructions of ['DEFAULT', 'AVX2', 'SSE41'])
        expect(
          (await encoded(folder, dtype, instructions)).equals(await encoded(plain, dtype, instructions)),
        ).toBe(true);
    },
  );

  test('packed in int8 is read in other types', async () => {
    const plain = await convert(original(), { dtype: 'int8' });
    const folder = await convert(original(), { dtype: 'int8', packed: true });
    for (const dtype of ['float32', 'int4'])
      expect((await encoded(folder, dtype, 'DEFAULT')).equals(await encoded(plain, dtype, 'DEFAULT'))).toBe(
        true,
      );
  });
});

test('the weights as they are can be packed, and load in their type', async () => {
  const int8 = await convert(goldenFolder('tdt'), { dtype: 'int8' });
  const folder = await convert(int8, { packed: true });
  expect((await packedIn(folder)).length).toBeGreaterThan(0);
  await using model = await loadModel(folder);
  expect(model.info.dtype).toBe('int8');
});

test('a damaged byte is noticed, wherever it is', async () => {
  const folder = await convert(goldenFolder('tdt'), { dtype: 'int8', packed: true });
  const bytes = readFileSync(weightsOf(folder));
  const found = await packedIn(folder);
  for (const tensor of [found[0], found.at(-1)]) {
    if (!tensor) throw new Error('Expected packed tensors');
    for (const at of [tensor.offset, tensor.offset + tensor.bytes - 1]) {
      const damaged = Buffer.from(bytes);
      damaged[at] = (damaged[at] as number) ^ 1;
      writeFileSync(weightsOf(folder), damaged);
      await expect(loadModel(folder)).rejects.toMatchObject({
        code: 'ERR_PARAKEET_INVALID_WEIGHTS',
        message: expect.stringMatching(`'${tensor.name}'.*checksum differs`),
      });
    }
  }
});

/** Changes the header in place; what replaces something is as long. */
async function withHeader(change: (header: string) => string): Promise<string> {
  const folder = await convert(goldenFolder('tdt'), { dtype: 'int8', packed: true });
  const bytes = readFileSync(weightsOf(folder));
  const end = 8 + Number(bytes.readBigUInt64LE(0));
  bytes.write(change(bytes.toString('latin1', 8, end)), 8, 'latin1');
  writeFileSync(weightsOf(folder), bytes);
  return folder;
}

test.each([
  ['of another version', /"packed":"1"/, '"packed":"2"', /version 1 of packed weights.*found '2'/],
  ['without their checksums', /"checksums":"/, '"checksumz":"', /checksums of packed weights/],
  ['with one that is none', /\\"[0-9a-f]{8}\\"/, String.raw`\"nothing!\"`, /checksums of packed weights/],
  ['of another shape', /"shape":\[(\d),(\d+),1,/, '"shape":[$2,$1,1,', /Expected tensor .* but found/],
  ['of a shape that is no layout', /"shape":\[(\d),(\d+),1,32,/, '"shape":[$1,1,$2,32,', /packed in a way/],
])('packed weights %s are refused', async (_, from, to, message) => {
  const folder = await withHeader((header) => {
    expect(header).toMatch(from);
    return header.replace(from, to);
  });
  await expect(loadModel(folder)).rejects.toMatchObject({ code: 'ERR_PARAKEET_INVALID_WEIGHTS', message });
});

test('what is packed is not converted again, and four bits are not packed', async () => {
  const folder = await convert(goldenFolder('tdt'), { dtype: 'int8', packed: true });
  await expect(convertModel(folder, path.join(work, 'again'), {})).rejects.toMatchObject({
    code: 'ERR_PARAKEET_UNSUPPORTED_MODEL',
    message: expect.stringContaining('Convert the original'),
  });
  const four = convertModel(goldenFolder('tdt'), path.join(work, 'four'), { dtype: 'int4', packed: true });
  await expect(four).rejects.toMatchObject({ code: 'ERR_PARAKEET_INVALID_ARGUMENT' });
});
