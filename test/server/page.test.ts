/** The files of the page: what is served, how, and nothing else. In a browser: test/page. */
import { readdirSync } from 'node:fs';
import { get } from 'node:http';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { startServer, stopServers, type TestServer } from '../support/caption-server.js';
import { root } from '../support/documents.js';

let server: TestServer;
beforeAll(async () => {
  server = await startServer({ tokens: [{ name: 'studio', token: 'a-token-of-20-letters' }] });
});
afterAll(stopServers);

/** The status of an address as it stands: `fetch` would tidy it first. */
const statusOf = (address: string) =>
  new Promise<number | undefined>((resolve, reject) => {
    get(server.http, { path: address }, (answer) => resolve(answer.resume().statusCode)).on('error', reject);
  });

describe.each(['/', '/rooms/talk', '/rooms/talk/overlay'])('%s', (address) => {
  test('is served to anybody, with a policy that allows nothing but files of its own', async () => {
    const answer = await fetch(server.http + address);
    expect(answer.status).toBe(200);
    expect(answer.headers.get('content-type')).toBe('text/html; charset=utf-8');
    const policy = answer.headers.get('content-security-policy') ?? '';
    expect(policy).toContain("default-src 'none'");
    expect(policy).not.toMatch(/unsafe|\*|http:|data:/);
    expect(answer.headers.get('x-frame-options')).toBe('DENY');
    const html = await answer.text();
    expect(html).not.toMatch(/ style=| on\w+=|<style|<script(?![^>]* src=)/);
    const files = [...html.matchAll(/(?:src|href)="([^"]+)"/g)].map(([, file]) => file as string);
    expect(files.length).toBeGreaterThan(2);
    for (const file of files) expect(await statusOf(file)).toBe(200);
  });
});

test('the bundle is small', async () => {
  const answer = await fetch(`${server.http}/assets/app.js`);
  expect(answer.headers.get('content-type')).toMatch(/^application\/javascript/);
  expect((await answer.text()).length).toBeLessThan(60_000);
});

test('every bundled program is served', async () => {
  const bundled = readdirSync(path.join(root, 'dist', 'page')).filter((file) => !file.endsWith('.html'));
  expect(bundled.length).toBeGreaterThan(5);
  for (const file of bundled) expect(await statusOf(`/assets/${file}`)).toBe(200);
});

test.each([
  '/assets/',
  '/assets/index.html',
  '/assets/../server/index.js',
  '/assets/..%2f..%2fpackage.json',
  '/assets/%2e%2e/index.js',
  '/rooms/a.b',
  '/rooms/',
])('%s is not', async (address) => {
  expect([401, 404]).toContain(await statusOf(address));
});
