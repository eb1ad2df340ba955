/** The README's moving picture is what its recorded session gives, and a picture that a README may show. */
import path from 'node:path';
import { expect, test } from 'vitest';
import { pictureOf } from '../../scripts/make-picture.mjs';
import { terminalFilm } from '../../scripts/terminal-film.mjs';
import { readDocument, root } from '../support/documents.js';

const shown = readDocument('docs/pictures/live.svg');

test('the picture is what its session gives', async () => {
  // `npm run picture` makes it again.
  expect((await pictureOf(path.join(root, 'docs', 'pictures', 'live.jsonl'))) === shown).toBe(true);
});

test('it moves without a script, loads nothing, and stands still where motion is unwanted', () => {
  expect(shown).toContain('@keyframes');
  expect(shown).toContain('prefers-reduced-motion');
  expect(shown).not.toMatch(/<script|href=|url\(|@import/);
});

test('it ends with the subtitles that the session wrote', () => {
  expect(shown.slice(shown.lastIndexOf('<g>'))).toContain('00:00:00,160 --> ');
});

test('each screen is shown from its second on, at its place on the strip, in the order of time', () => {
  const row = (text: string, dim = false) => [{ text, dim, bold: false }];
  const film = terminalFilm(
    [
      { at: 0, rows: [row('first')] },
      { at: 2.5, rows: [row('<second>', true)] },
    ],
    { columns: 20, rows: 1, title: 'a "title"', seconds: 10 },
  );
  expect(film).toContain(
    '@keyframes run{0.00%{transform:translateY(0px)}25.00%{transform:translateY(-39px)}}',
  );
  expect(film).toContain('<tspan class="d">&lt;second></tspan>');
  expect(film).toContain('aria-label="a &quot;title&quot;"');
});
