/**
 * Loads the native addon, once per process and worker thread, and passes it the function that makes its errors. It neither builds nor
 * downloads anything: `npm install` does.
 */
import { existsSync } from 'node:fs';
import { createRequire } from 'node:module';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { NativeError } from '../errors.js';
import type { NativeAddon } from './addon.js';
import { nativeError } from './native-error.js';
import { howToBuild, managerOf } from './package-manager.js';

/** The package's folder, both from src/engine and from dist/engine. */
const root = fileURLToPath(new URL('../..', import.meta.url));

let loaded: NativeAddon | undefined;

/**
 * The native addon of this process.
 *
 * `PARAKEET_ADDON` names another file than `build/Release/parakeet.node`; the tests use it for builds with deliberate faults.
 *
 * @throws {@link NativeError} `ERR_PARAKEET_NATIVE_LOAD`: what was tried, what was found, and the command that fixes it.
 */
export function loadAddon(): NativeAddon {
  loaded ??= load(process.env.PARAKEET_ADDON || path.join(root, 'build', 'Release', 'parakeet.node'));
  return loaded;
}

/** Loads one file; exported for the tests. */
export function load(file: string): NativeAddon {
  try {
    const addon = createRequire(import.meta.url)(file) as NativeAddon;
    addon.makeErrorsWith(nativeError);
    return addon;
  } catch (cause) {
    throw new NativeError('ERR_PARAKEET_NATIVE_LOAD', describe(file, cause), { cause });
  }
}

function describe(file: string, cause: unknown): string {
  const machine = `${process.platform}-${process.arch}, Node ${process.version}`;
  const isInstalled = root.includes(`${path.sep}node_modules${path.sep}`) || root.includes('.yarn');
  const remedy = isInstalled ? howToBuild(managerOf(root)) : `In ${root}, run \`npm run build:native\``;
  if (!existsSync(file)) {
    return (
      `Expected the native addon at ${file} but found no such file (${machine}). ` +
      `Its install script was not run, or failed. ${remedy}, and read what it prints.`
    );
  }
  const said = cause instanceof Error ? cause.message : String(cause);
  return (
    `Expected to load the native addon ${file} but the system refused (${machine}): ${said}. ` +
    `It was built for another machine, or a library of it is gone. To build it here: ${remedy}.`
  );
}
