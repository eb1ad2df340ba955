/**
 * Bundles the caption server's page (src/page) into dist/page: a file for each of its programs, and its HTML, styles and icon as they are.
 */
import { cpSync, mkdirSync, readdirSync, rmSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';

const root = fileURLToPath(new URL('..', import.meta.url));
const source = path.join(root, 'src', 'page');
const target = path.join(root, 'dist', 'page');

/** The programs that HTML or other programs load by their address. */
const PROGRAMS = ['app.ts', 'room.ts', 'overlay.ts', 'sound/worklet.ts'];

export async function buildPage() {
  rmSync(target, { recursive: true, force: true });
  mkdirSync(target, { recursive: true });
  await build({
    entryPoints: PROGRAMS.map((file) => ({
      in: path.join(source, file),
      out: path.basename(file, '.ts'),
    })),
    outdir: target,
    bundle: true,
    minify: true,
    format: 'esm',
    target: 'es2022',
    charset: 'utf8',
    tsconfig: path.join(source, 'tsconfig.json'),
    logLevel: 'warning',
  });
  for (const file of readdirSync(source))
    if (/\.(html|css|svg)$/.test(file)) cpSync(path.join(source, file), path.join(target, file));
}
