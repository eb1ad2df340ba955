/** Comments that point to a file point to one that is there. */
import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { expect, test } from 'vitest';
import { root } from './support/documents.js';

const SOURCE = /\.(?:ts|mjs|h|cpp)$/;

const files = ['src', 'native', 'scripts', 'bench', 'conformance', 'examples', 'test'].flatMap((folder) =>
  readdirSync(path.join(root, folder), { recursive: true, encoding: 'utf8' })
    .filter((name) => SOURCE.test(name) && !/node_modules|^fixtures|^comments\.test/.test(name))
    .map((name) => path.join(folder, name)),
);
const names = new Set(['vitest.config.ts', ...files.map((file) => path.basename(file))]);

/** The names of source files in the comments of `text`. */
function namedIn(text: string): string[] {
  const comments = text
    .split('\n')
    .map((line) => /^\s*(?:\*|\/\*)(.*)|(?:^|\s)\/\/(.*)/.exec(line)?.slice(1).join('') ?? '');
  return comments.flatMap((line) =>
    [...line.matchAll(/(?<![\w./*-])[\w./-]*?([\w-]+(?:\.test|\.test-d|\.d)?\.(?:ts|mjs|h|cpp))\b/g)].map(
      ([, name = '']) => name,
    ),
  );
}

test('they name no file that is not there', () => {
  expect(files.length).toBeGreaterThan(400);
  const missing = files.flatMap((file) =>
    namedIn(readFileSync(path.join(root, file), 'utf8'))
      .filter((name) => !names.has(name) && !name.endsWith('.d.ts'))
      .map((name) => `${file}: ${name}`),
  );
  expect(missing).toEqual([]);
});

test('the check sees one', () => {
  expect(namedIn('// as in src/no-such-file.ts\n * and `gone.h`')).toEqual(['no-such-file.ts', 'gone.h']);
});
