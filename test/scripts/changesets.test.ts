/** The changesets that wait for the next version have the form that the release tool reads. */
import { readdirSync, readFileSync } from 'node:fs';
import { expect, test } from 'vitest';

const folder = new URL('../../.changeset/', import.meta.url);
const names = readdirSync(folder).filter((name) => name.endsWith('.md') && name !== 'README.md');
const FORM = /^---\n'parakeet-stream': (?:patch|minor|major)\n---\n\n\S/;

test('a head that a formatter took for a heading is noticed', () => {
  expect("---\n\n## 'parakeet-stream': minor\n\nText\n").not.toMatch(FORM);
});

test.each(names)('%s', (name) => {
  expect(readFileSync(new URL(name, folder), 'utf8')).toMatch(FORM);
});
