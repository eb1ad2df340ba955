/**
 * Changesets' command, in the version of this folder's lock file; it is installed when it is first used, and a checkout's `npm install` has none of it.
 *
 *     npm run changeset                a file for a change that users will notice
 *     npm run changeset -- status      what the next version will be
 */
import { spawnSync } from 'node:child_process';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { installTools } from '../install-tools.mjs';

const here = path.dirname(fileURLToPath(import.meta.url));

/** Runs it in `folder`. @returns {number} its exit code */
export function changeset(words, folder = path.join(here, '..', '..')) {
  const [major = 0, minor = 0] = process.versions.node.split('.').map(Number);
  if (major < 22 || (major === 22 && minor < 11)) {
    process.stderr.write(`Expected Node 22.11 or newer for changesets but this is ${process.version}\n`);
    return 1;
  }
  installTools(here);
  const program = path.join(here, 'node_modules', '@changesets', 'cli', 'bin.js');
  return spawnSync(process.execPath, [program, ...words], { cwd: folder, stdio: 'inherit' }).status ?? 1;
}

if (process.argv[1] === fileURLToPath(import.meta.url)) process.exitCode = changeset(process.argv.slice(2));
