/**
 * The README's programs run as they stand, in a folder where `parakeet-stream` is installed and `talk.flac` lies.
 */
import { spawnSync } from 'node:child_process';
import {
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, expect, test } from 'vitest';

const root = fileURLToPath(new URL('..', import.meta.url));
const readme = readFileSync(path.join(root, 'README.md'), 'utf8');
/** Those marked `no-run` need a microphone or an account; what they do is in tests of their own. */
const programs = [...readme.matchAll(/^```js\n(.*?)^```$/gms)].map((match) => match[1] ?? '');

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(path.join(tmpdir(), 'parakeet-readme-'));
  mkdirSync(path.join(folder, 'node_modules'));
  symlinkSync(root, path.join(folder, 'node_modules', 'parakeet-stream'));
  copyFileSync(path.join(root, 'test', 'audio', 'af_sky_10.flac'), path.join(folder, 'talk.flac'));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

function node(name: string, program: string) {
  writeFileSync(path.join(folder, name), program);
  const { status, stderr, stdout } = spawnSync(process.execPath, [name], { cwd: folder, encoding: 'utf8' });
  expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
  return stdout;
}

test('there are programs in the README', () => {
  expect(programs.length).toBeGreaterThanOrEqual(5);
});

test.each(programs.map((program, index) => [index + 1, program] as const))(
  'program %d runs',
  (index, program) => {
    rmSync(path.join(folder, 'talk.srt'), { force: true });
    const stdout = node(`program-${index}.mjs`, program);
    if (program.includes('talk.srt'))
      expect(readFileSync(path.join(folder, 'talk.srt'), 'utf8')).toMatch(/ --> .*\n.*sign/);
    if (program.includes('.text)')) expect(stdout.toLowerCase()).toContain('sign');
  },
);

test('what the README says of require is so on this Node', () => {
  const supported = Boolean((process.features as { require_module?: boolean }).require_module);
  const program = `
    try { console.log(typeof require('parakeet-stream').parakeet); } catch (error) { console.log(error.code); }`;
  writeFileSync(path.join(folder, 'require.cjs'), program);
  const { stdout } = spawnSync(process.execPath, ['require.cjs'], { cwd: folder, encoding: 'utf8' });
  expect(stdout.trim()).toBe(supported ? 'function' : 'ERR_REQUIRE_ESM');
});

test('every file that the README points to is there', () => {
  const links = [...readme.matchAll(/\]\(([^)#]+)\)/g)].map((match) => match[1] ?? '');
  expect(links.length).toBeGreaterThan(3);
  for (const link of links.filter((link) => !link.startsWith('http'))) {
    expect(existsSync(path.join(root, link)), link).toBe(true);
  }
});

test('every script that the documents name exists', () => {
  const { scripts } = createRequire(import.meta.url)('../package.json') as {
    scripts: Record<string, string>;
  };
  for (const document of ['README.md', 'CONTRIBUTING.md', 'ARCHITECTURE.md']) {
    const text = readFileSync(path.join(root, document), 'utf8');
    for (const [, name = ''] of text.matchAll(/npm run (?:-s )?([a-z:-]+)/g))
      expect(scripts, document).toHaveProperty([name]);
  }
});
