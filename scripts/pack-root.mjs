/**
 * Fills the published `parakeet-stream`: what package.json's `files` names, and a package.json that installs the packages of the platforms
 * and runs no script. The checkout's own names none of them, since no registry has a version before it is published.
 */
import { spawnSync } from 'node:child_process';
import { cpSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));

/**
 * @param {string} folder
 * @returns {void}
 */
export function fillRoot(folder) {
  for (const file of packedFiles()) {
    if (file !== 'package.json') cpSync(path.join(root, file), path.join(folder, file));
  }
}

/**
 * The published package.json.
 *
 * @param {readonly string[]} platforms the packages to choose from, by their short names
 */
export function publishedManifest(platforms) {
  const manifest = JSON.parse(readFileSync(path.join(root, 'package.json'), 'utf8'));
  const { scripts: _, devDependencies: __, workspaces: ___, binary: ____, ...kept } = manifest;
  const own = (names) => names.map((name) => [`@parakeet-stream/${name}`, manifest.version]);
  return {
    ...kept,
    dependencies: { ...kept.dependencies, ...Object.fromEntries(own(['tiny-en'])) },
    optionalDependencies: Object.fromEntries(own([...platforms].sort())),
  };
}

function packedFiles() {
  const { stdout } = spawnSync('npm', ['pack', '--dry-run', '--json', '--ignore-scripts'], {
    cwd: root,
    encoding: 'utf8',
  });
  const packed = JSON.parse(stdout);
  const [{ files }] = Object.values(packed);
  return files.map(({ path: file }) => file);
}
