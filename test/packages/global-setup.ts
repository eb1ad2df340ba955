/** Before the gates: packs everything, starts the registry, publishes. */
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import type { TestProject } from 'vitest/node';
import { AUTOMATIC, pack, packForeign } from '../../scripts/pack.mjs';
import { buildOf } from '../../scripts/pack-platform.mjs';
import { startRegistry } from './registry.js';

export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  const folder = mkdtempSync(path.join(tmpdir(), 'parakeet-registry-'));
  const out = path.join(folder, 'packed');
  const cache = path.join(folder, 'cache');
  mkdirSync(cache);
  const registry = await startRegistry(path.join(folder, 'registry'));
  try {
    for (const name of AUTOMATIC) {
      const options = { out, platforms: AUTOMATIC };
      // What has no build here is published empty: package managers resolve it, and must not install it.
      registry.publish((buildOf(name).isThere ? pack(name, options) : packForeign(name, options)).tarball);
    }
    for (const name of ['tiny-en', 'source', 'root'])
      registry.publish(pack(name, { out, platforms: AUTOMATIC }).tarball);
  } catch (error) {
    await registry.close();
    throw error;
  }
  project.provide('registry', registry.url);
  project.provide('cache', cache);
  return async () => {
    await registry.close();
    rmSync(folder, { recursive: true, force: true });
  };
}
