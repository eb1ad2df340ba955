/** Which addon is taken: the one that is named, the one that was compiled, or that of the platform's package. */
import path from 'node:path';
import { expect, test } from 'vitest';
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
