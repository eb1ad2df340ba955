/**
 * What to say when the native addon cannot be had: what was looked for, what is there instead, and the command that mends it. The first
 * explanation that fits is given; each is one that a user of a peer's package has run into.
 */
import { existsSync } from 'node:fs';
import path from 'node:path';
import { packageVersion } from '../version.js';
import { type Companion, companionName, findCompanion } from './companions.js';
import { howToFindCuda, isCudaLibrary } from './cuda-libraries.js';
import { type FoundAddon, isCheckout, root } from './find-addon.js';
import { howToAdd, howToRepair, howToRun, managerOf } from './package-manager.js';
import type { System } from './system.js';

/** The platforms that packages are published for. */
const PLATFORMS = ['linux-x64', 'linux-arm64', 'darwin-arm64', 'win32-x64'];
const IMAGE = 'node:22-bookworm-slim';

/** Why no addon was found at `looked`. `wanted`: the package that should be there, by its short name. */
export function describeNotFound(system: System, looked: readonly string[], wanted: string): string {
  const found = otherPlatforms(nameOf(system));
  const reason =
    unsupported(system) ??
    (isCheckout()
      ? `It was not built yet. Run \`npm run build:native\` in ${root}.`
      : found.length > 0
        ? `node_modules was installed for another machine: it has ${found.join(', ')}. ${addPlatform(wanted)}`
        : `Its package was not installed (with --omit=optional, or from a lock file of another platform). ${addPlatform(wanted)}`);
  return `Expected the native addon for ${describeSystem(system)} but found none. Looked for ${looked.join(', ')}. ${reason}`;
}

/** Why the addon that was found does not load. `said` is the system's own message. */
export function describeNotLoaded(system: System, { file, from }: FoundAddon, said: string): string {
  const reason =
    unsupported(system) ??
    (from && (mismatched(from) ?? incomplete(from) ?? olderThan(from, system))) ??
    missingLibrary(said, file, system) ??
    (from
      ? `To compile it on this machine: ${compile()}`
      : existsSync(file)
        ? `It was built for another machine, or a library of it is gone. To build it here: ${compile()}`
        : `There is no such file. To build it: ${compile()}`);
  const origin = from ? ` of ${from.name}@${from.version}` : '';
  return (
    `Expected the native addon ${file}${origin} to load on ${describeSystem(system)} but the system refused: ` +
    `${said}. ${reason}`
  );
}

/** A package of another version than ours, whose addon may have other functions. */
export function mismatched(from: Companion): string | undefined {
  if (from.version === packageVersion) return undefined;
  const wanted = `${from.name}@${packageVersion}`;
  return `parakeet-stream is ${packageVersion} and needs ${wanted}, but ${from.version} is installed. Run \`${add(wanted)}\`.`;
}

/** Systems that no package can be for. */
function unsupported(system: System): string | undefined {
  const { platform, arch, libc, translated } = system;
  if (translated) {
    return (
      'This Node was built for Intel and runs translated on Apple silicon. Install Node for arm64 ' +
      '(`node -p process.arch` then prints arm64), then run `npm install` again.'
    );
  }
  if (platform === 'darwin' && arch !== 'arm64') {
    return `MLX has no build for Intel Macs. Use a Mac with Apple silicon, or Linux: \`docker run -it ${IMAGE}\`.`;
  }
  if (libc === 'musl') {
    return (
      "The system's C library is musl (Alpine), and MLX's libraries need glibc. " +
      `Use an image with glibc: \`FROM ${IMAGE}\`.`
    );
  }
  if (PLATFORMS.includes(`${platform}-${arch}`)) return undefined;
  if (platform === 'win32') return 'Use Linux in WSL: `wsl --install`, then `npm install` there.';
  return `MLX has no build for it; there are packages for ${PLATFORMS.join(', ')}.`;
}

/** Half installed: an unpacking that broke off, or a tool that left out files it took for unused. */
function incomplete({ folder, name, parakeet }: Companion): string | undefined {
  const missing = (parakeet.files ?? []).filter((file) => !existsSync(path.join(folder, file)));
  if (missing.length === 0) return undefined;
  const repair = howToRepair(managerOf(root), folder);
  return `${name} is only half installed: ${missing.join(', ')} is missing. Run \`${repair}\`.`;
}

function olderThan({ name, parakeet }: Companion, { glibc }: System): string | undefined {
  if (!parakeet.glibc || !glibc || compare(glibc, parakeet.glibc) >= 0) return undefined;
  return (
    `${name} needs glibc ${parakeet.glibc} or newer and this system has ${glibc}. ` +
    'Use Debian 12, Ubuntu 22.04, RHEL 10, Fedora 36 or newer, ' +
    `for example \`FROM ${IMAGE}\`; or compile MLX here, set MLX_ROOT to its folder, and build the addon: ${compile()}`
  );
}

/** A library that is the system's, or the user's, to bring; the others come with the package. */
function missingLibrary(said: string, addon: string, { platform }: System): string | undefined {
  const [, library] = /^(lib\S+\.so\S*): cannot open shared object file/.exec(said) ?? [];
  if (platform !== 'linux' || library === undefined) return undefined;
  if (library.startsWith('libgomp.')) {
    return "oneDNN needs GCC's OpenMP library: `apt-get install -y libgomp1` (Debian, Ubuntu) or `dnf install -y libgomp`.";
  }
  return isCudaLibrary(said) ? howToFindCuda(library, addon) : undefined;
}

/** The packages of other platforms that are installed. */
function otherPlatforms(name: string): string[] {
  return PLATFORMS.filter((other) => other !== name && findCompanion(other)).map(companionName);
}

const addPlatform = (name: string): string =>
  `Run \`${add(`${companionName(name)}@${packageVersion}`)}\`. Or compile it: ${compile()}`;

const add = (specifier: string): string => howToAdd(managerOf(root), specifier);

function compile(): string {
  if (isCheckout()) return `\`npm run build:native\` in ${root}.`;
  const source = `${companionName('source')}@${packageVersion}`;
  return `\`${add(source)} && ${howToRun(managerOf(root), 'parakeet build')}\`.`;
}

const nameOf = ({ platform, arch }: System): string => `${platform}-${arch}`;

function describeSystem(system: System): string {
  const libc = system.glibc ? `glibc ${system.glibc}, ` : system.libc ? `${system.libc}, ` : '';
  return `${nameOf(system)} (${libc}Node ${process.version})`;
}

/** Versions such as 2.9 and 2.35 by their numbers. */
function compare(a: string, b: string): number {
  const [left, right] = [a, b].map((version) => version.split('.').map(Number));
  for (let i = 0; i < Math.max(left?.length ?? 0, right?.length ?? 0); i++) {
    const difference = (left?.[i] ?? 0) - (right?.[i] ?? 0);
    if (difference !== 0) return difference;
  }
  return 0;
}
