/** NVIDIA's libraries: loaded from the folders that people have them in, and named when they are missing. */
import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { howToFindCuda, isCudaLibrary, loadCudaLibraries } from '../../src/engine/cuda-libraries.js';

const folder = mkdtempSync(path.join(os.tmpdir(), 'parakeet-cuda-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** A library with a name of NVIDIA's. */
function makeLibrary(file: string): void {
  mkdirSync(path.dirname(file), { recursive: true });
  const source = path.join(folder, 'empty.c');
  writeFileSync(source, 'int parakeet_test_library(void) { return 1; }\n');
  const compiler = process.env.CC ?? 'cc';
  const { status, stderr } = spawnSync(compiler, [
    '-shared',
    '-fPIC',
    `-Wl,-soname,${path.basename(file)}`,
    '-o',
    file,
    source,
  ]);
  if (status !== 0) throw new Error(String(stderr));
}

describe.runIf(process.platform === 'linux')('where they lie', () => {
  test('in a folder that pip filled, with the headers that kernels are compiled with', () => {
    const wheels = path.join(folder, 'wheels');
    makeLibrary(path.join(wheels, 'nvidia', 'cu13', 'lib', 'libcufft.so.12'));
    mkdirSync(path.join(wheels, 'nvidia', 'cu13', 'include'));
    writeFileSync(path.join(wheels, 'nvidia', 'cu13', 'include', 'cuda_runtime.h'), '');
    const env: NodeJS.ProcessEnv = { PARAKEET_CUDA_LIBRARIES: wheels };
    expect(loadCudaLibraries(env)).toBeGreaterThanOrEqual(1);
    expect(env.CUDA_HOME).toBe(path.join(wheels, 'nvidia', 'cu13'));
  });

  test('in CUDA_HOME', () => {
    const home = path.join(folder, 'home');
    makeLibrary(path.join(home, 'lib64', 'libnccl.so.2'));
    expect(loadCudaLibraries({ CUDA_HOME: home })).toBeGreaterThanOrEqual(1);
  });

  test('a file that is no library is not loaded, and does no harm', () => {
    const broken = path.join(folder, 'broken');
    mkdirSync(broken, { recursive: true });
    writeFileSync(path.join(broken, 'libcufft.so.12'), 'not a library');
    expect(() => loadCudaLibraries({ PARAKEET_CUDA_LIBRARIES: broken })).not.toThrow();
  });
});

test.each([
  ['libcublasLt.so.13: cannot open shared object file: No such file or directory', true],
  ['libcudnn.so.9: cannot open shared object file', true],
  ['libnccl.so.2: cannot open shared object file', true],
  ['libcuda.so.1: cannot open shared object file', true],
  ['libgomp.so.1: cannot open shared object file', false],
  ['libcurl.so.4: cannot open shared object file', false],
])('%s', (message, is) => {
  expect(isCudaLibrary(message)).toBe(is);
});

describe('a missing library is named with the command that brings it', () => {
  /** An addon's place, in a package or a checkout, with MLX for a CUDA. */
  const addonFor = (cuda: number, libraries: string, file: string) => {
    const own = path.join(folder, `cuda-${cuda}`);
    mkdirSync(path.join(own, libraries, `mlx_cuda_${cuda}.libs`), { recursive: true });
    return path.join(own, file);
  };

  test('of the CUDA that the addon was built for', () => {
    const checkout = addonFor(13, 'vendor-cuda', 'build-cuda/Release/parakeet.node');
    expect(howToFindCuda('libcudnn.so.9', checkout)).toMatch(
      /libcudnn\.so\.9.*pip install.*nvidia-cudnn-cu13.*PARAKEET_CUDA_LIBRARIES/,
    );
    const packed = addonFor(12, 'lib', 'lib/parakeet.node');
    expect(howToFindCuda('libcublasLt.so.12', packed)).toMatch(/nvidia-cublas-cu12/);
    expect(howToFindCuda('libnccl.so.2', packed)).toMatch(/nvidia-nccl-cu12/);
  });

  test('or the driver', () => {
    expect(howToFindCuda('libcuda.so.1', 'parakeet.node')).toMatch(/driver.*--gpus all/);
  });
});
