/** A version's section of CHANGELOG.md. As a program it prints that of package.json's version, the notes of a release. */
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

/**
 * @param {string} changelog
 * @param {string} version
 * @throws when there is none, or its heading says that it is not released
 */
export function sectionOf(changelog, version) {
  const sections = changelog.split(/^## /m).slice(1);
  const section = sections.find((text) => text.split(/[\s]/, 1)[0] === version);
  const heading = section?.split('\n', 1)[0];
  if (heading !== version) {
    const found = heading === undefined ? 'none' : `'## ${heading}'`;
    throw new Error(`Expected the heading '## ${version}' in CHANGELOG.md but found ${found}`);
  }
  return section.slice(heading.length).trim();
}

/** As our formatter, which the pull request is checked with, wants it: changesets indents the empty lines between a change's paragraphs. */
export function withoutTrailingSpace(changelog) {
  return changelog.replace(/[ \t]+$/gm, '');
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const read = (name) => readFileSync(new URL(`../../${name}`, import.meta.url), 'utf8');
  const { version } = JSON.parse(read('package.json'));
  process.stdout.write(`${sectionOf(read('CHANGELOG.md'), version)}\n`);
}
