// Weights in several files.
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { loadModel } from '../../../src/index.js';
import { goldenArray, goldenFolder, maxDifference, readGolden } from '../../support/goldens.js';
import { type Json, ModelFolders, readWeightsOf, weightsFile } from '../../support/model-folder.js';

const folders = new ModelFolders();
afterAll(() => folders.remove());

/** The golden model with its tensors dealt to `count` files; `change` may break the index. */
function sharded(count: number, change: (index: Json) => void = () => {}): string {
  const { header, data } = readWeightsOf('tdt');
  const folder = path.join(folders.root, `shards-${Math.random().toString(36).slice(2)}`);
  mkdirSync(folder);
  writeFileSync(
    path.join(folder, 'config.json'),
    readFileSync(path.join(goldenFolder('tdt'), 'config.json')),
  );
  const names = Object.keys(header).filter((name) => name !== '__metadata__');
  const index: Json = { metadata: {}, weight_map: {} };
  for (let shard = 0; shard < count; shard++) {
    const file = `model-0000${shard + 1}-of-0000${count}.safetensors`;
    const own: Record<string, Json> = {};
    const pieces: Buffer[] = [];
    let at = 0;
    for (const name of names.filter((_, i) => i % count === shard)) {
      const [begin, end] = header[name].data_offsets;
      pieces.push(data.subarray(begin, end));
      own[name] = { ...header[name], data_offsets: [at, at + end - begin] };
      at += end - begin;
      index.weight_map[name] = file;
    }
    writeFileSync(path.join(folder, file), weightsFile(own, Buffer.concat(pieces)));
  }
  change(index);
  writeFileSync(path.join(folder, 'model.safetensors.index.json'), JSON.stringify(index));
  return folder;
}

test('three files are one model', async () => {
  const golden = readGolden('tdt', 'short');
  await using model = await loadModel(sharded(3), { dtype: 'float32' });
  const { shape, data } = goldenArray(golden, 'features');
  const encoded = await model.native.encode(data, shape[0] as number, [-1, -1], 0);
  expect(maxDifference(encoded.data, goldenArray(golden, 'encoded').data)).toBeLessThanOrEqual(1e-4);
});

test.each<[string, (index: Json) => void, string, RegExp]>([
  [
    'a file elsewhere',
    (i) => (i.weight_map['joint.enc.bias'] = '../x.safetensors'),
    'ERR_PARAKEET_INVALID_WEIGHTS',
    /files beside it/,
  ],
  [
    'a file that is missing',
    (i) => (i.weight_map['joint.enc.bias'] = 'x.safetensors'),
    'ERR_PARAKEET_MODEL_NOT_FOUND',
    /x\.safetensors/,
  ],
  [
    'a tensor that is not there',
    (i) => (i.weight_map.nothing = i.weight_map['joint.enc.bias']),
    'ERR_PARAKEET_INVALID_WEIGHTS',
    /'nothing'/,
  ],
  [
    'a tensor that it forgets',
    (i) => void delete i.weight_map['joint.enc.bias'],
    'ERR_PARAKEET_INVALID_WEIGHTS',
    /joint\.enc\.bias.*missing/,
  ],
  ['no map', (i) => void delete i.weight_map, 'ERR_PARAKEET_INVALID_WEIGHTS', /weight_map/],
])('says what is wrong: %s', async (_, change, code, message) => {
  await expect(loadModel(sharded(2, change))).rejects.toMatchObject({
    code,
    message: expect.stringMatching(message),
  });
});
