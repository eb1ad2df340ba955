/** What is said on systems that the addon does not run on, and where its package is missing or damaged. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { describeNotFound, describeNotLoaded } from '../../src/engine/load-failure.js';
import { type System, thisSystem } from '../../src/engine/system.js';
import { packageVersion } from '../../src/version.js';

const folder = mkdtempSync(path.join(tmpdir(), 'parakeet-failure-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const linux: System = { platform: 'linux', arch: 'x64', libc: 'glibc', glibc: '2.36', translated: false };
const said = 'the system said this';

/** A package with these files, of those that its manifest names. */
function platformPackage(name: string, has: readonly string[], glibc = '2.35') {
  const own = path.join(folder, name);
  mkdirSync(path.join(own, 'lib'), { recursive: true });
  for (const file of has) writeFileSync(path.join(own, file), '');
  const from = {
    name: '@parakeet-stream/linux-x64',
    folder: own,
    version: packageVersion,
    parakeet: { glibc, files: ['lib/parakeet.node', 'lib/libmlx.so'] },
  };
  return { file: path.join(own, 'lib', 'parakeet.node'), from };
}

describe('nothing found', () => {
  test.each([
    [
      'musl',
      { ...linux, libc: 'musl', glibc: undefined },
      /linux-x64 \(musl, .*needs? glibc.*FROM node:\S+-slim/,
    ],
    ['an Intel Mac', { platform: 'darwin', arch: 'x64', translated: false }, /Intel Macs.*docker run/],
    ['a translated Node', { platform: 'darwin', arch: 'x64', translated: true }, /Install Node for arm64/],
    ['Windows on arm64', { platform: 'win32', arch: 'arm64', translated: false }, /wsl --install/],
    [
      'an unknown processor',
      { ...linux, arch: 'riscv64' },
      /linux-x64, linux-arm64, darwin-arm64, win32-x64/,
    ],
  ] as [string, System, RegExp][])('on %s', (_, system, message) => {
    expect(describeNotFound(system, ['the package x'], 'x')).toMatch(message);
  });

  test('says what it looked for', () => {
    const looked = ['/a/parakeet.node', 'the package @parakeet-stream/linux-x64'];
    const message = describeNotFound(linux, looked, 'linux-x64');
    expect(message).toContain('linux-x64 (glibc 2.36');
    expect(message).toContain('Looked for /a/parakeet.node, the package @parakeet-stream/linux-x64.');
  });
});

describe('found, and refused by the system', () => {
  const whole = ['lib/parakeet.node', 'lib/libmlx.so'];

  test('the package lacks a file', () => {
    const found = platformPackage('half', ['lib/parakeet.node']);
    const message = describeNotLoaded(linux, found, said);
    expect(message).toContain(said);
    expect(message).toContain('only half installed: lib/libmlx.so is missing');
    expect(message).toContain(`Run \`rm -rf "${found.from.folder}" && npm install\``);
  });

  test.each(['2.34', '2.9', '2.28'])('the system has glibc %s', (glibc) => {
    const message = describeNotLoaded({ ...linux, glibc }, platformPackage('old', whole), said);
    expect(message).toContain(`needs glibc 2.35 or newer and this system has ${glibc}`);
    expect(message).toContain('FROM node:');
  });

  test.each(['2.35', '2.36', '3.0'])('not for want of glibc with %s', (glibc) => {
    expect(describeNotLoaded({ ...linux, glibc }, platformPackage('new', whole), said)).not.toContain(
      'needs glibc',
    );
  });

  test('musl, when packages were copied from another machine', () => {
    const message = describeNotLoaded(
      { ...linux, libc: 'musl', glibc: undefined },
      platformPackage('copied', whole),
      said,
    );
    expect(message).toContain('musl (Alpine)');
  });

  test("one of NVIDIA's libraries is missing", () => {
    const message = describeNotLoaded(
      linux,
      platformPackage('cuda', whole),
      'libcublasLt.so.12: cannot open shared object file: No such file or directory',
    );
    expect(message).toContain('export PARAKEET_BACKEND=cpu');
  });

  test('a library of the system is missing', () => {
    const message = describeNotLoaded(
      linux,
      { file: '/x/parakeet.node' },
      'libgomp.so.1: cannot open shared object file: No such file or directory',
    );
    expect(message).toContain('apt-get install -y libgomp1');
  });
});

test.runIf(process.platform === 'linux')('this system is known', () => {
  const { platform, arch, libc, glibc } = thisSystem();
  expect({ platform, arch }).toEqual({ platform: process.platform, arch: process.arch });
  if (libc === 'glibc') expect(glibc).toMatch(/^2\.\d+$/);
  else expect(libc).toBe('musl');
});
