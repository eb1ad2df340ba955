/**
 * Fills the published `parakeet-stream`: what package.json's `files` names, and a package.json that installs the packages of the platforms
 * and runs no script. The checkout's own names none of them, since no registry has a version before it is published.
 */
import { cpSync, existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { runNpm } from './npm.mjs';
import { packedDocument } from './packed-document.mjs';

const root = fileURLToPath(new URL('..', import.meta.url));
const readManifest = () => JSON.parse(readFileSync(path.join(root, 'package.json'), 'utf8'));

/** @param {string} folder */
export function fillRoot(folder) {
  const files = packedFiles();
  // The page's programs are made anew by each build, and bundle several sources.
  const compiled = files.filter((file) => /^dist\/(?!page\/).*\.js$/.test(file));
  const stale = compiled.filter((file) => !existsSync(sourceOf(file)));
  if (stale.length > 0) {
    throw new Error(`Expected a source for ${stale.join(', ')}: rm -rf dist && npm run build:dist`);
  }
  const { version, repository } = readManifest();
  const published = { files, version, repository: addressOf(repository) };
  for (const file of files.filter((name) => name !== 'package.json')) {
    const to = path.join(folder, file);
    if (!file.endsWith('.md')) cpSync(path.join(root, file), to);
    else {
      mkdirSync(path.dirname(to), { recursive: true });
      writeFileSync(to, packedDocument(readFileSync(path.join(root, file), 'utf8'), file, published));
    }
  }
}

/**
 * The published package.json.
 *
 * @param {readonly string[]} platforms the packages to choose from, by their short names
 */
export function publishedManifest(platforms) {
  const { scripts: _, devDependencies: __, workspaces: ___, binary: ____, ...kept } = readManifest();
  const own = (names) => Object.fromEntries(names.map((name) => [`@parakeet-stream/${name}`, kept.version]));
  return {
    ...kept,
    dependencies: { ...own(['tiny-en']), ...kept.dependencies },
    optionalDependencies: own([...platforms].sort()),
  };
}

/**
 * The files that npm packs, by their paths in the package.
 *
 * @returns {string[]}
 */
export function packedFiles() {
  const { stdout } = runNpm(['pack', '--dry-run', '--json', '--ignore-scripts'], { cwd: root });
  // npm 11 prints an array, npm 12 an object by name.
  const [{ files }] = Object.values(JSON.parse(stdout));
  return files.map(({ path: file }) => file);
}

const sourceOf = (file) => path.join(root, file.replace(/^dist\//, 'src/').replace(/\.js$/, '.ts'));

/** The repository's page, from package.json's field, which a release writes. */
function addressOf(repository) {
  const address = typeof repository === 'string' ? repository : repository?.url;
  return address?.replace(/^git\+/, '').replace(/\.git$/, '');
}
