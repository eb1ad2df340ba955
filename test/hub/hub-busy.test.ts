// A hub that has too many requests says when to come back; we do, a few times. Against a hub of our own on this machine.
import { performance } from 'node:perf_hooks';
import { describe, expect, test } from 'vitest';
import { AbortedError, HubError } from '../../src/errors.js';
import { fetchFromHub } from '../../src/hub/hub.js';
import { expectWhole, failure, hubCase } from '../support/hub-case.js';
import { REPO } from '../support/hub-server.js';

const at = hubCase();
const { hub } = at;
const fetchIt = (signal?: AbortSignal) => fetchFromHub(REPO, { cacheDir: at.cacheDir, signal });

async function seconds(work: Promise<unknown>): Promise<number> {
  const begun = performance.now();
  await work;
  return (performance.now() - begun) / 1000;
}

describe('a hub that has too many requests', () => {
  test.each([
    ['seconds', { 'Retry-After': '1' }, 429],
    ['a date', () => ({ 'Retry-After': new Date(Date.now() + 2000).toUTCString() }), 429],
    ['its rate limit’s reset', { RateLimit: '"api";r=0;t=1' }, 429],
    ['seconds, and is overloaded', { 'Retry-After': '1' }, 503],
  ])('is asked again when it said, in %s', async (_, headers, status) => {
    hub.faults.busy = { times: 1, status, headers: typeof headers === 'function' ? headers() : headers };
    expect(await seconds(fetchIt())).toBeGreaterThan(0.9);
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
    expect(await seconds(fetchIt())).toBeGreaterThan(2.9);
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
    setTimeout(() => aborter.abort(new Error('enough')), 200);
    const loading = failure(fetchIt(aborter.signal));
    expect(await seconds(loading)).toBeLessThan(10);
    expect(await loading).toBeInstanceOf(AbortedError);
    expect((await loading).cause).toMatchObject({ message: 'enough' });
    expect(hub.requests).toHaveLength(1);
  });

  test('is not waited for when the cache has the model', async () => {
    const folder = await fetchIt();
    hub.faults.busy = { times: Number.POSITIVE_INFINITY, headers: { 'Retry-After': '60' } };
    expect(await seconds(fetchIt())).toBeLessThan(10);
    expect(await fetchIt()).toBe(folder);
  });
});
