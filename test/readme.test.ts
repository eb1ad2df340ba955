/**
 * The README's programs run as they stand, in a folder where `parakeet-stream` is installed and `talk.flac` lies.
 */
import { spawnSync } from 'node:child_process';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { brokenLinks, codeBlocks, missingScripts, Project, readDocument } from './support/documents.js';

const programs = codeBlocks(readDocument('README.md'), 'js');

let project: Project;
beforeAll(() => {
  project = new Project();
});
afterAll(() => project.remove());

test('the README is short, and has programs', () => {
  expect(readDocument('README.md').split('\n').length).toBeLessThanOrEqual(201);
  expect(programs.length).toBeGreaterThanOrEqual(3);
});

test.each(programs.map((program, index) => [index + 1, program] as const))(
  'program %d runs',
  (index, program) => project.runExample(`program-${index}.mjs`, program),
);

test('what docs/installing.md says of require is so on this Node', () => {
  const supported = Boolean((process.features as { require_module?: boolean }).require_module);
  const program = `
    try { console.log(typeof require('parakeet-stream').parakeet); } catch (error) { console.log(error.code); }`;
  project.write('require.cjs', program);
  const { stdout } = spawnSync(process.execPath, ['require.cjs'], { cwd: project.folder, encoding: 'utf8' });
  expect(stdout.trim()).toBe(supported ? 'function' : 'ERR_REQUIRE_ESM');
});

test.each(['README.md', 'CONTRIBUTING.md', 'ARCHITECTURE.md'])(
  'every link of %s leads somewhere, and every script that it names exists',
  (document) => {
    expect(brokenLinks(document)).toEqual([]);
    expect(missingScripts(document)).toEqual([]);
  },
);
