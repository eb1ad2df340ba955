/**
 * Loads the native addon, once per process and worker thread, and passes it the function that makes its errors. It neither builds nor
 * downloads anything.
 */
import { NativeError } from '../errors.js';
import { nodeRequire } from '../node-require.js';
import type { NativeAddon } from './addon.js';
import { type FoundAddon, findAddon } from './find-addon.js';
import { describeNotFound, describeNotLoaded, mismatched } from './load-failure.js';
import { nativeError } from './native-error.js';
import { thisSystem } from './system.js';

let loaded: NativeAddon | undefined;

/**
 * The native addon of this process: the one that was compiled here, else that of the platform's package.
 *
 * `PARAKEET_ADDON` names another file; the tests use it for builds with deliberate faults.
 *
 * @throws {@link NativeError} `ERR_PARAKEET_NATIVE_LOAD`: what was looked for, what was found, and the command that mends it.
 */
export function loadAddon(): NativeAddon {
  loaded ??= findAndLoad(process.env);
  return loaded;
}

function findAndLoad(env: NodeJS.ProcessEnv): NativeAddon {
  const search = findAddon(env);
  if (search.found) return load(search.found);
  throw new NativeError(
    'ERR_PARAKEET_NATIVE_LOAD',
    describeNotFound(thisSystem(), search.looked, search.wanted),
  );
}

/** Loads one file; exported for the tests. */
export function load(found: FoundAddon): NativeAddon {
  const wrongVersion = found.from && mismatched(found.from);
  if (wrongVersion) throw new NativeError('ERR_PARAKEET_NATIVE_LOAD', wrongVersion);
  try {
    const addon = nodeRequire(import.meta.url)(found.file) as NativeAddon;
    addon.makeErrorsWith(nativeError);
    return addon;
  } catch (cause) {
    const said = cause instanceof Error ? cause.message.split('\nRequire stack:')[0] : String(cause);
    const message = describeNotLoaded(thisSystem(), found, said ?? '');
    throw new NativeError('ERR_PARAKEET_NATIVE_LOAD', message, { cause });
  }
}
