/** The check of the built site sees a page that search does not find. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { pagesOutOfSearch } from '../../docs/site/search.mjs';

let site: string;
beforeEach(() => {
  site = mkdtempSync(path.join(tmpdir(), 'parakeet-search-'));
  mkdirSync(path.join(site, 'assets', 'chunks'), { recursive: true });
  writeFileSync(path.join(site, 'package.json'), '{ "type": "module" }');
});
afterEach(() => rmSync(site, { recursive: true, force: true }));

function index(...places: string[]): void {
  const text = JSON.stringify(JSON.stringify({ documentIds: { ...places } }));
  writeFileSync(
    path.join(site, 'assets', 'chunks', '@localSearchIndexroot.abc.js'),
    `export default ${text};`,
  );
}

const pages = ['index.md', 'streams.md', 'examples/demo.md'];

test('pages with a heading in the index, and one without', async () => {
  index('/#top', '/streams#events', '/streams#options');
  expect(await pagesOutOfSearch(site, pages)).toEqual(['examples/demo.md']);
});

test('below a base', async () => {
  index('/project/#top', '/project/streams#events', '/project/examples/demo#a');
  expect(await pagesOutOfSearch(site, pages, '/project/')).toEqual([]);
});

test('without an index nothing is found', async () => {
  expect(await pagesOutOfSearch(site, pages)).toEqual(pages);
});
