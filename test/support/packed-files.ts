/** The files of the package as npm packs it, by their paths in it. */
import { spawnSync } from 'node:child_process';
import { root } from './documents.js';

export function packedFiles(): string[] {
  const { stdout } = spawnSync('npm', ['pack', '--dry-run', '--json', '--ignore-scripts'], {
    cwd: root,
    encoding: 'utf8',
  });
  const packed = JSON.parse(stdout) as
    | { files: { path: string }[] }[]
    | Record<string, { files: { path: string }[] }>;
  const [one] = Array.isArray(packed) ? packed : Object.values(packed);
  return one?.files.map((file) => file.path) ?? [];
}
