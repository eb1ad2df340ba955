/**
 * After every test file, nothing native may be alive: no model, no session, no work. For files that used the engine; it is not
 * loaded for this.
 */
import { createRequire } from 'node:module';
import { afterAll, expect, vi } from 'vitest';
import type { NativeAddon } from '../../src/engine/addon.js';

afterAll(async () => {
  const { cache } = createRequire(import.meta.url);
  const addon = Object.values(cache).find((module) => module?.filename?.endsWith('parakeet.node'));
  if (!addon) return;
  const { counts } = addon.exports as NativeAddon;
  // The engine's thread decrements its counts a moment after it has answered.
  await vi.waitFor(() => expect(counts()).toEqual({ models: 0, sessions: 0, queued: 0, calls: 0 }), {
    interval: 5,
    timeout: 10_000,
  });
});
