/**
 * Small packages under test/ with dependencies that few tests need: other versions of Node, clients that require them. Installed
 * when a test first asks for them, by name and version, from the registry that npm is set up for.
 */
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';

const root = path.resolve(import.meta.dirname, '../..');

/** Installs `test/<name>`'s dependencies unless they are there; gives its folder. Throws with npm's output. */
export function installed(name: string): string {
  const folder = path.join(root, 'test', name);
  const wanted = createHash('sha256')
    .update(readFileSync(path.join(folder, 'package.json')))
    .digest('hex');
  const stamp = path.join(folder, 'node_modules', '.installed');
  if (existsSync(stamp) && readFileSync(stamp, 'utf8') === wanted) return folder;
  const options = ['install', '--no-package-lock', '--ignore-scripts', '--no-audit', '--no-fund'];
  const { status, stdout, stderr, error } = spawnSync('npm', options, { cwd: folder, encoding: 'utf8' });
  if (status !== 0) throw error ?? new Error(`npm install in test/${name} failed:\n${stdout}\n${stderr}`);
  writeFileSync(stamp, wanted);
  return folder;
}

/** The program of a Node that npm's package `node-<platform>-<arch>` brought into `folder`. */
export function nodeIn(folder: string): string {
  const modules = path.join(folder, 'node_modules');
  const [name] = readdirSync(modules).filter((entry) => /^node-(bin-)?(linux|darwin|win)-/.test(entry));
  if (!name) throw new Error(`No Node for ${process.platform}-${process.arch} in ${modules}`);
  return path.join(modules, name, 'bin', 'node');
}
