/** Each package manager installs the packages without running a script, and the recording is transcribed. */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { Consumer } from './consumer.js';

let consumer: Consumer;
beforeEach(() => {
  consumer = new Consumer();
});
afterEach(() => consumer.remove());

test('npm', () => {
  consumer.must('npm', ['install', 'parakeet-stream']);
  expect(readdirSync(path.join(consumer.folder, 'node_modules/@parakeet-stream')).sort()).toEqual([
    'linux-x64',
    'tiny-en',
  ]);
  consumer.hears();
  consumer.hears('npx', ['parakeet', 'transcribe', 'talk.flac', '-o', '-', '-f', 'txt']);
  // Against the reference's arrays, which come with the model.
  expect(consumer.must('npx', ['parakeet', 'verify'])).toMatch(/passed/);
});

test('npm with --ignore-scripts', () => {
  consumer.must('npm', ['install', '--ignore-scripts', 'parakeet-stream']);
  consumer.hears();
});

test('npm from a lock file, in which no package has an install script', () => {
  consumer.must('npm', ['install', '--package-lock-only', 'parakeet-stream']);
  const lock = readFileSync(path.join(consumer.folder, 'package-lock.json'), 'utf8');
  expect(lock).toContain('@parakeet-stream/darwin-arm64');
  expect(lock).not.toContain('hasInstallScript');
  consumer.must('npm', ['ci', '--omit=dev']);
  consumer.hears();
});

test('pnpm', () => {
  consumer.write('pnpm-workspace.yaml', 'minimumReleaseAge: 0\n');
  consumer.must('pnpm', ['add', 'parakeet-stream']);
  consumer.hears();
  consumer.hears('pnpm', ['exec', 'parakeet', 'transcribe', 'talk.flac', '-o', '-', '-f', 'txt']);
});

test('yarn with node_modules', () => {
  consumer.write('yarn.lock', '');
  consumer.write('.yarnrc.yml', 'nodeLinker: node-modules\n');
  consumer.must('yarn', ['add', 'parakeet-stream']);
  consumer.hears();
});

test("yarn with Plug'n'Play", () => {
  consumer.write('yarn.lock', '');
  consumer.write('.yarnrc.yml', 'nodeLinker: pnp\n');
  consumer.must('yarn', ['add', 'parakeet-stream']);
  expect(existsSync(path.join(consumer.folder, 'node_modules'))).toBe(false);
  consumer.hears('yarn', ['node', 'program.mjs']);
  consumer.hears('yarn', ['parakeet', 'transcribe', 'talk.flac', '-o', '-', '-f', 'txt']);
});

test('bun installs it for Node', () => {
  consumer.must('bun', ['add', 'parakeet-stream']);
  consumer.hears();
});
