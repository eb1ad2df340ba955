// One cache, two libraries: Python's own and ours. Where `python3` (or the one that PARAKEET_PYTHON names) has huggingface_hub.
import { spawn, spawnSync } from 'node:child_process';
import { text } from 'node:stream/consumers';
import { describe, expect, test } from 'vitest';
import { fetchFromHub } from '../../src/hub/hub.js';
import { expectWhole, hubCase } from '../support/hub-case.js';
import { REPO } from '../support/hub-server.js';

const at = hubCase();
const { hub } = at;
const python = process.env.PARAKEET_PYTHON || 'python3';
const hasLibrary = spawnSync(python, ['-c', 'import huggingface_hub']).status === 0;

/** What Python prints, line by line. */
async function run(...lines: string[]): Promise<string[]> {
  const env = { ...process.env, HF_HUB_CACHE: at.cacheDir, HF_HUB_DISABLE_XET: '1' };
  const child = spawn(python, ['-c', ['from huggingface_hub import *', ...lines].join('\n')], {
    env,
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  return (await text(child.stdout)).trim().split('\n');
}

describe.skipIf(!hasLibrary)('a model in the cache', () => {
  test('that Python fetched is ours too', async () => {
    await run(...['config.json', 'model.safetensors'].map((file) => `hf_hub_download('${REPO}', '${file}')`));
    expectWhole(at.root);
    hub.reset();
    const folder = await fetchFromHub(REPO, { cacheDir: at.cacheDir, offline: true });
    expect(hub.requests).toEqual([]);
    expect(await fetchFromHub(REPO, { cacheDir: at.cacheDir })).toBe(folder);
    expect(hub.weightGets).toEqual([]);
  });

  test('that we fetched is Python’s too', async () => {
    const folder = await fetchFromHub(REPO, { cacheDir: at.cacheDir });
    const said = await run(
      `print(hf_hub_download('${REPO}', 'model.safetensors', local_files_only=True))`,
      'cache = scan_cache_dir()',
      'print([repo.repo_id for repo in cache.repos], len(cache.warnings))',
    );
    expect(said).toEqual([`${folder}/model.safetensors`, `['${REPO}'] 0`]);
  });
});
