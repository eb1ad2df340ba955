/** The engine was run under sanitizers, and passed. */
import { expect, test } from 'vitest';
import { readDocument } from '../support/documents.js';

test('The last run under AddressSanitizer, UndefinedBehaviorSanitizer and ThreadSanitizer found nothing.', () => {
  const { sanitize } = JSON.parse(readDocument('docs/verified.json')) as Record<string, unknown>;
  expect(sanitize).toMatchObject({
    passed: true,
    address: true,
    thread: true,
    commit: expect.stringMatching(/^[0-9a-f]{7,}$/),
    date: expect.stringMatching(/^\d{4}-\d\d-\d\d$/),
  });
});
