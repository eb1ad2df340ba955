/**
 * NVIDIA's libraries, which MLX with CUDA needs and which come neither with it nor with this package. Where the system's loader does not
 * find them, they are loaded from the folders that people install them in; the addon's own load then finds them in memory.
 */
import { existsSync, readdirSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';

/**
 * What libmlx is linked to and what those libraries need, in the order in which they can be loaded. The numbers of their files differ
 * between CUDA 12 and 13.
 */
const LIBRARIES = [
  'libnvJitLink',
  'libcublasLt',
  'libcublas',
  'libcusparse',
  'libcusolver',
  'libcufft',
  'libnvrtc',
  'libcudnn',
  'libnccl',
] as const;

/** dlopen's flag that keeps a library in memory although Node closes what turns out to be no addon (glibc). */
const RTLD_NODELETE = 0x1000;

/**
 * Loads what can be found.
 *
 * `PARAKEET_CUDA_LIBRARIES` names folders of its own, with `:` between them: each holds the libraries, or is one that `pip install --target`
 * filled.
 *
 * @returns how many libraries were loaded
 */
export function loadCudaLibraries(env: NodeJS.ProcessEnv = process.env): number {
  if (process.platform !== 'linux') return 0;
  const folders = libraryFolders(env);
  let loaded = 0;
  for (const name of LIBRARIES) {
    const file = folders.flatMap((folder) => filesOf(folder, name))[0];
    if (file && keepLoaded(file)) loaded++;
  }
  // Kernels are compiled when they are first used, with headers that MLX looks for in CUDA_HOME.
  const home = folders.map((folder) => path.dirname(folder)).find((folder) => hasHeaders(folder));
  if (home && !env.CUDA_HOME && !env.CUDA_PATH) env.CUDA_HOME = home;
  return loaded;
}

/** Whether the system's message says that one of them is missing. */
export function isCudaLibrary(message: string): boolean {
  return /^lib(cu(da|dnn|blas|fft|solver|sparse)|nv|nccl)\w*\.so/.test(message);
}

/** What to do about a library that `addon` misses, with the command that brings it. */
export function howToFindCuda(library: string, addon: string): string {
  const onCpu = 'To compute on the CPU: `export PARAKEET_BACKEND=cpu`.';
  if (library.startsWith('libcuda.')) {
    return (
      "That is part of NVIDIA's driver: install it (`apt-get install -y nvidia-driver-580`, or newer), or start the container with " +
      `\`docker run --gpus all\`. ${onCpu}`
    );
  }
  const wheels = `python3 -m pip install --target ~/cuda-libraries ${packagesOf(cudaOf(addon)).join(' ')}`;
  return (
    `Of NVIDIA's libraries, ${library} was found neither by the system nor in PARAKEET_CUDA_LIBRARIES, CUDA_HOME or /usr/local/cuda. Run ` +
    `\`${wheels} && export PARAKEET_CUDA_LIBRARIES=~/cuda-libraries\`. ${onCpu}`
  );
}

/** The CUDA that an addon's MLX was built for, by the folder of MLX's own libraries: in a package beside the addon, in a checkout in vendor-cuda. */
function cudaOf(addon: string): 12 | 13 {
  const places = [path.dirname(addon), path.resolve(addon, '../../../vendor-cuda')];
  return places.some((folder) => existsSync(path.join(folder, 'mlx_cuda_13.libs'))) ? 13 : 12;
}

/** PyPI's packages of the libraries. */
function packagesOf(cuda: 12 | 13): string[] {
  return cuda === 12
    ? [
        'nvidia-cublas-cu12',
        'nvidia-cufft-cu12',
        'nvidia-cusolver-cu12',
        'nvidia-cuda-nvrtc-cu12',
        'nvidia-cudnn-cu12',
        'nvidia-nccl-cu12',
      ]
    : [
        'nvidia-cublas',
        'nvidia-cufft',
        'nvidia-cusolver',
        "'nvidia-cuda-nvrtc<13.1'",
        'nvidia-cudnn-cu13',
        'nvidia-nccl-cu13',
      ];
}

/** Folders that may hold the libraries, the user's own first. */
function libraryFolders(env: NodeJS.ProcessEnv): string[] {
  const own = (env.PARAKEET_CUDA_LIBRARIES ?? '').split(path.delimiter).filter(Boolean);
  const homes = [env.CUDA_HOME, env.CUDA_PATH, '/usr/local/cuda'].filter((home) => home !== undefined);
  return [
    ...own.flatMap(wheelFolders),
    ...homes.flatMap((home) => ['lib64', 'lib'].map((lib) => path.join(home, lib))),
  ];
}

/** A folder, and those of NVIDIA's wheels in it: `nvidia/cu13/lib`, `nvidia/cudnn/lib`. */
function wheelFolders(folder: string): string[] {
  const wheels = path.join(folder, 'nvidia');
  const names = existsSync(wheels) ? readdirSync(wheels) : [];
  return [folder, ...names.map((name) => path.join(wheels, name, 'lib'))];
}

/** `libcufft.so.12`, the shortest name first: the others are links to it or parts of it. */
function filesOf(folder: string, library: string): string[] {
  if (!existsSync(folder)) return [];
  return readdirSync(folder)
    .filter((name) => name.startsWith(`${library}.so.`))
    .sort((a, b) => a.length - b.length)
    .map((name) => path.join(folder, name));
}

const hasHeaders = (folder: string): boolean => existsSync(path.join(folder, 'include', 'cuda_runtime.h'));

/** Loads a library for everything that is loaded later. Node has no function for that: it takes every library for an addon. */
function keepLoaded(file: string): boolean {
  try {
    const { RTLD_NOW, RTLD_GLOBAL } = os.constants.dlopen;
    process.dlopen({ exports: {} }, file, RTLD_NOW | RTLD_GLOBAL | RTLD_NODELETE);
    return true;
  } catch (error) {
    // Loaded, but no addon; anything else is the system's refusal.
    return error instanceof Error && /did not self-register/.test(error.message);
  }
}

/**
 * Whether this machine has one of NVIDIA's cards and its driver. MLX with CUDA cannot do without: not even its CPU allocates memory then.
 */
export function hasNvidiaCard(): boolean {
  if (process.platform !== 'linux') return false;
  const devices = existsSync('/dev') ? readdirSync('/dev') : [];
  // WSL has one device for all cards.
  return devices.some((name) => /^(nvidia\d+|dxg)$/.test(name)) && keepLoaded('libcuda.so.1');
}
