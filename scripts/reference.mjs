/**
 * The plain TypeScript reference of the tests (test/reference), compiled for scripts of the repository. Not part of the package's use.
 */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import path from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));
const OPTIONS = '--target ES2022 --module NodeNext --types node --skipLibCheck --ignoreConfig'.split(' ');

/**
 * Compiles modules of the reference into a folder that is removed once they are loaded.
 *
 * @param {string[]} names
 * @returns {Promise<object>} all that they export
 */
export async function loadReference(names) {
  const folder = mkdtempSync(path.join(root, 'build', 'reference-'));
  try {
    writeFileSync(path.join(folder, 'package.json'), '{ "type": "module" }');
    symlinkSync(path.join(root, 'node_modules'), path.join(folder, 'node_modules'));
    const tsc = path.join(
      path.dirname(createRequire(import.meta.url).resolve('typescript/package.json')),
      'bin',
      'tsc',
    );
    const sources = names.map((name) => path.join(root, 'test', 'reference', `${name}.ts`));
    const { status, stdout } = spawnSync(
      process.execPath,
      [tsc, ...OPTIONS, '--rootDir', path.join(root, 'test'), '--outDir', folder, ...sources],
      { cwd: root, encoding: 'utf8' },
    );
    if (status !== 0) throw new Error(`The reference does not compile:\n${stdout}`);
    const load = (name) => import(pathToFileURL(path.join(folder, 'reference', `${name}.js`)).href);
    return Object.assign({}, ...(await Promise.all(names.map(load))));
  } finally {
    rmSync(folder, { recursive: true });
  }
}
