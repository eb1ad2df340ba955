/** The classes of errors: a code belongs to one class, and `isParakeetError` tells codes apart. */
import { expect, test } from 'vitest';
import {
  AbortedError,
  ArgumentError,
  AudioError,
  ClosedError,
  DependencyError,
  HubError,
  isParakeetError,
  JobError,
  LagError,
  ModelError,
  NativeError,
  type ParakeetError,
  SavedStateError,
  ServerError,
  WriteError,
} from '../src/index.js';
import { readDocument } from './support/documents.js';

const errors: ParakeetError[] = [
  new ArgumentError('x'),
  new AudioError('ERR_PARAKEET_UNSUPPORTED_FORMAT', 'x'),
  new AudioError('ERR_PARAKEET_INVALID_AUDIO', 'x'),
  new ModelError('ERR_PARAKEET_MODEL_NOT_FOUND', 'x'),
  new ModelError('ERR_PARAKEET_INVALID_CONFIG', 'x'),
  new ModelError('ERR_PARAKEET_INVALID_WEIGHTS', 'x'),
  new ModelError('ERR_PARAKEET_UNSUPPORTED_MODEL', 'x'),
  new HubError('x', 3),
  new WriteError('ERR_PARAKEET_WRITE', 'x'),
  new WriteError('ERR_PARAKEET_NO_SPACE', 'x', { needed: 7 }),
  new NativeError('ERR_PARAKEET_NATIVE_LOAD', 'x'),
  new NativeError('ERR_PARAKEET_ENGINE', 'x'),
  new DependencyError('x'),
  new SavedStateError('ERR_PARAKEET_INVALID_SNAPSHOT', 'x'),
  new SavedStateError('ERR_PARAKEET_INVALID_SESSION', 'x'),
  new ServerError('ERR_PARAKEET_SERVER_BUSY', 'x', { retryAfter: 3 }),
  new ServerError('ERR_PARAKEET_SERVER_LIMIT', 'x'),
  new ServerError('ERR_PARAKEET_SERVER_PROTOCOL', 'x'),
  new ServerError('ERR_PARAKEET_SERVER_ACCESS', 'x'),
  new JobError('ERR_PARAKEET_JOB_SOURCE', 'x'),
  new JobError('ERR_PARAKEET_JOB_DELIVERY', 'x'),
  new JobError('ERR_PARAKEET_JOB_FAILED', 'x'),
  new JobError('ERR_PARAKEET_JOB_QUEUE', 'x'),
  new ClosedError('x'),
  new LagError('x'),
  new AbortedError(),
];

test.each(errors.map((error) => [error.code, error] as const))('%s', (code, error) => {
  expect(isParakeetError(error)).toBe(true);
  expect(errors.filter((other) => isParakeetError(other, code))).toEqual([error]);
  expect(error.name).toBe(error instanceof AbortedError ? 'AbortError' : error.constructor.name);
  // Each has a row in the guide, with its class.
  const row = readDocument('docs/errors.md')
    .split('\n')
    .find((line) => line.startsWith('|') && line.includes(`\`${code}\``));
  expect(row).toContain(`\`${error.constructor.name}\``);
});

test('other errors are none, whatever their code', () => {
  const other = Object.assign(new Error('x'), { code: 'ERR_PARAKEET_CLOSED' });
  for (const value of [other, undefined, 'ERR_PARAKEET_CLOSED', { code: 'ERR_PARAKEET_CLOSED' }])
    expect(isParakeetError(value)).toBe(false);
});

test('causes and facts are kept', () => {
  const cause = new Error('disk');
  expect(new WriteError('ERR_PARAKEET_NO_SPACE', 'x', { needed: 7, cause })).toMatchObject({
    needed: 7,
    cause,
  });
  expect(new HubError('x', 3, { cause })).toMatchObject({ retryAfter: 3, cause });
  expect(new AudioError('ERR_PARAKEET_INVALID_AUDIO', 'x')).not.toHaveProperty('cause');
});
