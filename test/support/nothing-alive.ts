// After a test file, nothing native may be alive: no model, no session, no work.
import { afterAll, expect, vi } from 'vitest';
import { loadAddon } from '../../src/engine/load-addon.js';

export const counts = () => loadAddon().counts();

/** The engine's thread decrements its counts a moment after it has answered: only that is waited for. */
export async function nothingAlive(): Promise<void> {
  const { models, sessions } = counts();
  expect({ models, sessions }).toEqual({ models: 0, sessions: 0 });
  await vi.waitFor(() => expect(counts().queued).toBe(0), { interval: 5, timeout: 1000 });
}

/** Registers the check; call it before other `afterAll`s, which run in reverse order. */
export function expectNothingAliveAtTheEnd(): void {
  afterAll(nothingAlive);
}
