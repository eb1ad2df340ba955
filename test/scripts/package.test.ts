/** The package as npm packs it: its documents lead nowhere that is not in it, and bundlers take it without what is optional. */
import { readFileSync, statSync } from 'node:fs';
import path from 'node:path';
import { build } from 'esbuild';
import { beforeAll, describe, expect, test } from 'vitest';
import { packedFiles } from '../../scripts/pack-root.mjs';
import { packedDocument } from '../../scripts/packed-document.mjs';
import { prose, readDocument, root } from '../support/documents.js';

let files: string[] = [];
beforeAll(() => {
  files = packedFiles();
});

describe('what is packed', () => {
  test('holds what runs and what is read, and nothing of the workshop', () => {
    expect(files).toEqual(
      expect.arrayContaining([
        'dist/index.js',
        'dist/index.d.ts',
        'README.md',
        'LICENSE',
        'CHANGELOG.md',
        'docs/installing.md',
      ]),
    );
    expect(files.filter((file) => !/^(dist|docs)\/|^[A-Z_]+(\.md)?$|^package\.json$/.test(file))).toEqual([]);
  });

  test('is JavaScript, types and documents, and small', () => {
    const bytes = files.reduce((sum, file) => sum + statSync(path.join(root, file)).size, 0);
    expect(files.filter((file) => /\.(node|so|dylib|map|safetensors|cpp)$/.test(file))).toEqual([]);
    expect(bytes).toBeLessThan(2_500_000);
  });

  test('no link of a packed document leads out of the package', () => {
    const documents = files.filter((file) => file.endsWith('.md'));
    expect(documents).toContain('README.md');
    const dead = documents.flatMap((document) => {
      const published = { files, repository: undefined, version: '1.2.3' };
      const packed = packedDocument(readDocument(document), document, published);
      return linksOf(packed)
        .map((link) => link.split('#')[0] as string)
        .filter((link) => link !== '' && !/^[a-z]+:/.test(link))
        .map((link) => path.posix.normalize(path.posix.join(path.posix.dirname(document), link)))
        .filter((target) => !files.includes(target))
        .map((target) => `${document} → ${target}`);
    });
    expect(dead).toEqual([]);
  });
});

const linksOf = (text: string) => [...prose(text).matchAll(/\]\(([^)\s]+)\)/g)].map(([, link = '']) => link);

test('links to what is not packed lead to the repository where there is one', () => {
  const text =
    'See [a](docs/a.md#x), [`b`](src/b.ts#L1), ![c](c.svg) and [site](https://example.org).\n\n```md\n[d](src/d.ts)\n```\n';
  const files = ['README.md', 'docs/a.md'];
  const at = (repository: string | undefined) =>
    packedDocument(text, 'README.md', { files, repository, version: '1.2.3' });
  expect(at('https://example.org/r')).toBe(
    text
      .replace('src/b.ts#L1', 'https://example.org/r/blob/v1.2.3/src/b.ts#L1')
      .replace('c.svg', 'https://example.org/r/raw/v1.2.3/c.svg'),
  );
  expect(at(undefined)).toBe(text.replace('[`b`](src/b.ts#L1)', '`b`').replace('![c](c.svg)', 'c'));
});

test('esbuild bundles it, and follows no optional peer', async () => {
  const { errors, warnings, metafile } = await build({
    entryPoints: [path.join(root, 'dist', 'index.js')],
    bundle: true,
    platform: 'node',
    format: 'esm',
    write: false,
    metafile: true,
    logLevel: 'silent',
  });
  expect([...errors, ...warnings].map(({ text }) => text)).toEqual([]);
  const { peerDependencies } = JSON.parse(readFileSync(path.join(root, 'package.json'), 'utf8')) as {
    peerDependencies: Record<string, string>;
  };
  const inputs = Object.keys(metafile.inputs);
  expect(inputs.length).toBeGreaterThan(100);
  for (const peer of Object.keys(peerDependencies)) {
    expect(inputs.filter((input) => input.includes(`node_modules/${peer}/`))).toEqual([]);
  }
});
