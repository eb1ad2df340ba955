// A rate-limiting hub says when to retry; we do, a few times. Against a hub of our own on this machine.
import { setTimeout as sleep } from 'node:timers/promises';
import { beforeEach, describe, expect, test, vi } from 'vitest';
import { AbortedError, HubError } from '../../src/errors.js';
import { fetchFromHub } from '../../src/hub/hub.js';
import { expectWhole, failure, hubCase } from '../support/hub-case.js';
import { REPO } from '../support/hub-server.js';

const at = hubCase();
const { hub } = at;
const fetchIt = (signal?: AbortSignal) => fetchFromHub(REPO, { cacheDir: at.cacheDir, signal });

/** What is waited for is noted, not waited for: so many milliseconds in all, and what happens at the first. */
let waited = 0;
let onWait: (() => void) | undefined;
vi.mock('node:timers/promises', async (original) => ({
  ...(await original<typeof import('node:timers/promises')>()),
  setTimeout: async (milliseconds: number, _value: unknown, options?: { signal?: AbortSignal }) => {
    waited += milliseconds;
    onWait?.();
    options?.signal?.throwIfAborted();
  },
}));
beforeEach(() => {
  waited = 0;
  onWait = undefined;
});

test('waiting is noted here', async () => {
  await sleep(1000);
  expect(waited).toBe(1000);
});

describe('a rate-limiting hub', () => {
  test.each([
    ['seconds', { 'Retry-After': '1' }, 429],
    ['a date', () => ({ 'Retry-After': new Date(Date.now() + 2000).toUTCString() }), 429],
    ['its rate limit’s reset', { RateLimit: '"api";r=0;t=1' }, 429],
    ['seconds, and is overloaded', { 'Retry-After': '1' }, 503],
  ])('is asked again when it said, in %s', async (_, headers, status) => {
    hub.faults.busy = { times: 1, status, headers: typeof headers === 'function' ? headers() : headers };
    await fetchIt();
    expect(waited).toBeGreaterThan(900);
    expect(waited).toBeLessThanOrEqual(2000);
    expectWhole(at.root);
  });

  test.each([/\/api\/models\/.*revision/, /tree/, /resolve/])('is asked again for %s', async (asked) => {
    hub.faults.busy = { times: 3, path: asked, headers: { 'Retry-After': '0' } };
    await fetchIt();
    expect(hub.faults.busy.times).toBe(0);
    expectWhole(at.root);
  });

  test('and says nothing else is asked again after a second, then two', async () => {
    hub.faults.busy = { times: 2 };
    await fetchIt();
    expect(waited).toBe(3000);
  });

  test.each([/revision/, /resolve.*safetensors/])('for ever (%s) is given up', async (asked) => {
    hub.faults.busy = { times: Number.POSITIVE_INFINITY, path: asked, headers: { 'Retry-After': '0' } };
    const error = await failure(fetchIt());
    expect(error).toBeInstanceOf(HubError);
    expect(error.code).toBe('ERR_PARAKEET_HUB_BUSY');
    expect(error).toMatchObject({ retryAfter: 0 });
    expect(error.message).toMatch(/someone\/parakeet-golden.*429.*5 times.*HF_TOKEN/s);
    expect(hub.requests.filter(({ path }) => asked.test(path))).toHaveLength(5);
  });

  test('for an hour is not waited for', async () => {
    hub.faults.busy = { times: 1, headers: { 'Retry-After': '3600' } };
    const error = await failure(fetchIt());
    expect(error).toBeInstanceOf(HubError);
    expect(error).toMatchObject({ retryAfter: 3600 });
    expect(error.message).toMatch(/3600 s/);
    expect(hub.requests).toHaveLength(1);
  });

  test('is not waited for after an abort', async () => {
    hub.faults.busy = { times: 1, headers: { 'Retry-After': '60' } };
    const aborter = new AbortController();
    onWait = () => aborter.abort(new Error('enough'));
    const error = await failure(fetchIt(aborter.signal));
    expect(error).toBeInstanceOf(AbortedError);
    expect(error.cause).toMatchObject({ message: 'enough' });
    expect(waited).toBeLessThanOrEqual(1000);
    expect(hub.requests).toHaveLength(1);
  });

  test('is not waited for when the cache has the model', async () => {
    const folder = await fetchIt();
    hub.faults.busy = { times: Number.POSITIVE_INFINITY, headers: { 'Retry-After': '60' } };
    expect(await fetchIt()).toBe(folder);
    expect(waited).toBe(0);
  });
});
