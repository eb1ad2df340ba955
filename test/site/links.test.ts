/** The check of the built site sees a link that leads nowhere, to a page or within one. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { brokenLinks } from '../../docs/site/links.mjs';

let site: string;
beforeEach(() => {
  site = mkdtempSync(path.join(tmpdir(), 'parakeet-site-'));
});
afterEach(() => rmSync(site, { recursive: true, force: true }));

function page(name: string, html: string): void {
  mkdirSync(path.dirname(path.join(site, name)), { recursive: true });
  writeFileSync(path.join(site, name), html);
}

test('a page, an anchor and a picture that are there', () => {
  page(
    'index.html',
    '<a href="/guide#what-it-is">x</a> <img src="/a.svg"> <a href="https://example.org/none">y</a>',
  );
  page(
    'guide.html',
    '<h2 id="what-it-is"></h2> <a href="#what-it-is">x</a> <a href="/">y</a> <a href="./api/">z</a>',
  );
  page('api/index.html', '<a href="../guide.html">x</a>');
  page('a.svg', '');
  expect(brokenLinks(site)).toEqual([]);
});

test.each([
  ['/none', 'a page'],
  ['/guide#none', 'an anchor of another page'],
  ['#none', 'an anchor of this one'],
  ['/api/', 'a folder without a page'],
])('%s is not there: %s', (link) => {
  page('index.html', `<h1 id="top"></h1><a class="a" href="${link}">x</a>`);
  page('guide.html', '');
  mkdirSync(path.join(site, 'api'));
  expect(brokenLinks(site)).toEqual([`index.html → ${link}`]);
});

test('below a base, a link that leaves it leads nowhere', () => {
  page('index.html', '<a href="/project/guide">x</a> <a href="/guide">y</a>');
  page('guide.html', '');
  expect(brokenLinks(site, '/project/')).toEqual(['index.html → /guide']);
});

test('what a script holds is no link', () => {
  page('index.html', '<script>const a = \' href="/none"\';</script>');
  expect(brokenLinks(site)).toEqual([]);
});
