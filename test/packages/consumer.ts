/**
 * A project that installs our packages: an empty folder, a home of its own, and a PATH with node, sh and the tools that a test names, so no
 * compiler and no Python.
 */
import { execFileSync, spawnSync } from 'node:child_process';
import {
  copyFileSync,
  mkdirSync,
  mkdtempSync,
  realpathSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { expect, inject } from 'vitest';
import { root } from '../support/documents.js';
import { installed } from '../support/installed.js';

declare module 'vitest' {
  interface ProvidedContext {
    /** The registry's address. */
    registry: string;
    /** What the package managers share, so that nothing is fetched twice. */
    cache: string;
  }
}

/** What transcribes a recording, as an ES module. */
export const PROGRAM = `import { transcribe } from 'parakeet-stream';
const { text } = await transcribe('talk.flac');
console.log(text);
`;

export interface Run {
  status: number | null;
  stdout: string;
  stderr: string;
}

/** Programs that package managers call. None of them compiles. */
const TOOLS = ['sh', 'env', 'uname', 'sed', 'dirname', 'readlink', 'getconf', 'ldd'];

export class Consumer {
  readonly #base: string;
  readonly folder: string;
  readonly #bin: string;
  readonly #env: Record<string, string>;

  /** @param name the folder's name; @param node the Node that everything runs with */
  constructor(name = 'project', node = process.execPath) {
    this.#base = mkdtempSync(path.join(tmpdir(), 'parakeet-packages-'));
    this.folder = path.join(this.#base, name);
    this.#bin = path.join(this.#base, 'bin');
    mkdirSync(this.folder);
    mkdirSync(this.#bin);
    this.link('node', node);
    for (const tool of TOOLS) this.link(tool, which(tool));
    this.link('npm', npmProgram('npm-cli.js'));
    this.link('npx', npmProgram('npx-cli.js'));
    const home = installed('packages');
    this.link('pnpm', path.join(home, 'node_modules/@pnpm/exe.linux-x64/pnpm'));
    this.link('yarn', path.join(home, 'node_modules/@yarnpkg/cli-dist/bin/yarn.js'));
    this.link('bun', path.join(home, 'node_modules/@oven/bun-linux-x64/bin/bun'));

    const registry = inject('registry');
    const cache = inject('cache');
    this.#env = {
      PATH: this.#bin,
      HOME: path.join(this.#base, 'home'),
      TMPDIR: this.#base,
      npm_config_userconfig: path.join(this.#base, 'none'),
      npm_config_globalconfig: '/dev/null',
      npm_config_cache: path.join(cache, 'npm'),
      npm_config_update_notifier: 'false',
      npm_config_audit: 'false',
      npm_config_fund: 'false',
      npm_config_store_dir: path.join(cache, 'pnpm'),
      BUN_INSTALL_CACHE_DIR: path.join(cache, 'bun'),
      YARN_GLOBAL_FOLDER: path.join(cache, 'yarn'),
      YARN_NPM_REGISTRY_SERVER: registry,
      YARN_UNSAFE_HTTP_WHITELIST: '127.0.0.1',
      YARN_ENABLE_TELEMETRY: '0',
      YARN_ENABLE_IMMUTABLE_INSTALLS: 'false',
      YARN_NPM_MINIMAL_AGE_GATE: '0',
      NEXT_TELEMETRY_DISABLED: '1',
    };
    mkdirSync(path.join(this.#base, 'home'));
    copyFileSync(path.join(root, 'test', 'audio', 'af_sky_10.flac'), path.join(this.folder, 'talk.flac'));
    this.write('package.json', '{ "name": "consumer", "private": true }\n');
    this.write('.npmrc', `registry=${registry}\n`);
    this.write('program.mjs', PROGRAM);
  }

  /** Puts a program on the PATH. */
  link(name: string, target: string | undefined): void {
    if (target !== undefined) symlinkSync(target, path.join(this.#bin, name));
  }

  write(file: string, text: string): void {
    const at = path.join(this.folder, file);
    mkdirSync(path.dirname(at), { recursive: true });
    writeFileSync(at, text);
  }

  /** Runs a command in the project. */
  run(command: string, args: readonly string[] = [], env: Record<string, string> = {}): Run {
    const { status, stdout, stderr, error } = spawnSync(command, args, {
      cwd: this.folder,
      encoding: 'utf8',
      maxBuffer: 1 << 28,
      env: { ...this.#env, ...env },
    });
    if (error) throw error;
    return { status, stdout, stderr };
  }

  /** The same for a command that must end well. Gives what it printed. */
  must(command: string, args: readonly string[] = [], env: Record<string, string> = {}): string {
    const { status, stdout, stderr } = this.run(command, args, env);
    if (status !== 0)
      throw new Error(`${command} ${args.join(' ')} ended with ${status}:\n${stdout}\n${stderr}`);
    return stdout;
  }

  /** A program of the project transcribes the recording. */
  hears(command = 'node', args: readonly string[] = ['program.mjs'], env: Record<string, string> = {}): void {
    expect(this.must(command, args, env).toLowerCase()).toContain('sign');
  }

  /** Also when a test made it read-only. */
  remove(): void {
    execFileSync('chmod', ['-R', 'u+w', this.#base]);
    rmSync(this.#base, { recursive: true, force: true });
  }
}

/** Where a program of this machine is. */
function which(name: string): string | undefined {
  const { stdout } = spawnSync('sh', ['-c', `command -v ${name}`], { encoding: 'utf8' });
  return stdout.trim() || undefined;
}

/** The npm that runs the tests, whatever is on the PATH. */
function npmProgram(name: string): string {
  const npm = which('npm');
  if (!npm) throw new Error('Expected npm on the PATH but found none');
  return path.join(path.dirname(realpathSync(npm)), name);
}
