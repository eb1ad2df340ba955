/**
 * Builds the documentation site into docs/site/.vitepress/dist: the documents as pages, the API reference, search. A warning of TypeDoc, a
 * link that leads nowhere or an anchor that is not there is a failure. Its tools are this folder's, installed at the first build.
 *
 *     npm run docs [-- --serve]
 */
import { execFileSync } from 'node:child_process';
import { rmSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { installTools } from '../../scripts/install-tools.mjs';
import { brokenLinks } from './links.mjs';
import { writePages } from './pages.mjs';

const here = path.dirname(fileURLToPath(import.meta.url));
const at = (...parts) => path.join(here, ...parts);
const output = at('.vitepress', 'dist');
const run = (command, ...words) => execFileSync(command, words, { cwd: here, stdio: 'inherit' });

installTools(here);
rmSync(at('.pages'), { recursive: true, force: true });
writePages(at('.pages'));
run('npx', '--no-install', 'typedoc');
run('npx', '--no-install', 'vitepress', 'build', '.');

const broken = brokenLinks(output, process.env.SITE_BASE ?? '/');
for (const link of broken) process.stderr.write(`${link} leads nowhere\n`);
if (broken.length > 0) process.exitCode = 1;
else if (process.argv.includes('--serve')) run('npx', '--no-install', 'vitepress', 'preview', '.');
