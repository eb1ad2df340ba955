/** What a release does beside packing: the repository's address, the notes, and publishing in an order that never leaves half a release to be installed. */
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { json } from 'node:stream/consumers';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { sectionOf, withoutTrailingSpace } from '../../scripts/release/changelog.mjs';
import { objections, tarballsOf } from '../../scripts/release/publish.mjs';
import { addressOf, writeRepository } from '../../scripts/release/write-repository.mjs';
import { readDocument, root } from '../support/documents.js';

const ADDRESS = 'https://git.example/somebody/parakeet-stream';
let checkout: string;
beforeEach(() => {
  checkout = mkdtempSync(path.join(tmpdir(), 'parakeet-release-'));
});
afterEach(() => rmSync(checkout, { recursive: true, force: true }));

const manifestAt = (...place: string[]) =>
  JSON.parse(readFileSync(path.join(checkout, ...place, 'package.json'), 'utf8'));

describe('the address of the repository', () => {
  test('goes into every package, and names the folder of those beside the root', () => {
    for (const folder of ['.', 'packages/linux-x64', 'packages/tiny-en']) {
      mkdirSync(path.join(checkout, folder), { recursive: true });
      writeFileSync(
        path.join(checkout, folder, 'package.json'),
        JSON.stringify({ name: folder, version: '1.0.0' }),
      );
    }
    mkdirSync(path.join(checkout, 'packages', 'licenses'));
    writeRepository(checkout, ADDRESS);
    expect(manifestAt()).toEqual({
      name: '.',
      version: '1.0.0',
      repository: { type: 'git', url: `git+${ADDRESS}.git` },
      bugs: { url: `${ADDRESS}/issues` },
      homepage: `${ADDRESS}#readme`,
    });
    expect(manifestAt('packages', 'tiny-en').repository.directory).toBe('packages/tiny-en');
  });

  test('is in no commit', () => {
    const manifest = JSON.parse(readDocument('package.json')) as object;
    for (const field of ['repository', 'bugs', 'homepage']) expect(manifest).not.toHaveProperty(field);
  });

  test('must be one', () => {
    expect(addressOf(`${ADDRESS}.git`)).toBe(ADDRESS);
    for (const wrong of [
      '/',
      'https://git.example',
      'git@git.example:somebody/x.git',
      `${ADDRESS}?a=b`,
      undefined,
    ])
      expect(() => addressOf(wrong)).toThrow('Expected the https address of a repository');
  });
});

test('what changesets writes is left as our formatter wants it', () => {
  const written = '## 0.2.0\n\n### Patch Changes\n\n- 37bf5c1: One.\n  \n  Two.\n- 5ef820e: Three.\n';
  const formatted = (text: string) =>
    spawnSync('npx', ['--no-install', 'biome', 'format', '--stdin-file-path=CHANGELOG.md'], {
      cwd: root,
      encoding: 'utf8',
      input: text,
    }).stdout;
  expect(formatted(written)).not.toBe(written);
  const tidied = withoutTrailingSpace(written);
  expect(formatted(tidied)).toBe(tidied);
});

describe('the notes of a release', () => {
  const changelog =
    '# Changelog\n\nWords.\n\n## 0.2.0\n\n### Minor Changes\n\n- New.\n\n## 0.1.0 (unreleased)\n\n- Old.\n';
  test('are the section of its version', () => {
    expect(sectionOf(changelog, '0.2.0')).toBe('### Minor Changes\n\n- New.');
  });
  test('there are none of a version that is missing, or not released', () => {
    expect(() => sectionOf(changelog, '0.3.0')).toThrow(
      "Expected the heading '## 0.3.0' in CHANGELOG.md but found none",
    );
    expect(() => sectionOf(changelog, '0.1.0')).toThrow("found '## 0.1.0 (unreleased)'");
  });
});

/** A tarball as `npm run pack` leaves them. */
function packed(manifest: object & { name: string }): void {
  const folder = path.join(checkout, 'source');
  mkdirSync(folder, { recursive: true });
  writeFileSync(path.join(folder, 'package.json'), JSON.stringify(manifest));
  const { status, stderr } = spawnSync('npm', ['pack', '--ignore-scripts', '--pack-destination', checkout], {
    cwd: folder,
    encoding: 'utf8',
  });
  expect({ status, stderr: status === 0 ? '' : stderr }).toEqual({ status: 0, stderr: '' });
  rmSync(folder, { recursive: true });
}
const repository = { type: 'git', url: `git+${ADDRESS}.git` };
const main = {
  name: 'parakeet-stream',
  version: '9.9.9',
  repository,
  optionalDependencies: { '@parakeet-stream/zebra-x64': '9.9.9' },
};
const zebra = { name: '@parakeet-stream/zebra-x64', version: '9.9.9', repository };

describe('a release goes out whole or not at all', () => {
  const of = (...manifests: object[]) => manifests.map((manifest) => ({ file: '', manifest }));
  test.each([
    ['', of(zebra, main)],
    ['Expected a tarball of parakeet-stream but found none', of(zebra)],
    ['Expected a tarball of @parakeet-stream/zebra-x64, which parakeet-stream needs', of(main)],
    ['Expected version 9.9.9 of @parakeet-stream/zebra-x64', of({ ...zebra, version: '9.9.8' }, main)],
    ['Expected a repository in parakeet-stream', of(zebra, { ...main, repository: undefined })],
    [
      'Expected parakeet-stream to need @parakeet-stream/zebra-x64 9.9.9 but it needs ^9.0.0',
      of(zebra, { ...main, optionalDependencies: { '@parakeet-stream/zebra-x64': '^9.0.0' } }),
    ],
  ])('%s', (objection, tarballs) => {
    expect(objections(tarballs, '9.9.9').join('\n')).toContain(objection);
    expect(objections(tarballs, '9.9.9')).toHaveLength(objection === '' ? 0 : 1);
  });

  test('the package that needs the others is the last', () => {
    packed(main);
    packed(zebra);
    expect(tarballsOf(checkout).map(({ manifest }) => manifest.name)).toEqual([zebra.name, main.name]);
  });
});

describe('against a registry', () => {
  let registry: Server;
  let published: string[];
  beforeEach(async () => {
    published = [];
    registry = createServer(async (request, response) => {
      const name = decodeURIComponent((request.url ?? '').slice(1).split('?')[0] ?? '');
      if (request.method === 'PUT') {
        await json(request);
        published.push(name);
        response.writeHead(201).end('{}');
      } else if (published.includes(name)) {
        const versions = { '9.9.9': { name, version: '9.9.9', dist: {} } };
        response.end(JSON.stringify({ name, 'dist-tags': { latest: '9.9.9' }, versions }));
      } else response.writeHead(404).end('{}');
    }).listen(0, '127.0.0.1');
    await once(registry, 'listening');
    writeFileSync(path.join(checkout, 'package.json'), JSON.stringify({ version: '9.9.9' }));
    packed(main);
    packed(zebra);
  });
  afterEach(() => registry.close());

  async function publish(changelog: string): Promise<{ code: number; said: string }> {
    writeFileSync(path.join(checkout, 'CHANGELOG.md'), changelog);
    const { port } = registry.address() as AddressInfo;
    const config = path.join(checkout, 'npmrc');
    writeFileSync(config, `//127.0.0.1:${port}/:_authToken=none\n`);
    const child = spawn(process.execPath, [path.join(root, 'scripts', 'release', 'publish.mjs'), '.'], {
      cwd: checkout,
      env: {
        ...process.env,
        npm_config_registry: `http://127.0.0.1:${port}/`,
        npm_config_userconfig: config,
        npm_config_cache: path.join(checkout, 'cache'),
      },
    });
    let said = '';
    child.stdout.on('data', (text) => {
      said += text;
    });
    child.stderr.on('data', (text) => {
      said += text;
    });
    const [code] = await once(child, 'close');
    return { code, said };
  }

  test('the parts are published before what needs them, and what is there is left', async () => {
    expect(await publish('## 9.9.9\n')).toMatchObject({ code: 0 });
    expect(published).toEqual([zebra.name, main.name]);
    const again = await publish('## 9.9.9\n');
    expect(again.said).toContain('parakeet-stream@9.9.9 is there already');
    expect(published).toHaveLength(2);
  }, 60_000);

  test('nothing is published whose changes are not written down as released', async () => {
    const { code, said } = await publish('## 9.9.9 (unreleased)\n');
    expect(code).toBe(1);
    expect(said).toContain("found '## 9.9.9 (unreleased)'");
    expect(published).toEqual([]);
  });
});
