/** Installs the tools of a folder that has a package.json and a lock file of its own, unless they are there in the versions of the lock file. */
import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';

/** @param {string} folder */
export function installTools(folder) {
  if (installed(folder)) return;
  execFileSync('npm', ['ci', '--no-fund', '--no-audit'], { cwd: folder, stdio: 'inherit' });
}

function installed(folder) {
  const have = path.join(folder, 'node_modules', '.package-lock.json');
  if (!existsSync(have)) return false;
  const packages = (file) => JSON.parse(readFileSync(file, 'utf8')).packages;
  const wanted = packages(path.join(folder, 'package-lock.json'));
  return Object.entries(packages(have)).every(([name, { version }]) => wanted[name]?.version === version);
}
