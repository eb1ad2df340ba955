/**
 * Documents as the tests see them: their code blocks and links, and a folder in which their programs run, where
 * `parakeet-stream` is installed and `talk.flac` lies. What must hold of them is in readme.test.ts and docs.test.ts.
 */
import { spawnSync } from 'node:child_process';
import {
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect } from 'vitest';

export const root = fileURLToPath(new URL('../..', import.meta.url));

/** A document of the project, by its path in it. */
export function readDocument(name: string): string {
  return readFileSync(path.join(root, name), 'utf8');
}

/** The code blocks of one language. Those of JavaScript that are marked `no-run` need a microphone, an account or another file. */
export function codeBlocks(text: string, language: 'js' | 'js no-run' | 'sh'): string[] {
  const blocks = [...text.matchAll(/^```([^\n]*)\n(.*?)^```$/gms)];
  return blocks.filter(([, info]) => info === language).map(([, , code = '']) => code);
}

/** A document without its code blocks. */
export function prose(text: string): string {
  return text.replace(/^```.*?^```$/gms, '');
}

/** Every link that leads to no file, or to no heading of it. */
export function brokenLinks(name: string): string[] {
  const links = [...prose(readDocument(name)).matchAll(/\]\(([^)\s]+)\)/g)].map(([, link = '']) => link);
  return links.filter((link) => {
    if (/^https?:/.test(link)) return false;
    const [file = '', anchor] = link.split('#');
    const target = file === '' ? name : path.join(path.dirname(name), file);
    if (!existsSync(path.join(root, target))) return true;
    return anchor !== undefined && !headings(readDocument(target)).includes(anchor);
  });
}

/** The headings as links name them. */
function headings(text: string): string[] {
  return [...prose(text).matchAll(/^#+ (.*)$/gm)].map(([, heading = '']) =>
    heading
      .toLowerCase()
      .replace(/[^\p{L}\p{N}\- _]/gu, '')
      .replaceAll(' ', '-'),
  );
}

/** The scripts that a document names and package.json has not. */
export function missingScripts(name: string): string[] {
  const { scripts } = createRequire(import.meta.url)('../../package.json') as {
    scripts: Record<string, string>;
  };
  const named = [...readDocument(name).matchAll(/npm run (?:-s )?([a-z0-9:-]+)/g)].map(
    ([, script = '']) => script,
  );
  return named.filter((script) => !(script in scripts));
}

/** A folder for programs. */
export class Project {
  readonly folder = mkdtempSync(path.join(tmpdir(), 'parakeet-documents-'));

  constructor() {
    mkdirSync(path.join(this.folder, 'node_modules'));
    symlinkSync(root, path.join(this.folder, 'node_modules', 'parakeet-stream'));
    // What the guides import beside it.
    symlinkSync(
      path.join(root, 'node_modules', '@livekit'),
      path.join(this.folder, 'node_modules', '@livekit'),
    );
    copyFileSync(path.join(root, 'test', 'audio', 'af_sky_10.flac'), path.join(this.folder, 'talk.flac'));
  }

  remove(): void {
    rmSync(this.folder, { recursive: true, force: true });
  }

  write(name: string, text: string): void {
    writeFileSync(path.join(this.folder, name), text);
  }

  read(name: string): string {
    return readFileSync(path.join(this.folder, name), 'utf8');
  }

  /** Runs a program, which must end well and have nothing to complain about. Gives what it printed. */
  run(name: string, program: string): string {
    this.write(name, program);
    const { status, stderr, stdout } = spawnSync(process.execPath, [name], {
      cwd: this.folder,
      encoding: 'utf8',
    });
    expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
    return stdout;
  }

  /** Runs a program of a document: what it writes and prints of `talk.flac` must be what is said there. */
  runExample(name: string, program: string): void {
    rmSync(path.join(this.folder, 'talk.srt'), { force: true });
    const stdout = this.run(name, program);
    if (program.includes('talk.srt')) expect(this.read('talk.srt')).toMatch(/ --> .*\n.*sign/);
    if (program.includes('.text)')) expect(stdout.toLowerCase()).toContain('sign');
  }
}
