/** The packages beside `parakeet-stream`: their manifests, what is in them, and that they work together in an empty folder. */
import { spawnSync } from 'node:child_process';
import {
  copyFileSync,
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { macLibraries, windowsLibraries } from '../../scripts/addon-libraries.mjs';
import { readElf } from '../../scripts/elf.mjs';
import { npmCommand } from '../../scripts/npm.mjs';
import { AUTOMATIC, PLATFORMS, pack } from '../../scripts/pack.mjs';
import { buildOf } from '../../scripts/pack-platform.mjs';
import { publishedManifest } from '../../scripts/pack-root.mjs';
import { packageVersion } from '../../src/version.js';
import { readDocument, root } from '../support/documents.js';

interface Manifest {
  name: string;
  version: string;
  os?: string[];
  cpu?: string[];
  libc?: string[];
  scripts?: Record<string, string>;
  dependencies?: Record<string, string>;
  devDependencies?: Record<string, string>;
  optionalDependencies?: Record<string, string>;
  workspaces?: string[];
}

const manifest = (folder: string) => JSON.parse(readDocument(`${folder}/package.json`)) as Manifest;
const checkout = manifest('.');
const names = manifest('packages').workspaces ?? [];

const out = mkdtempSync(path.join(tmpdir(), 'parakeet-pack-'));
afterAll(() => rmSync(out, { recursive: true, force: true }));

describe('the checkout', () => {
  test('names no package that a registry may lack, and runs no script where it is installed', () => {
    const all = { ...checkout.dependencies, ...checkout.devDependencies, ...checkout.optionalDependencies };
    expect(Object.keys(all).filter((name) => name.startsWith('@parakeet-stream/'))).toEqual([]);
    expect(Object.keys(checkout.scripts ?? {}).filter((name) => /^(pre|post)?install$/.test(name))).toEqual(
      [],
    );
  });

  test('has no package of packages/ among its workspaces', () => {
    expect((checkout.workspaces ?? []).filter((name) => name.startsWith('packages'))).toEqual([]);
    const folders = readdirSync(path.join(root, 'packages')).filter((name) =>
      existsSync(path.join(root, 'packages', name, 'package.json')),
    );
    expect(folders.sort()).toEqual(names);
  });

  test('has one version everywhere', () => {
    expect(packageVersion).toBe(checkout.version);
    expect(names.map((name) => manifest(`packages/${name}`).version)).toEqual(
      names.map(() => checkout.version),
    );
  });
});

test('set-version.mjs brings a new version everywhere', () => {
  const copy = mkdtempSync(path.join(out, 'version-'));
  for (const part of ['package.json', 'packages', 'scripts/set-version.mjs', 'src/version.ts'])
    cpSync(path.join(root, part), path.join(copy, part), { recursive: true });
  const read = (file: string) => readFileSync(path.join(copy, file), 'utf8');
  writeFileSync(path.join(copy, 'package.json'), JSON.stringify({ ...checkout, version: '7.8.9-rc.1' }));
  const { status, stderr } = spawnSync(process.execPath, [path.join(copy, 'scripts', 'set-version.mjs')], {
    encoding: 'utf8',
  });
  expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
  expect(read('src/version.ts')).toContain("'7.8.9-rc.1'");
  for (const name of names)
    expect(JSON.parse(read(`packages/${name}/package.json`)).version).toBe('7.8.9-rc.1');
});

describe('manifests', () => {
  test.each(PLATFORMS)('%s is for its platform only', (platform) => {
    const [os, cpu] = platform.split('-');
    const { name, os: systems, cpu: processors, libc, scripts } = manifest(`packages/${platform}`);
    expect({ name, systems, processors, libc, scripts }).toEqual({
      name: `@parakeet-stream/${platform}`,
      systems: [os],
      processors: [cpu],
      libc: os === 'linux' ? ['glibc'] : undefined,
      scripts: undefined,
    });
  });

  test('the published parakeet-stream runs no script and chooses among the platforms', () => {
    const published = publishedManifest(AUTOMATIC) as Manifest;
    expect(published.scripts).toBeUndefined();
    expect(published.devDependencies).toBeUndefined();
    expect(published.workspaces).toBeUndefined();
    const exact = (list: readonly string[]) =>
      Object.fromEntries(list.map((name) => [`@parakeet-stream/${name}`, checkout.version]));
    expect(published.optionalDependencies).toEqual(exact(AUTOMATIC));
    expect(published.dependencies).toEqual({ ...checkout.dependencies, ...exact(['tiny-en']) });
  });

  test('CUDA is for those who ask for it', () => {
    expect(PLATFORMS.filter((name) => !AUTOMATIC.includes(name))).toEqual(['linux-x64-cuda']);
  });

  test('the sources need what the checkout builds with, in the same versions', () => {
    const { dependencies = {} } = manifest('packages/source');
    expect(Object.keys(dependencies)).toEqual(['cmake-js', 'node-addon-api', 'node-api-headers']);
    for (const [name, range] of Object.entries(dependencies))
      expect(checkout.devDependencies?.[name]).toBe(range);
  });
});

test('the sources have everything that compiles them, and no test', () => {
  const { folder } = pack('source', { out, platforms: [] });
  const seen = new Set<string>();
  const visit = (file: string) => {
    if (seen.has(file)) return;
    seen.add(file);
    const text = readFileSync(path.join(folder, 'scripts', file), 'utf8');
    for (const [, name = ''] of text.matchAll(/from '\.\/([^']+)'/g)) visit(name);
  };
  visit('install.mjs');
  expect(
    readdirSync(path.join(folder, 'scripts'))
      .filter((name) => name.endsWith('.mjs'))
      .sort(),
  ).toEqual([...seen].sort());
  expect(existsSync(path.join(folder, 'native', 'test'))).toBe(false);
  const has = (file: string) => existsSync(path.join(folder, file));
  for (const [, file = ''] of readDocument('CMakeLists.txt').matchAll(/^include\((.*)\)/gm))
    expect(has(file)).toBe(true);
});

test.each([
  ['macOS', macLibraries, ['libmlx.dylib', 'mlx.metallib'], 'mlx/lib/', /Metal library.*nothing/],
  [
    'Windows',
    (folder: string) => windowsLibraries(path.join(folder, 'parakeet.node')),
    ['dnnl.dll', 'mlx.dll'],
    '',
    /mlx\.dll beside .*no library/,
  ],
])('on %s, the libraries keep their places', (_, libraries, names, place, missing) => {
  const folder = mkdtempSync(path.join(out, 'libraries-'));
  mkdirSync(path.join(folder, place), { recursive: true });
  writeFileSync(path.join(folder, place, 'mlx.h'), '');
  expect(() => libraries(folder)).toThrow(missing);
  for (const name of names) writeFileSync(path.join(folder, place, name), '');
  expect(libraries(folder).files.map(({ to }) => to)).toEqual(names.map((name) => path.join(place, name)));
});

const here = `${process.platform}-${process.arch}`;
const isBuilt = PLATFORMS.includes(here) && buildOf(here).isThere;

describe.runIf(isBuilt)('what is packed here', () => {
  const { addon } = buildOf(here);

  test.runIf(process.platform === 'linux')('the addon is read as what it is', () => {
    const { arch, needed, glibc } = readElf(addon);
    expect(arch).toBe(process.arch);
    expect(needed).toEqual(expect.arrayContaining(['libmlx.so', 'libc.so.6']));
    expect(glibc).toMatch(/^2\.\d+$/);
  });

  test('npm installs the tarballs in an empty folder, and a recording is transcribed', () => {
    const packed = [here, 'tiny-en', 'root'].map((name) => pack(name, { out, platforms: [here] }));
    const project = path.join(out, 'a project');
    const run = (command: string, args: string[]) =>
      spawnSync(command, args, { cwd: project, encoding: 'utf8' });
    spawnSync('mkdir', [project]);
    writeFileSync(path.join(project, 'package.json'), '{ "private": true }');
    copyFileSync(path.join(root, 'test/audio/af_sky_10.flac'), path.join(project, 'talk.flac'));
    const install = ['install', '--no-audit', '--no-fund', '--ignore-scripts'];
    const { status, stderr } = run('npm', [...install, ...packed.map(({ tarball }) => tarball)]);
    expect({ status, stderr }).toMatchObject({ status: 0 });
    const command = [
      'node_modules/parakeet-stream/dist/cli/main.js',
      'transcribe',
      'talk.flac',
      '-o',
      '-',
      '-f',
      'txt',
    ];
    const result = run(process.execPath, command);
    expect(result).toMatchObject({ status: 0, stderr: '' });
    expect(result.stdout.toLowerCase()).toContain('sign');

    const library = readFileSync(path.join(out, here, 'THIRD_PARTY_LICENSES'), 'utf8');
    expect(library).toContain('MLX 0.');
    // Every library in it is named there.
    const libraries = readdirSync(path.join(out, here, 'lib'), { recursive: true, encoding: 'utf8' })
      .map((file) => /^lib([a-z]+)[-.].*so/.exec(path.basename(file))?.[1])
      .filter((name) => name !== undefined);
    const known: Record<string, string> = { dnnl: 'oneDNN', mlx: 'MLX', blas: 'BLAS', lapack: 'LAPACK' };
    for (const name of libraries) expect(library).toContain(`\n${known[name] ?? `lib${name} of GCC`} `);
  });
});

test.runIf(isBuilt)(
  "the addon keeps Electron's rules: no buffer on memory of its own, nothing of V8 itself",
  () => {
    const names = readFileSync(buildOf(here).addon, 'latin1');
    expect(names).toContain('\0napi_create_arraybuffer\0');
    expect(names).not.toMatch(/\0(napi|node_api)_create_(external_\w*buffer|buffer_from_arraybuffer)\0/);
    expect(names).not.toMatch(/\0_ZNK?2v8/);
  },
);

test('npm is started as it is on Windows too, where its command is a script', () => {
  const program = 'C:\\node\\node_modules\\npm\\bin\\npm-cli.js';
  expect(npmCommand('win32', { npm_execpath: program })).toEqual([process.execPath, program]);
  expect(npmCommand('linux', { npm_execpath: '/opt/yarn/bin/yarn.js' })).toEqual(['npm']);
  expect(() => npmCommand('win32', {})).toThrow('npm run pack');
});
