/** What the log says of a failure: all of the server's own, of a client's only what gives nothing away. */
import type { FastifyBaseLogger } from 'fastify';
import { expect, test } from 'vitest';
import { AudioError, ServerError } from '../../src/index.js';
import { logFailure } from '../../src/server/failures.js';

function logged(error: unknown) {
  const lines: [level: string, fields: object, message: string][] = [];
  const log = {
    info: (fields: object, message: string) => lines.push(['info', fields, message]),
    error: (fields: object, message: string) => lines.push(['error', fields, message]),
  } as unknown as FastifyBaseLogger;
  const failure = logFailure(log, error, 'connection', { client: 'desk' });
  return { failure, lines };
}

test('an error of the server is logged whole, and its client is told nothing of it', () => {
  const error = new Error('/srv/secret is not there');
  const { failure, lines } = logged(error);
  expect(lines).toEqual([
    ['error', { client: 'desk', code: 'internal_error', err: error }, 'connection failed'],
  ]);
  expect(failure.message).not.toContain('secret');
});

test.each([
  new AudioError('ERR_PARAKEET_INVALID_AUDIO', 'Expected sound but received "my password"'),
  new ServerError('ERR_PARAKEET_SERVER_PROTOCOL', 'Expected a number but received "my password"'),
  new ServerError('ERR_PARAKEET_SERVER_BUSY', 'Expected room', { retryAfter: 3 }),
])('of what a client did wrong the log has the code only: $code', (error) => {
  const { failure, lines } = logged(error);
  expect(lines).toEqual([['info', { client: 'desk', code: error.code }, 'connection refused']]);
  expect(failure.message).toBe(error.message);
});
