/**
 * The libraries that a built addon needs beside itself, and where each goes in a platform's package. They keep the places that they have in
 * vendor/, which is how they find each other; the addon looks for them in the same places beside itself (CMakeLists.txt).
 */
import { spawnSync } from 'node:child_process';
import { existsSync, readdirSync } from 'node:fs';
import path from 'node:path';
import { newest, readElf } from './elf.mjs';

/** What every system with Node has: glibc's libraries, and GCC's that Node itself is linked to. */
const OF_THE_SYSTEM = /^(lib(c|m|dl|rt|pthread|stdc\+\+|gcc_s)\.so\.\d+|ld-linux-.*)$/;

/** NVIDIA's driver, toolkit and cuDNN, which are the user's. */
const OF_CUDA =
  /^lib(cuda|cudart|cudnn|cublas|cublasLt|cufft|cusolver|cusparse|curand|nvrtc|nvJitLink|nccl)\.so/;

/**
 * @typedef {object} Libraries
 * @property {{ from: string, to: string }[]} files each library, and its place beside the addon
 * @property {string} glibc the oldest glibc that all of them run with
 */

/**
 * Of an addon for Linux: what it and its libraries name, followed to the end.
 *
 * @param {{ addon: string, vendor: string, arch: string, cuda: boolean }} where
 * @returns {Libraries}
 */
export function linuxLibraries({ addon, vendor, arch, cuda }) {
  const places = new Map(filesBelow(vendor).map((file) => [path.basename(file), file]));
  const files = [];
  const versions = [];
  const seen = new Set();
  const visit = (file) => {
    const elf = readElf(file);
    if (elf.arch !== arch) throw new Error(`Expected ${file} to be for ${arch} but it is for ${elf.arch}`);
    versions.push(elf.glibc);
    for (const name of elf.needed) {
      if (seen.has(name) || OF_THE_SYSTEM.test(name) || (cuda && OF_CUDA.test(name))) continue;
      seen.add(name);
      const inVendor = places.get(name);
      const found = inVendor ?? openMp(name);
      if (!found) throw new Error(`Expected ${name}, which ${file} needs, in ${vendor} but found none`);
      files.push({ from: found, to: inVendor ? path.relative(vendor, found) : path.join('gomp', name) });
      visit(found);
    }
  };
  visit(addon);
  return { files, glibc: newest(versions) };
}

/**
 * Of an addon for macOS: MLX's folder, with the Metal library that it reads.
 *
 * @param {string} vendor
 * @returns {Libraries}
 */
export function macLibraries(vendor) {
  const folder = path.join(vendor, 'mlx', 'lib');
  const names = readdirSync(folder).filter((name) => /\.(dylib|metallib)$/.test(name));
  if (!names.some((name) => name.endsWith('.metallib'))) {
    throw new Error(`Expected MLX's Metal library in ${folder} but found ${names.join(', ') || 'nothing'}`);
  }
  const files = names.map((name) => ({
    from: path.join(folder, name),
    to: path.join('mlx', 'lib', name),
  }));
  return { files, glibc: '' };
}

/**
 * Of an addon for Windows: what lies beside it, which is where the system looks for it; the build leaves it there.
 *
 * @param {string} addon
 * @returns {Libraries}
 */
export function windowsLibraries(addon) {
  const folder = path.dirname(addon);
  const names = readdirSync(folder).filter((name) => name.toLowerCase().endsWith('.dll'));
  if (!names.includes('mlx.dll')) {
    throw new Error(`Expected mlx.dll beside ${addon} but found ${names.join(', ') || 'no library'}`);
  }
  return { files: names.map((name) => ({ from: path.join(folder, name), to: name })), glibc: '' };
}

/** GCC's OpenMP library, which oneDNN needs and slim images lack: the compiler knows where it is. */
function openMp(name) {
  if (name !== 'libgomp.so.1') return undefined;
  const { stdout } = spawnSync(process.env.CXX || 'g++', [`-print-file-name=${name}`], { encoding: 'utf8' });
  const file = stdout?.trim() ?? '';
  return path.isAbsolute(file) && existsSync(file) ? file : undefined;
}

function filesBelow(folder) {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => !entry.isDirectory())
    .map((entry) => path.join(entry.parentPath ?? entry.path, entry.name));
}
