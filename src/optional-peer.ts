/**
 * Packages that only one feature needs: loaded on first use, with an error that says how to install them. They are not written as static
 * imports, so that bundlers neither follow them nor fail if they are not installed.
 */
import { DependencyError } from './errors.js';

/**
 * Imports an optional peer dependency.
 *
 * @param name the package
 * @param purpose what it does for us, as in "which `purpose`"
 * @param remedy what to do without it
 * @throws {@link DependencyError} `ERR_PARAKEET_MISSING_DEPENDENCY` when it is not installed or does not load.
 */
export async function importPeer<T>(name: string, purpose: string, remedy: string): Promise<T> {
  try {
    return (await import(/* webpackIgnore: true */ /* @vite-ignore */ name)) as T;
  } catch (cause) {
    const { code, message } = cause as NodeJS.ErrnoException;
    const missing = code === 'ERR_MODULE_NOT_FOUND' && message.includes(`'${name}'`);
    const state = missing ? 'it is not installed' : `it does not load: ${message}`;
    throw new DependencyError(`Expected the package ${name}, which ${purpose}, but ${state}. ${remedy}`, {
      cause,
    });
  }
}
