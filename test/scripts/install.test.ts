/**
 * The build on machines that lack something: one message, with the command that mends it, and exit code 1.
 */
import { spawnSync } from 'node:child_process';
import {
  chmodSync,
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { checkPlatform, checkTarget } from '../../scripts/toolchain.mjs';

const root = fileURLToPath(new URL('../..', import.meta.url));
const tools = ['python3', 'cmake', 'g++', 'make', 'ninja', 'apt-get'];
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
function install(options: {
  without?: string[];
  failing?: string[];
  env?: Record<string, string>;
  args?: string[];
}) {
  const bin = mkdtempSync(path.join(folder, 'bin-'));
  for (const tool of tools) {
    if (options.without?.includes(tool)) continue;
    const file = path.join(bin, tool);
    writeFileSync(file, `#!/bin/sh\nexit ${options.failing?.includes(tool) ? 1 : 0}\n`);
    chmodSync(file, 0o755);
  }
  const result = spawnSync(
    process.execPath,
    [path.join(folder, 'scripts', 'install.mjs'), ...(options.args ?? [])],
    {
      encoding: 'utf8',
      env: { PATH: bin, ...options.env },
    },
  );
  return { status: result.status, message: result.stderr, output: result.stdout };
}

const isLinux = process.platform === 'linux';

describe.runIf(isLinux)('what is missing is named once, with the command that mends it', () => {
  test.each([
    { without: ['python3'], names: 'python3', packages: /apt-get install -y python3 python3-pip/ },
    { without: ['cmake'], names: 'cmake', packages: /apt-get install -y cmake/ },
    { without: ['g++'], names: 'C++20 compiler', packages: /apt-get install -y g\+\+/ },
    { without: ['make', 'ninja'], names: 'make or ninja', packages: /apt-get install -y make/ },
  ])('no $names', ({ without, names, packages }) => {
    const { status, message, output } = install({ without });
    expect(status).toBe(1);
    expect(message).toContain(names);
    expect(message).toMatch(packages);
    expect(message.match(/could not be built/g)).toHaveLength(1);
    expect(message).not.toContain('    at ');
    expect(output).toBe('');
  });

  test('python3 without pip', () => {
    const { status, message } = install({ failing: ['python3'] });
    expect(status).toBe(1);
    expect(message).toMatch(/pip[^\n]*\n\n.*apt-get install -y python3-pip\n/);
  });

  test.runIf(process.arch === 'x64')('no cross compiler for another platform', () => {
    const { status, message } = install({ args: ['--target', 'linux-arm64'] });
    expect(status).toBe(1);
    expect(message).toContain('aarch64-linux-gnu-g++');
    expect(message).toMatch(/apt-get install -y g\+\+-aarch64-linux-gnu\n/);
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

describe.runIf(isLinux)('a second run does nothing', () => {
  test('until a source or a pin changes', () => {
    const bin = mkdtempSync(path.join(folder, 'stub-'));
    const mlx = path.join(bin, 'mlx');
    mkdirSync(path.join(mlx, 'share', 'cmake', 'MLX'), { recursive: true });
    writeFileSync(path.join(mlx, 'share', 'cmake', 'MLX', 'MLXConfig.cmake'), '');
    const calls = path.join(bin, 'calls');
    const addon = path.join(folder, 'build', 'Release', 'parakeet.node');
    // A cmake that notes its calls, knows a oneDNN, and whose builds leave an empty addon.
    writeFileSync(
      path.join(bin, 'cmake'),
      `#!/bin/sh\necho "$*" >> ${calls}\ncase "$1" in --build) /bin/mkdir -p ${path.dirname(addon)}; : > ${addon};; esac\n`,
    );
    for (const tool of ['g++', 'make']) writeFileSync(path.join(bin, tool), '#!/bin/sh\n');
    for (const tool of ['cmake', 'g++', 'make']) chmodSync(path.join(bin, tool), 0o755);
    const run = () => {
      rmSync(calls, { force: true });
      const result = spawnSync(process.execPath, [path.join(folder, 'scripts', 'install.mjs')], {
        encoding: 'utf8',
        env: { PATH: bin, MLX_ROOT: mlx },
      });
      expect(result).toMatchObject({ status: 0, stderr: '' });
      return { built: existsSync(calls), output: result.stdout };
    };

    expect(run().built).toBe(true);
    expect(run()).toEqual({ built: false, output: '' });
    writeFileSync(path.join(folder, 'native', 'new.cpp'), '// changed');
    expect(run().built).toBe(true);
    expect(run()).toEqual({ built: false, output: '' });
    rmSync(addon);
    expect(run().built).toBe(true);
  });
});

describe('platforms', () => {
  test.each([
    ['linux', 'x64', {}, 'cpu'],
    ['linux', 'arm64', {}, 'cpu'],
    ['darwin', 'arm64', {}, 'metal'],
    ['linux', 'x64', { PARAKEET_BACKEND: 'cuda' }, 'cuda'],
    ['win32', 'x64', {}, 'cpu'],
  ])('%s-%s %j is built for %s', (platform, arch, env, backend) => {
    expect(checkPlatform(env, platform, arch)).toMatchObject({ backend });
  });

  test.each([
    ['win32', 'arm64', {}, /win32-arm64.*wsl --install/],
    ['win32', 'x64', { PARAKEET_BACKEND: 'cuda' }, /Expected cpu for PARAKEET_BACKEND.*received cuda/],
    ['darwin', 'x64', {}, /darwin-x64.*docker/],
    ['linux', 'ia32', {}, /linux-ia32/],
    ['darwin', 'arm64', { PARAKEET_BACKEND: 'cuda' }, /Expected metal for PARAKEET_BACKEND.*received cuda/],
    ['linux', 'x64', { PARAKEET_BACKEND: 'cuda', PARAKEET_CUDA: '11' }, /12 or 13 for PARAKEET_CUDA.*11/],
  ])('%s-%s %j is refused', (platform, arch, env, message) => {
    expect(() => checkPlatform(env, platform, arch)).toThrow(message);
  });

  test('the platform itself is compiled for with its own compiler', () => {
    expect(checkTarget('linux-arm64', {}, 'linux', 'arm64')).toEqual(checkPlatform({}, 'linux', 'arm64'));
  });

  test('Linux arm64 is cross-compiled on Linux x64, with the MLX of arm64', () => {
    const target = checkTarget('linux-arm64', {}, 'linux', 'x64');
    expect(target).toMatchObject({
      arch: 'arm64',
      backend: 'cpu',
      cross: { compiler: 'aarch64-linux-gnu-g++' },
    });
    expect(target.cross?.wheels).toMatch(/aarch64$/);
  });

  test.each([
    ['darwin-arm64', 'linux', 'x64', /linux-x64 or linux-arm64 for --target but received darwin-arm64/],
    ['linux-arm64', 'darwin', 'arm64', /Expected darwin-arm64 for --target/],
  ])('%s is not built for on %s-%s', (name, platform, arch, message) => {
    expect(() => checkTarget(name, {}, platform, arch)).toThrow(message);
  });
});
