/**
 * Fetches MLX's and oneDNN's wheels with pip, by package name, checked against the hashes in requirements/, and unpacks
 * them into vendor/. Only pip talks to the network; nothing is installed into any Python.
 */
import { spawnSync } from 'node:child_process';
import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { InstallError } from './install-error.mjs';

/** The requirement files that a target needs: none for MLX when `MLX_ROOT` names a copy. */
export function requirementsFor(target, env) {
  const requirements = [];
  if (env.MLX_ROOT) {
    if (!existsSync(path.join(env.MLX_ROOT, 'share', 'cmake', 'MLX', 'MLXConfig.cmake'))) {
      throw new InstallError(
        `Expected a folder with share/cmake/MLX/MLXConfig.cmake for MLX_ROOT but received ${env.MLX_ROOT}. ` +
          'Run `unset MLX_ROOT` and build again, or name the folder `mlx` inside a Python site-packages folder.',
      );
    }
  } else {
    const file = target.backend === 'cuda' ? `mlx-cuda-${target.cuda}.txt` : `mlx-${target.backend}.txt`;
    requirements.push({ name: 'mlx', file });
  }
  if (target.backend === 'cuda' && env.PARAKEET_CUDA_LIBRARIES === 'fetch')
    requirements.push({ name: 'cuda-libraries', file: `cuda-libraries-${target.cuda}.txt` });
  // oneDNN's wheels exist for this processor only, and only there it is needed.
  if (target.arch === 'x64')
    requirements.push({
      name: 'onednn',
      file: target.platform === 'win32' ? 'onednn-windows.txt' : 'onednn.txt',
    });
  return requirements;
}

/** True when CMake finds a oneDNN that is new enough on this machine. */
export function hasSystemOnednn(probe, tools) {
  const folder = mkdtempSync(path.join(tmpdir(), 'parakeet-onednn-'));
  try {
    return spawnSync(tools.cmake, ['-S', probe, '-B', folder], { stdio: 'ignore' }).status === 0;
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/**
 * Makes `vendor/<name>` hold what the requirement file pins; does nothing when it does already. `wheels`: pip's name of another platform
 * whose wheels are wanted.
 */
export function fetchWheels({ name, file }, { vendor, folder, wheels: platform, tools }) {
  const pins = path.join(folder, file);
  const text = readFileSync(pins, 'utf8');
  const stamp = path.join(vendor, `${name}.stamp`);
  if (existsSync(stamp) && readFileSync(stamp, 'utf8') === text) return;
  if (!tools.python) {
    process.stdout.write(
      'parakeet-stream: no python3, so oneDNN is not fetched; products on the CPU will be slow\n',
    );
    return;
  }

  process.stdout.write(`parakeet-stream: fetching ${[...text.matchAll(/^\S+==\S+/gm)].join(', ')}\n`);
  mkdirSync(vendor, { recursive: true });
  const work = mkdtempSync(path.join(vendor, '.fetch-'));
  try {
    const wheels = path.join(work, 'wheels');
    const unpacked = path.join(work, 'unpacked');
    run(tools.python, [
      ...['-m', 'pip', 'download', '--disable-pip-version-check', '--quiet', '--no-deps'],
      ...['--only-binary=:all:', '--require-hashes', '--dest', wheels, '--requirement', pins],
      ...(platform ? ['--platform', platform] : []),
    ]);
    for (const wheel of readdirSync(wheels)) {
      run(tools.python, ['-m', 'zipfile', '-e', path.join(wheels, wheel), unpacked]);
    }
    if (name !== 'onednn') placeBeside(unpacked, vendor);
    else placeOnednn(unpacked, vendor);
    writeFileSync(stamp, text);
  } finally {
    rmSync(work, { recursive: true, force: true });
  }
}

/** The wheels' folders side by side, as libmlx looks for `../../mlx_cpu.libs` and `../../nvidia/cu13/lib` from `mlx/lib`. */
function placeBeside(unpacked, vendor) {
  for (const folder of readdirSync(unpacked)) replace(path.join(unpacked, folder), path.join(vendor, folder));
}

/** The wheel for Linux holds the library three times; one copy and two links are kept. */
function placeOnednn(unpacked, vendor) {
  const target = path.join(unpacked, 'onednn');
  for (const folder of readdirSync(unpacked).filter((entry) => entry.endsWith('.data'))) {
    const data = path.join(unpacked, folder, 'data');
    const own = path.join(data, 'Library'); // on Windows
    cpSync(existsSync(own) ? own : data, target, { recursive: true });
  }
  const library = path.join(target, 'lib');
  for (const link of ['libdnnl.so', 'libdnnl.so.3'].filter((name) => existsSync(path.join(library, name)))) {
    rmSync(path.join(library, link));
    symlinkSync('libdnnl.so.3.2', path.join(library, link));
  }
  replace(target, path.join(vendor, 'onednn'));
}

function replace(from, to) {
  rmSync(to, { recursive: true, force: true });
  renameSync(from, to);
}

function run(command, args) {
  const { status, error, stderr } = spawnSync(command, args, { encoding: 'utf8' });
  if (status === 0) return;
  const detail = error?.message ?? stderr.trim().split('\n').slice(-12).join('\n');
  throw new InstallError(
    `Expected the wheels to be fetched but \`${path.basename(command)} ${args.join(' ')}\` failed:\n${detail}\n` +
      'Check the network and the pip configuration (`python3 -m pip config list`), or set MLX_ROOT to a folder of MLX.',
  );
}
