/** The pages of the documentation site, as they are before VitePress: what is there, and that each link leads to one of them. */
import { existsSync, readdirSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, test } from 'vitest';
import { allPages, guidesInOrder, pageText, titleOf } from '../../docs/site/pages.mjs';
import { prose, readDocument, root } from '../support/documents.js';

const pages = allPages() as Map<string, string>;

test('every guide has a place in the list of guides, which is the order of the README', () => {
  const there = readdirSync(path.join(root, 'docs')).filter((name) => name.endsWith('.md'));
  expect([...guidesInOrder()].sort()).toEqual(there.map((name) => `docs/${name}`).sort());
  expect(guidesInOrder()[0]).toBe('docs/streams.md');
});

test('the README is the front page; what links lead to is a page too, sources among them', () => {
  expect(pages.get('README.md')).toBe('index.md');
  expect(pages.get('docs/streams.md')).toBe('streams.md');
  expect(pages.get('examples/custom-stage.mjs')).toBe('examples/custom-stage.md');
  expect(pages.get('examples/discord-bot/README.md')).toBe('examples/discord-bot.md');
  expect(new Set(pages.values()).size).toBe(pages.size);
});

describe.each([...pages])('%s', (file, page) => {
  const text = pageText(file, pages) as string;

  test('its links lead to pages and pictures', () => {
    const links = [
      ...prose(text)
        .replaceAll(/`[^`\n]+`/g, '')
        .matchAll(/\]\(([^)\s]+)\)/g),
    ].map(([, link = '']) => link);
    const broken = links.filter((link) => {
      if (/^(?:[a-z]+:|#)/.test(link)) return false;
      const target = path.posix.join(path.posix.dirname(page), link.split('#')[0] ?? '');
      return ![...pages.values()].includes(target) && !existsSync(path.join(root, 'docs', target));
    });
    expect(broken).toEqual([]);
  });

  test('it has a title', () => expect(titleOf(file)).not.toBe(''));
});

test('programs stay as they are', () => {
  const [program = ''] = readDocument('docs/streams.md').match(/^```js\n.*?^```$/ms) ?? [];
  expect(pageText('docs/streams.md', pages)).toContain(program);
  expect(pageText('examples/demo.mjs', pages)).toContain(readDocument('examples/demo.mjs').trim());
});
