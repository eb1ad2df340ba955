/** Which addon is taken: the one that is named, the one that was compiled, or that of the platform's package. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { addonSources } from '../../src/engine/addon-sources.js';
import { findAddon, platformPackages, root } from '../../src/engine/find-addon.js';

test('the one that PARAKEET_ADDON names, whether it is there or not', () => {
  expect(findAddon({ PARAKEET_ADDON: 'some/where.node' })).toEqual({
    found: { file: path.resolve('some/where.node') },
  });
});

test('in a checkout, the one that was built', () => {
  expect(findAddon({})).toEqual({ found: { file: path.join(root, 'build', 'Release', 'parakeet.node') } });
});

describe('with one that was built for CUDA beside it', () => {
  const folder = mkdtempSync(path.join(os.tmpdir(), 'parakeet-built-'));
  const [onCpu, onCuda] = ['build', 'build-cuda'].map((name) => {
    const file = path.join(folder, name, 'Release', 'parakeet.node');
    mkdirSync(path.dirname(file), { recursive: true });
    writeFileSync(file, '');
    return file;
  }) as [string, string];
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  test.each([
    [{}, true, onCuda],
    [{}, false, onCpu],
    [{ PARAKEET_BACKEND: 'cpu' }, true, onCpu],
    [{ PARAKEET_DEVICE: 'cpu' }, true, onCpu],
    [{ PARAKEET_BACKEND: 'cuda' }, false, onCuda],
  ])('%j, a card: %s', (env, card, file) => {
    expect(findAddon(env, () => card, folder)).toEqual({ found: { file } });
  });
});

test.each([
  ['linux', 'x64', undefined, ['linux-x64-cuda', 'linux-x64']],
  ['linux', 'x64', 'cpu', ['linux-x64']],
  ['linux', 'x64', 'cuda', ['linux-x64-cuda']],
  ['darwin', 'arm64', undefined, ['darwin-arm64']],
  ['darwin', 'arm64', 'metal', ['darwin-arm64']],
])('%s-%s with PARAKEET_BACKEND=%s: %j', (platform, arch, backend, names) => {
  expect(platformPackages(platform, arch, backend)).toEqual(names);
});

test('in a checkout, it is compiled from the checkout', () => {
  expect(addonSources()).toEqual({
    script: path.join(root, 'scripts', 'install.mjs'),
    addon: path.join(root, 'build', 'Release', 'parakeet.node'),
  });
});
