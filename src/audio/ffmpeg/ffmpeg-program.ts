/** Which ffmpeg is run: the one that is named, the system's, or one that a package of npm brought. It starts nothing. */
import { accessSync, constants, statSync } from 'node:fs';
import path from 'node:path';
import { nodeRequire } from '../../node-require.js';

/** Packages that hold a program, and where they say its path is. */
const packages = ['ffmpeg-static', '@ffmpeg-installer/ffmpeg'] as const;

/**
 * The program to run: `named`, else FFMPEG_PATH, else `ffmpeg` on PATH, else that of the package `ffmpeg-static` or
 * `@ffmpeg-installer/ffmpeg`, as far as the program's own project has one.
 */
export function ffmpegProgram(named?: string): string {
  const given = named ?? (process.env.FFMPEG_PATH || undefined);
  if (given !== undefined) return given;
  if (onPath('ffmpeg')) return 'ffmpeg';
  for (const name of packages) {
    const program = fromPackage(name);
    if (program !== undefined) return program;
  }
  return 'ffmpeg';
}

function onPath(name: string): boolean {
  const file = process.platform === 'win32' ? `${name}.exe` : name;
  return (process.env.PATH ?? '')
    .split(path.delimiter)
    .some((folder) => folder !== '' && isProgram(path.join(folder, file)));
}

/** Resolved from this package and from the running program: a strict package manager shows us only declared dependencies. */
function fromPackage(name: string): string | undefined {
  for (const from of [import.meta.url as string | undefined, path.join(process.cwd(), 'package.json')]) {
    try {
      const found = nodeRequire(from)(name) as string | null | { path?: string; default?: string | null };
      const program = typeof found === 'string' ? found : (found?.path ?? found?.default);
      // The package may be there without its program, where install scripts are blocked.
      if (typeof program === 'string' && isProgram(program)) return program;
    } catch {
      // Not installed, or not for this platform.
    }
  }
  return undefined;
}

function isProgram(file: string): boolean {
  try {
    accessSync(file, constants.X_OK);
    return statSync(file).isFile();
  } catch {
    return false;
  }
}
