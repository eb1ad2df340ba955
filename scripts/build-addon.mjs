/**
 * Builds parakeet.node with cmake-js. Only compiling happens here: tools are checked and libraries fetched before.
 */
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import os from 'node:os';
import path from 'node:path';
import { InstallError } from './install-error.mjs';

const require = createRequire(import.meta.url);

const COMPILER_NEEDED =
  process.platform === 'win32'
    ? 'Visual Studio 2022 with Clang is needed: run\n\n    winget install Microsoft.VisualStudio.2022.BuildTools --override ' +
      '"--passive --add Microsoft.VisualStudio.Workload.VCTools --add Microsoft.VisualStudio.Component.VC.Llvm.Clang ' +
      '--add Microsoft.VisualStudio.Component.VC.Llvm.ClangToolset"\n\nand then `npm run build:native`.'
    : 'A C++20 compiler is needed (GCC 11, Clang 14 or newer): set CXX to one and run `npm run build:native`.';

/**
 * `root`: the package; `out`: the build folder; `mutants`: a build that can be broken by PARAKEET_MUTANT, for tests;
 * `plainMlx`: a build without oneDNN even where there is one; `cross`: of another platform, which takes nothing from this machine.
 */
export function buildAddon({ root, out, mutants, plainMlx, mlxRoot, cross, tools }) {
  const definitions = [
    `MLX_ROOT=${path.resolve(mlxRoot)}`,
    `PARAKEET_MUTANTS=${mutants ? 'ON' : 'OFF'}`,
    `PARAKEET_PLAIN_MLX=${plainMlx ? 'ON' : 'OFF'}`,
    ...(cross ? [`CMAKE_TOOLCHAIN_FILE=${path.join(root, cross.toolchain)}`] : []),
  ];
  const cmakeJs = (command, ...options) =>
    spawnSync(
      process.execPath,
      [
        path.join(path.dirname(require.resolve('cmake-js/package.json')), 'bin', 'cmake-js'),
        ...[command, '--directory', root, '--out', out, '--config', 'Release', '--cmake-path', tools.cmake],
        // cmake-js wants to see g++ or clang++ unless it is told a compiler; CMake itself reads CXX.
        // Visual Studio's own compiler has no vectors.
        ...(process.platform === 'win32' ? ['--toolset', 'ClangCL'] : []),
        ...(process.env.CXX ? ['--cxx', tools.compiler, '--cc', tools.compiler] : []),
        ...options,
      ],
      { cwd: root, encoding: 'utf8', maxBuffer: 1 << 28 },
    );
  const configure = () => cmakeJs('configure', ...definitions.map((definition) => `--CD${definition}`));

  const purpose = mutants
    ? ' for test:mutants'
    : plainMlx
      ? ' without oneDNN'
      : cross
        ? ` for ${cross.name}`
        : '';
  process.stdout.write(`parakeet-stream: building the native addon${purpose}\n`);
  mkdirSync(out, { recursive: true });
  let result = configure();
  if (result.status !== 0 && existsSync(path.join(out, 'CMakeCache.txt'))) {
    // A build folder that was moved, or made with another compiler, cannot be configured again: start over.
    rmSync(out, { recursive: true, force: true });
    result = configure();
  }
  check(result, out);
  if (!plainMlx && !cross && /oneDNN 3 or newer was not found/.test(result.stdout + result.stderr)) {
    process.stdout.write('parakeet-stream: built without oneDNN; products on the CPU will be slow\n');
  }
  const jobs = process.env.CMAKE_BUILD_PARALLEL_LEVEL ?? String(Math.min(os.availableParallelism(), 4));
  check(cmakeJs('build', '--parallel', jobs), out);
}

function check({ status, error, stdout, stderr }, out) {
  if (status === 0) return;
  const text = error?.message ?? `${stdout}\n${stderr}`;
  mkdirSync(out, { recursive: true });
  const log = path.join(out, 'build.log');
  writeFileSync(log, text);
  const lines = text.trim().split('\n');
  const firstError = lines.findIndex((line) => /error|Error/.test(line));
  const shown = lines
    .slice(Math.max(0, firstError - 2))
    .slice(0, 40)
    .join('\n');
  throw new InstallError(
    `Expected the native addon to build but the compiler failed. The whole output is in ${log}. It says:\n\n${shown}\n\n` +
      COMPILER_NEEDED,
  );
}
