import { writeFileSync } from 'node:fs';
import path from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { loadModel } from '../../src/load-model.js';
import { ModelFolders } from '../support/model-folder.js';
import { testSignal } from '../support/signals.js';

const folders = new ModelFolders();
afterAll(() => folders.remove());

function folderWith(streaming: unknown): string {
  const folder = folders.make({});
  writeFileSync(
    path.join(folder, 'streaming.json'),
    typeof streaming === 'string' ? streaming : JSON.stringify(streaming),
  );
  return folder;
}

describe("a model folder's streaming.json", () => {
  test('is what running statistics begin with; other normalisations do not ask it', async () => {
    const bare = await loadModel(folders.make({}), { threads: 1 });
    const { features } = bare.info;
    const mean = Array.from({ length: features }, (_, i) => i / 10 - 4);
    const std = Array.from({ length: features }, () => 2);
    const model = await loadModel(folderWith({ normalization: { frames: 50, mean, std } }), { threads: 1 });
    const samples = testSignal();
    const tokens = async (by: typeof model, normalization: object | string) => {
      const live = by.transcribeStream({ chunk: 4, lookahead: 3, normalization: normalization as 'none' });
      await live.addAudio(samples);
      return (await live.finish()).tokens;
    };
    expect(model.info.prior).toEqual({ frames: 50, mean, std });
    const plain = await tokens(bare, 'running');
    const begun = await tokens(model, 'running');
    expect(begun).not.toEqual(plain);
    expect(begun).toEqual(await tokens(bare, { frames: 50, mean, std }));
    expect(await tokens(model, 'none')).toEqual(await tokens(bare, 'none'));
    expect(await tokens(model, { mean, std })).toEqual(await tokens(bare, { mean, std }));
    await bare.close();
    await model.close();
  });

  test.each([
    ['no JSON', '{'],
    ['nothing in it', {}],
    ['frames that count for nothing', { normalization: { frames: 0, mean: [1], std: [1] } }],
    ['too few values', { normalization: { frames: 1, mean: [1], std: [1] } }],
  ])('with %s is refused', async (_name, streaming) => {
    await expect(loadModel(folderWith(streaming))).rejects.toMatchObject({
      code: 'ERR_PARAKEET_INVALID_CONFIG',
      message: expect.stringContaining('streaming.json'),
    });
  });
});
