/** `npm run test:packages`: what package managers, compilers and bundlers make of the published packages. Too slow for the suite. */
import { fileURLToPath } from 'node:url';
import { defineConfig } from 'vitest/config';

export default defineConfig({
  root: fileURLToPath(new URL('../..', import.meta.url)),
  test: {
    include: ['test/packages/*.gate.ts'],
    globalSetup: ['test/packages/global-setup.ts'],
    pool: 'forks',
    maxWorkers: 1,
    // On a busy machine the addon alone compiles for ten minutes.
    testTimeout: 3_600_000,
    hookTimeout: 3_600_000,
  },
});
