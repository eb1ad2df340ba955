/** The package as npm packs it: its documents lead nowhere that is not in it, and bundlers take it without what is optional. */
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { build } from 'esbuild';
import { beforeAll, describe, expect, test } from 'vitest';
import { prose, root } from '../support/documents.js';
import { packedFiles } from '../support/packed-files.js';

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
        'CMakeLists.txt',
        'native/libraries.cmake',
      ]),
    );
    expect(
      files.filter((file) => /node_modules|^test\/|^native\/test|^build|^vendor|^bench/.test(file)),
    ).toEqual([]);
  });

  test('no link of a packed document leads out of the package', () => {
    const documents = files.filter((file) => file.endsWith('.md'));
    expect(documents).toEqual(expect.arrayContaining(['README.md', 'examples/discord-bot/README.md']));
    const dead = documents.flatMap((document) => {
      const links = [...prose(readFileSync(path.join(root, document), 'utf8')).matchAll(/\]\(([^)\s]+)\)/g)];
      return links
        .map(([, link = '']) => link.split('#')[0] as string)
        .filter((link) => link !== '' && !/^[a-z]+:/.test(link))
        .map((link) => path.posix.normalize(path.posix.join(path.posix.dirname(document), link)))
        .filter(
          (target) =>
            !files.some((file) => file === target || file.startsWith(`${target.replace(/\/$/, '')}/`)),
        )
        .map((target) => `${document} → ${target}`);
    });
    expect(dead).toEqual([]);
  });
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
