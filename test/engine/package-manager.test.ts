/** Who installed the package, and each package manager's commands. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { howToAdd, howToRepair, howToRun, managerOf } from '../../src/engine/package-manager.js';

const folder = mkdtempSync(path.join(tmpdir(), 'parakeet-managers-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** A project with these files; gives where the package lies in it. */
function project(name: string, files: Record<string, string>, modules = 'node_modules'): string {
  const root = path.join(folder, name);
  const own = path.join(root, modules, 'parakeet-stream');
  mkdirSync(own, { recursive: true });
  for (const [file, text] of Object.entries(files)) writeFileSync(path.join(root, file), text);
  return own;
}

describe('the manager of a project', () => {
  test.each([
    ['pnpm-lock.yaml', 'pnpm'],
    ['bun.lock', 'bun'],
    ['bun.lockb', 'bun'],
    ['yarn.lock', 'yarn'],
    ['package-lock.json', 'npm'],
  ])('with %s is %s', (file, manager) => {
    expect(managerOf(project(`lock-${file}`, { [file]: '' }), {})).toBe(manager);
  });

  test('is found from where pnpm puts packages', () => {
    const own = project(
      'deep',
      { 'pnpm-lock.yaml': '' },
      'node_modules/.pnpm/parakeet-stream@0.1.0/node_modules',
    );
    expect(managerOf(own, {})).toBe('pnpm');
  });

  test('is the one that package.json names, or that runs the process, or npm', () => {
    expect(managerOf(project('field', { 'package.json': '{"packageManager":"yarn@4.18.1"}' }), {})).toBe(
      'yarn',
    );
    const bare = project('bare', { 'package.json': 'no JSON' });
    expect(managerOf(bare, { npm_config_user_agent: 'pnpm/12.21.0 node/v22' })).toBe('pnpm');
    expect(managerOf(bare, {})).toBe('npm');
  });
});

test.each([
  ['npm', 'npm install x@1', 'rm -rf "/a b/x" && npm install', 'npx parakeet build'],
  ['pnpm', 'pnpm add x@1', 'rm -rf "/a b/x" && pnpm install --force', 'pnpm exec parakeet build'],
  ['yarn', 'yarn add x@1', 'rm -rf "/a b/x" && yarn install', 'yarn parakeet build'],
  ['bun', 'bun add x@1', 'rm -rf "/a b/x" && bun install', 'bunx parakeet build'],
] as const)('the commands of %s', (manager, add, repair, run) => {
  expect(howToAdd(manager, 'x@1')).toBe(add);
  expect(howToRepair(manager, '/a b/x', 'linux')).toBe(repair);
  expect(howToRepair(manager, '/a b/x', 'win32')).toBe(repair.replace('rm -rf', 'rmdir /s /q'));
  expect(howToRun(manager, 'parakeet build')).toBe(run);
});
