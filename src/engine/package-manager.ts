/**
 * The package manager of the project that this package is installed in, and its commands for building the addon. Current package managers
 * run no install scripts unless they are told to, each in its own way.
 */
import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';

/** A package manager that installs this package. */
export type PackageManager = 'npm' | 'pnpm' | 'yarn' | 'bun';

const NAME = 'parakeet-stream';

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

/** How to make the install script run: a sentence with the commands of one package manager. */
export function howToBuild(manager: PackageManager): string {
  switch (manager) {
    case 'pnpm':
      return (
        `pnpm runs install scripts of approved packages only. In your project, run \`pnpm approve-builds ${NAME}\` ` +
        `(it sets \`allowBuilds\` in pnpm-workspace.yaml), then \`pnpm rebuild ${NAME}\``
      );
    case 'yarn':
      return (
        `yarn runs install scripts of packages that are named for it only. In your project's package.json, add ` +
        `\`"dependenciesMeta": { "${NAME}": { "built": true } }\`, then run \`yarn install\``
      );
    case 'bun':
      return `bun runs install scripts of trusted packages only. In your project, run \`bun pm trust ${NAME}\``;
    default:
      return (
        `npm 12 runs install scripts of approved packages only. In your project, run \`npm install-scripts approve ${NAME}\` ` +
        `(older releases lack that command and need only the next one), then \`npm rebuild ${NAME} --foreground-scripts\``
      );
  }
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
