// What a malformed safetensors file says, in the header or natively, where weights and config meet.
import { readFileSync, truncateSync } from 'node:fs';
import path from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { ModelError } from '../../src/errors.js';
import { loadModel } from '../../src/load-model.js';
import { readTensorIndex } from '../../src/model/safetensors.js';
import { goldenFolder } from '../support/goldens.js';
import { type Json, ModelFolders, readWeightsOf, weightsFile } from '../support/model-folder.js';
import { expectNothingAliveAtTheEnd, nothingAlive } from '../support/nothing-alive.js';

expectNothingAliveAtTheEnd();
const folders = new ModelFolders();
afterAll(() => folders.remove());

const NAME = 'encoder.layers.0.self_attn.linear_q.weight';

async function failure(folder: string): Promise<ModelError> {
  const error = await loadModel(folder).then(
    async (model) => {
      await model.close();
      return undefined;
    },
    (reason: unknown) => reason,
  );
  expect(error).toBeInstanceOf(ModelError);
  expect((error as Error).message).toContain(path.join(folder, 'model.safetensors'));
  await nothingAlive();
  return error as ModelError;
}

/** A model whose weights' header was changed. */
function withHeader(change: (header: Record<string, Json>) => unknown): string {
  const { header, data } = readWeightsOf('tdt');
  return folders.make({ weights: weightsFile(change(header) ?? header, data) });
}

const entry = (change: (entry: Json) => unknown) => (header: Record<string, Json>) => {
  const replaced = change(header[NAME]);
  if (replaced !== undefined) header[NAME] = replaced;
};

const put = (values: Json) => entry((e) => ({ ...e, ...values }));

const CASES: [what: string, change: (header: Record<string, Json>) => unknown, said: RegExp][] = [
  ['a tensor is missing', (header) => void delete header[NAME], /of shape \[64, 64\].*is missing/],
  ['another shape of the same size', put({ shape: [32, 128] }), /\[64, 64\].*found \[32, 128\]/],
  ['a shape that does not fit the bytes', put({ shape: [64, 65] }), /Expected 16640 bytes.*found 16384/],
  ['an unknown type', put({ dtype: 'I64' }), /Expected F32, F16, BF16, I8 or U8.*found 'I64'/],
  ['no type', entry((e) => void delete e.dtype), /Expected F32, F16, BF16, I8 or U8.*found none/],
  ['offsets behind the end', put({ data_offsets: [1e9, 1e9 + 16384] }), /end at byte 1000.*cut short/],
  [
    'offsets the wrong way round',
    entry((e) => void e.data_offsets.reverse()),
    /Expected 16384 bytes.*found -16384/,
  ],
  ['offsets below zero', put({ data_offsets: [-16384, 0] }), /two data_offsets.*-16384/],
  ['one offset', entry((e) => void e.data_offsets.pop()), /two data_offsets/],
  ['a shape of text', put({ shape: '64x64' }), /a shape of whole numbers.*'64x64'/],
  ['an absurd shape', put({ shape: [2 ** 52, 2 ** 52] }), /Expected 8.*e\+31 bytes/],
  ['an entry that is null', entry(() => null), /Expected an object.*found null/],
  ['an entry that is a number', entry(() => 3), /Expected an object.*found 3/],
  [
    'two tensors in one place',
    (header) => {
      const other = Object.keys(header).find((key) => key !== NAME && header[key]?.shape?.join() === '64,64');
      header[NAME].data_offsets = header[other as string].data_offsets;
    },
    /to begin at byte \d+ or later, where '.*' ends/,
  ],
];

describe('weights that are wrong name the tensor, what was expected and what was found', () => {
  test.each(CASES)('%s', async (_, change, said) => {
    const error = await failure(withHeader(change));
    expect(error.code).toBe('ERR_PARAKEET_INVALID_WEIGHTS');
    expect(error.message).toMatch(said);
    expect(error.message).toMatch(/tensor '(?:encoder|decoder|joint)\./i);
  });
});

describe('a file that is no safetensors file', () => {
  const bytes = (length: bigint, rest = '') => {
    const head = Buffer.alloc(8);
    head.writeBigUInt64LE(length);
    return Buffer.concat([head, Buffer.from(rest)]);
  };
  const files: [what: string, file: Buffer, said: RegExp][] = [
    ['empty', Buffer.alloc(0), /at least 8 bytes.*found 0/],
    ['five bytes', Buffer.from('hello'), /at least 8 bytes.*found 5/],
    ['an absurd header length', bytes(0xffffffffffffffffn), /at most 100000000 bytes.*18446744073709551615/],
    ['a Git LFS pointer', Buffer.from('version https://git-lfs.github.com/spec/v1\n'), /Git LFS pointer/],
    ['a header longer than the file', bytes(5000n, '{}'), /header of 5000 bytes.*has 10 in all/],
    ['a header that is not JSON', weightsFile('{"a": ', Buffer.alloc(4)), /JSON header.*does not parse/],
    ['a header that is a list', weightsFile('[]', Buffer.alloc(4)), /JSON object.*found \[\]/],
    ['an empty header', bytes(0n), /JSON header/],
    ['no tensors', weightsFile('{}', Buffer.alloc(0)), /all are missing/],
  ];
  test.each(files)('%s', async (_, weights, said) => {
    const error = await failure(folders.make({ weights }));
    expect(error.code).toBe('ERR_PARAKEET_INVALID_WEIGHTS');
    expect(error.message).toMatch(said);
  });

  test.each([1, 1000, 700_000])('cut short by %d bytes', async (missing) => {
    const folder = folders.make({});
    const file = path.join(folder, 'model.safetensors');
    truncateSync(file, readFileSync(file).length - missing);
    const error = await failure(folder);
    expect(error.code).toBe('ERR_PARAKEET_INVALID_WEIGHTS');
    expect(error.message).toMatch(/cut short/);
  });
});

test('the index of a golden file covers its data', async () => {
  const file = path.join(goldenFolder('tdt'), 'model.safetensors');
  const tensors = await readTensorIndex(file);
  const { header, data } = readWeightsOf('tdt');
  expect(tensors.map(({ name }) => name).sort()).toEqual(
    Object.keys(header)
      .filter((name) => name !== '__metadata__')
      .sort(),
  );
  expect(tensors.reduce((sum, { bytes }) => sum + bytes, 0)).toBe(data.length);
});
