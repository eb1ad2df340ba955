// Every format of model by its hub name: which files are fetched, and that they load.
import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, test } from 'vitest';
import { cachedModels } from '../../src/hub/cached-models.js';
import { fetchFromHub } from '../../src/hub/hub.js';
import { loadModel } from '../../src/index.js';
import { goldenFolder } from '../support/goldens.js';
import { hubCase } from '../support/hub-case.js';
import { COMMIT, REPO } from '../support/hub-server.js';
import { readWeightsOf, weightsFile } from '../support/model-folder.js';
import { expectNothingAliveAtTheEnd } from '../support/nothing-alive.js';

expectNothingAliveAtTheEnd();
const at = hubCase();
const read = (...names: string[]) => readFileSync(path.join(import.meta.dirname, '..', ...names));
const nemo = read('fixtures', 'nemo', 'ctc.nemo');
const json = (value: unknown) => Buffer.from(JSON.stringify(value));
const snapshot = () => readdirSync(path.join(at.root, 'snapshots', COMMIT)).sort();

function shards(): Record<string, Buffer> {
  const { header, data } = readWeightsOf('ctc');
  const names = Object.keys(header).filter((name) => name !== '__metadata__');
  const files: Record<string, Buffer> = {};
  const map: Record<string, string> = {};
  for (const [i, half] of [names.slice(0, 40), names.slice(40)].entries()) {
    const file = `model-0000${i + 1}-of-00002.safetensors`;
    // Each with all bytes: only the headers differ.
    files[file] = weightsFile(Object.fromEntries(half.map((name) => [name, header[name]])), data);
    for (const name of half) map[name] = file;
  }
  return { ...files, 'model.safetensors.index.json': json({ weight_map: map }) };
}

const config = readFileSync(path.join(goldenFolder('ctc'), 'config.json'));
const transformers = {
  'config.json': read('goldens', 'transformers-ctc', 'config.json'),
  'model.safetensors': read('goldens', 'transformers-ctc', 'model.safetensors'),
  'preprocessor_config.json': read('goldens', 'transformers-ctc', 'preprocessor_config.json'),
  'tokenizer.json': json({ model: { vocab: Array.from({ length: 47 }, (_, i) => [`p${i}`, 0]) } }),
};
const README = { 'README.md': Buffer.from('# a model'), 'big.bin': Buffer.alloc(1000) };

describe('a repository', () => {
  test.each<[string, Record<string, Buffer>, string[]]>([
    ['of one archive of NVIDIA', { ...README, 'parakeet.nemo': nemo }, ['parakeet.nemo']],
    [
      'of weights in two files',
      { ...README, 'config.json': config, ...shards() },
      ['config.json', ...Object.keys(shards())],
    ],
    [
      'of transformers, which is preferred to the archive beside it',
      { ...README, 'x.nemo': nemo, ...transformers },
      Object.keys(transformers),
    ],
  ])('%s: what is needed is fetched, and loads', async (_, files, wanted) => {
    at.hub.files = files;
    await using model = await loadModel(REPO, { cacheDir: at.cacheDir, threads: 1 });
    expect(model.info.architecture).toBe('ctc');
    expect(snapshot()).toEqual([...wanted].sort());
    await using again = await loadModel(REPO, { cacheDir: at.cacheDir, threads: 1, offline: true });
    expect(again.info).toEqual(model.info);
    const [cached, ...others] = await cachedModels(at.cacheDir);
    expect(others).toEqual([]);
    expect(cached?.bytes).toBe(wanted.reduce((sum, name) => sum + (files[name]?.length ?? 0), 0));
  });

  test('with half of its weights is no model', async () => {
    const files: Record<string, Buffer> = { 'config.json': config, ...shards() };
    delete files['model-00002-of-00002.safetensors'];
    at.hub.files = files;
    await expect(fetchFromHub(REPO, { cacheDir: at.cacheDir })).rejects.toMatchObject({
      code: 'ERR_PARAKEET_MODEL_NOT_FOUND',
      message: expect.stringMatching(
        /no model that can be read.*there is .*model-00001-of-00002\.safetensors/,
      ),
    });
  });
});
