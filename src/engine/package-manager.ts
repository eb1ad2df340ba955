/**
 * The package manager of the project that this package is installed in, and its commands for what may have to be mended.
 */
import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';

/** A package manager that installs this package. */
export type PackageManager = 'npm' | 'pnpm' | 'yarn' | 'bun';

/** Lock files and folders that reveal the package manager of a project. */
const marks: [file: string, manager: PackageManager][] = [
  ['pnpm-lock.yaml', 'pnpm'],
  ['bun.lock', 'bun'],
  ['bun.lockb', 'bun'],
  ['yarn.lock', 'yarn'],
  ['.pnp.cjs', 'yarn'],
  ['package-lock.json', 'npm'],
];

/**
 * The package manager that installed the package in `folder`: by the lock file of the project around it, else the one that runs this
 * process, else npm.
 */
export function managerOf(folder: string, env: NodeJS.ProcessEnv = process.env): PackageManager {
  for (let at = path.dirname(folder); ; at = path.dirname(at)) {
    const found = marks.find(([file]) => existsSync(path.join(at, file)));
    if (found) return found[1];
    const named = packageManagerField(at);
    if (named) return named;
    if (at === path.dirname(at)) break;
  }
  const [agent] = (env.npm_config_user_agent ?? '').split('/');
  return marks.find(([, manager]) => manager === agent)?.[1] ?? 'npm';
}

/** The command that adds a package to the project. */
export function howToAdd(manager: PackageManager, specifier: string): string {
  return manager === 'npm' ? `npm install ${specifier}` : `${manager} add ${specifier}`;
}

/** The command that fetches and unpacks an installed package again. */
export function howToRepair(
  manager: PackageManager,
  folder: string,
  platform: string = process.platform,
): string {
  const remove = platform === 'win32' ? 'rmdir /s /q' : 'rm -rf';
  const again = {
    npm: 'npm install',
    pnpm: 'pnpm install --force',
    yarn: 'yarn install',
    bun: 'bun install',
  };
  return `${remove} "${folder}" && ${again[manager]}`;
}

/** The command that runs a program of an installed package. */
export function howToRun(manager: PackageManager, command: string): string {
  const run = { npm: 'npx', pnpm: 'pnpm exec', yarn: 'yarn', bun: 'bunx' };
  return `${run[manager]} ${command}`;
}

/** Corepack's field in package.json. */
function packageManagerField(folder: string): PackageManager | undefined {
  try {
    const text = readFileSync(path.join(folder, 'package.json'), 'utf8');
    const { packageManager } = JSON.parse(text) as { packageManager?: unknown };
    const [name] = typeof packageManager === 'string' ? packageManager.split('@') : [];
    return marks.find(([, manager]) => manager === name)?.[1];
  } catch {
    return undefined;
  }
}
