/**
 * Checks the machine before anything is fetched or built, so that everything missing is named once, with the command that
 * installs it. It installs nothing itself.
 */
import { spawnSync } from 'node:child_process';
import { accessSync, constants, readFileSync } from 'node:fs';
import path from 'node:path';
import { InstallError } from './install-error.mjs';

const SUPPORTED = ['linux-x64', 'linux-arm64', 'darwin-arm64', 'win32-x64'];

/**
 * What can be compiled on Linux x64 for another platform: with which compiler, and pip's name of its wheels.
 *
 * @typedef {{ name: string, compiler: string, packages: { debian: string, redhat: string }, toolchain: string, wheels: string }} Cross
 * @type {Record<string, Cross>}
 */
const CROSS = {
  'linux-arm64': {
    name: 'linux-arm64',
    compiler: 'aarch64-linux-gnu-g++',
    packages: { debian: 'g++-aarch64-linux-gnu', redhat: 'gcc-c++-aarch64-linux-gnu' },
    toolchain: 'native/cmake/linux-arm64.cmake',
    wheels: 'manylinux_2_35_aarch64',
  },
};

/**
 * What is built for: platform, processor, MLX backend.
 *
 * @param {Record<string, string | undefined>} env
 * @param {string} platform
 * @param {string} arch
 */
export function checkPlatform(env, platform = process.platform, arch = process.arch) {
  const name = `${platform}-${arch}`;
  if (!SUPPORTED.includes(name)) {
    throw new InstallError(
      `Expected one of the platforms ${SUPPORTED.join(', ')} but this is ${name}, for which MLX has no build. ` +
        (platform === 'win32'
          ? 'Use Linux in WSL: `wsl --install`, then `npm install` there.'
          : 'Use one of those platforms, for example in a container: `docker run -it node:20-bookworm`.'),
    );
  }
  const backend = env.PARAKEET_BACKEND || (platform === 'darwin' ? 'metal' : 'cpu');
  const backends = { darwin: ['metal'], win32: ['cpu'] }[platform] ?? ['cpu', 'cuda'];
  if (!backends.includes(backend)) {
    throw new InstallError(
      `Expected ${backends.join(' or ')} for PARAKEET_BACKEND on ${name} but received ${backend}. ` +
        'Run `unset PARAKEET_BACKEND` and build again.',
    );
  }
  const cuda = env.PARAKEET_CUDA || '12';
  if (backend === 'cuda' && !['12', '13'].includes(cuda)) {
    throw new InstallError(
      `Expected 12 or 13 for PARAKEET_CUDA but received ${cuda}. Run \`export PARAKEET_CUDA=12\` and build again.`,
    );
  }
  return { platform, arch, backend, cuda: backend === 'cuda' ? cuda : '' };
}

/**
 * A platform that was asked for by name: this one, or one that can be built for from here (then with `cross`).
 *
 * @param {string} name
 * @param {Record<string, string | undefined>} env
 * @param {string} platform
 * @param {string} arch
 * @returns {ReturnType<typeof checkPlatform> & { cross?: Cross }}
 */
export function checkTarget(name, env, platform = process.platform, arch = process.arch) {
  const own = `${platform}-${arch}`;
  if (name === own) return checkPlatform(env, platform, arch);
  const cross = own === 'linux-x64' ? CROSS[name] : undefined;
  if (!cross) {
    const possible = own === 'linux-x64' ? [own, ...Object.keys(CROSS)] : [own];
    throw new InstallError(
      `Expected ${possible.join(' or ')} for --target but received ${name}. ` +
        'Run `node scripts/install.mjs` on a machine of that platform.',
    );
  }
  return { ...checkPlatform(env, ...name.split('-')), cross };
}

/** The file that a command name runs, or undefined. */
function which(command, env) {
  if (path.isAbsolute(command)) return isExecutable(command) ? command : undefined;
  const endings = process.platform === 'win32' ? (env.PATHEXT ?? '.EXE').split(';') : [''];
  for (const folder of (env.PATH ?? env.Path ?? '').split(path.delimiter)) {
    for (const ending of endings) {
      const file = path.join(folder || '.', `${command}${ending}`);
      if (isExecutable(file)) return file;
    }
  }
  return undefined;
}

function isExecutable(file) {
  try {
    accessSync(file, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

function firstOf(commands, env) {
  for (const command of commands) {
    const file = which(command, env);
    if (file) return file;
  }
  return undefined;
}

/** How this machine installs software: the command, and its names of the packages we need. */
function packageManager({ platform, cross }, env) {
  if (platform === 'darwin') {
    return {
      command: (names) =>
        [
          names.includes('xcode') ? 'xcode-select --install' : '',
          names.some((name) => name !== 'xcode')
            ? `brew install ${names.filter((n) => n !== 'xcode').join(' ')}`
            : '',
        ]
          .filter(Boolean)
          .join(' && '),
      names: { python: 'python', pip: 'python', cmake: 'cmake', compiler: 'xcode', make: 'xcode' },
    };
  }
  if (platform === 'win32') {
    return {
      command: (names) => [...new Set(names)].map((name) => `winget install ${name}`).join(' && '),
      names: { python: 'Python.Python.3.12', pip: 'Python.Python.3.12', cmake: 'Kitware.CMake' },
    };
  }
  const sudo = process.getuid?.() === 0 ? '' : 'sudo ';
  const debian = {
    python: 'python3',
    pip: 'python3-pip',
    cmake: 'cmake',
    compiler: cross?.packages.debian ?? 'g++',
    make: 'make',
  };
  const redhat = {
    python: 'python3',
    pip: 'python3-pip',
    cmake: 'cmake',
    compiler: cross?.packages.redhat ?? 'gcc-c++',
    make: 'make',
  };
  const redhatLike = /^ID(_LIKE)?=.*(fedora|rhel)/m.test(readOsRelease());
  if (redhatLike || (!which('apt-get', env) && which('dnf', env))) {
    return { command: (names) => `${sudo}dnf install -y ${names.join(' ')}`, names: redhat };
  }
  return {
    command: (names) => `${sudo}apt-get update && ${sudo}apt-get install -y ${names.join(' ')}`,
    names: debian,
  };
}

function readOsRelease() {
  try {
    return readFileSync('/etc/os-release', 'utf8');
  } catch {
    return '';
  }
}

/**
 * The tools that fetching and building need, as absolute paths. Throws one `InstallError` that names all that are
 * missing. With `MLX_ROOT` set, Python is needed only for oneDNN and may be missing.
 */
export function checkTools(target, env) {
  const compilers = target.cross
    ? [target.cross.compiler]
    : env.CXX
      ? [env.CXX.split(' ')[0]]
      : ['g++', 'clang++'];
  const python = firstOf(
    env.PYTHON ? [env.PYTHON] : target.platform === 'win32' ? ['python3', 'python'] : ['python3'],
    env,
  );
  const tools = {
    python,
    cmake: which('cmake', env),
    compiler: firstOf(compilers, env),
    make: firstOf(['ninja', 'make'], env),
  };
  const missing = [];
  const needsPython = !env.MLX_ROOT;
  if (needsPython && !python) missing.push({ what: 'Python 3 (python3)', names: ['python', 'pip'] });
  if (needsPython && python && !hasPip(python)) {
    missing.push({ what: 'pip (python3 -m pip)', names: ['pip'] });
  }
  if (!tools.cmake) missing.push({ what: 'CMake 3.20 or newer (cmake)', names: ['cmake'] });
  // On Windows both belong to Visual Studio, which CMake finds by itself.
  const isWindows = target.platform === 'win32';
  if (!isWindows && !tools.compiler)
    missing.push({ what: `a C++20 compiler (${compilers.join(' or ')})`, names: ['compiler'] });
  if (!isWindows && !tools.make) missing.push({ what: 'make or ninja', names: ['make'] });
  if (missing.length === 0) return tools;

  const manager = packageManager(target, env);
  const packages = [...new Set(missing.flatMap((tool) => tool.names).map((name) => manager.names[name]))];
  throw new InstallError(
    `Expected ${missing.map((tool) => tool.what).join(', ')} on the PATH but found none. Run\n\n` +
      `    ${manager.command(packages)}\n\nand then the same command again.`,
  );
}

function hasPip(python) {
  return spawnSync(python, ['-m', 'pip', '--version'], { stdio: 'ignore' }).status === 0;
}
