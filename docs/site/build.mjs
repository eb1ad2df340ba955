/**
 * Builds the documentation site into docs/site/.vitepress/dist: the documents as pages, the API reference, search. A warning of TypeDoc, a
 * link or an anchor that leads nowhere, or a page that search does not find is a failure. Its tools are those of this folder, installed by the
 * first build.
 *
 *     npm run docs [-- --serve]
 */
import { execFileSync } from 'node:child_process';
import { rmSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { installTools } from '../../scripts/install-tools.mjs';
import { brokenLinks } from './links.mjs';
import { allPages, writePages } from './pages.mjs';
import { pagesOutOfSearch } from './search.mjs';

const here = path.dirname(fileURLToPath(import.meta.url));
const at = (...parts) => path.join(here, ...parts);
const output = at('.vitepress', 'dist');
const run = (command, ...words) => execFileSync(command, words, { cwd: here, stdio: 'inherit' });

installTools(here);
rmSync(at('.pages'), { recursive: true, force: true });
writePages(at('.pages'));
run('npx', '--no-install', 'typedoc');
run('npx', '--no-install', 'vitepress', 'build', '.');

const base = process.env.SITE_BASE ?? '/';
const unsearched = await pagesOutOfSearch(output, allPages().values(), base);
const complaints = [
  ...brokenLinks(output, base).map((link) => `${link} leads nowhere`),
  ...unsearched.map((page) => `the search does not find ${page}`),
];
for (const complaint of complaints) process.stderr.write(`${complaint}\n`);
if (complaints.length > 0) process.exitCode = 1;
else if (process.argv.includes('--serve')) run('npx', '--no-install', 'vitepress', 'preview', '.');
