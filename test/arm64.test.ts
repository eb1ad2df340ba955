/** The addon for Linux arm64 was cross-compiled and run, and passed. */
import { expect, test } from 'vitest';
import { readDocument } from './support/documents.js';

test('the last run of `npm run test:arm64` passed, on CPUs with and without dot products and bfloat16', () => {
  const { arm64 } = JSON.parse(readDocument('docs/verified.json')) as Record<string, unknown>;
  expect(arm64).toMatchObject({
    passed: true,
    cpus: 'cortex-a72, neoverse-n1, max',
    commit: expect.stringMatching(/^[0-9a-f]{7,}$/),
  });
});
