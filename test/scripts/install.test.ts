/**
 * The install script on machines that lack something: one message, with the command that mends it, and exit code 1.
 */
import { spawnSync } from 'node:child_process';
import { chmodSync, cpSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { checkPlatform } from '../../scripts/toolchain.mjs';

const root = fileURLToPath(new URL('../..', import.meta.url));
const tools = ['python3', 'cmake', 'c++', 'g++', 'make', 'ninja', 'apt-get'];
let folder: string;

/** A package folder that was never built, so that the script cannot stop at its stamp. */
beforeAll(() => {
  folder = mkdtempSync(path.join(tmpdir(), 'parakeet-install-'));
  for (const name of ['package.json', 'CMakeLists.txt', 'scripts']) {
    cpSync(path.join(root, name), path.join(folder, name), { recursive: true });
  }
  mkdirSync(path.join(folder, 'native'));
  symlinkSync(path.join(root, 'node_modules'), path.join(folder, 'node_modules'));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** Runs the script with a PATH of stand-ins that all succeed, save those missing or failing. */
function install(options: { without?: string[]; failing?: string[]; env?: Record<string, string> }) {
  const bin = mkdtempSync(path.join(folder, 'bin-'));
  for (const tool of tools) {
    if (options.without?.includes(tool)) continue;
    const file = path.join(bin, tool);
    writeFileSync(file, `#!/bin/sh\nexit ${options.failing?.includes(tool) ? 1 : 0}\n`);
    chmodSync(file, 0o755);
  }
  const result = spawnSync(process.execPath, [path.join(folder, 'scripts', 'install.mjs')], {
    encoding: 'utf8',
    env: { PATH: bin, ...options.env },
  });
  return { status: result.status, message: result.stderr, output: result.stdout };
}

const isLinux = process.platform === 'linux';

describe.runIf(isLinux)('what is missing is named once, with the command that mends it', () => {
  test.each([
    { without: ['python3'], names: 'python3', packages: /apt-get install -y python3 python3-pip/ },
    { without: ['cmake'], names: 'cmake', packages: /apt-get install -y cmake/ },
    { without: ['c++', 'g++'], names: 'C++20 compiler', packages: /apt-get install -y g\+\+/ },
    { without: ['make', 'ninja'], names: 'make or ninja', packages: /apt-get install -y make/ },
  ])('no $names', ({ without, names, packages }) => {
    const { status, message, output } = install({ without });
    expect(status).toBe(1);
    expect(message).toContain(names);
    expect(message).toMatch(packages);
    expect(message.match(/could not be installed/g)).toHaveLength(1);
    expect(message).not.toContain('    at ');
    expect(output).toBe('');
  });

  test('python3 without pip', () => {
    const { status, message } = install({ failing: ['python3'] });
    expect(status).toBe(1);
    expect(message).toMatch(/pip[^\n]*\n\n.*apt-get install -y python3-pip\n/);
  });

  test('everything at once is still one message and one command', () => {
    const { status, message } = install({ without: tools.filter((tool) => tool !== 'apt-get') });
    expect(status).toBe(1);
    expect(message).toMatch(/apt-get install -y python3 python3-pip cmake g\+\+ make\n/);
  });

  test('a download that fails says what was run', () => {
    const bin = mkdtempSync(path.join(folder, 'pip-'));
    const file = path.join(bin, 'python3');
    writeFileSync(
      file,
      '#!/bin/sh\ncase "$*" in *--version*) exit 0;; esac\necho no such wheel >&2\nexit 1\n',
    );
    chmodSync(file, 0o755);
    const { status, message } = install({ env: { PYTHON: file } });
    expect(status).toBe(1);
    expect(message).toContain('pip download');
    expect(message).toContain('no such wheel');
  });

  test('an MLX_ROOT without MLX', () => {
    const { status, message } = install({ env: { MLX_ROOT: '/nowhere' } });
    expect(status).toBe(1);
    expect(message).toContain('MLX_ROOT but received /nowhere');
    expect(message).toContain('unset MLX_ROOT');
  });
});

describe('platforms', () => {
  test.each([
    ['linux', 'x64', {}, 'cpu'],
    ['linux', 'arm64', {}, 'cpu'],
    ['darwin', 'arm64', {}, 'metal'],
    ['linux', 'x64', { PARAKEET_BACKEND: 'cuda' }, 'cuda'],
  ])('%s-%s %j is built for %s', (platform, arch, env, backend) => {
    expect(checkPlatform(env, platform, arch)).toMatchObject({ backend });
  });

  test.each([
    ['win32', 'x64', {}, /win32-x64.*wsl --install/],
    ['darwin', 'x64', {}, /darwin-x64.*docker/],
    ['linux', 'ia32', {}, /linux-ia32/],
    ['darwin', 'arm64', { PARAKEET_BACKEND: 'cuda' }, /Expected metal for PARAKEET_BACKEND.*received cuda/],
    ['linux', 'x64', { PARAKEET_BACKEND: 'cuda', PARAKEET_CUDA: '11' }, /12 or 13 for PARAKEET_CUDA.*11/],
  ])('%s-%s %j is refused', (platform, arch, env, message) => {
    expect(() => checkPlatform(env, platform, arch)).toThrow(message);
  });
});
