/**
 * Node's own `require`, for what is found at run time: packages that may be missing, and native addons. Bundlers replace a `createRequire`
 * that is imported by name, and follow what it requires; so it is called as a property here, and nowhere else.
 */
import module from 'node:module';

/** @param from the file, or its URL, that names are resolved from */
export function nodeRequire(from: string): NodeJS.Require {
  return module.createRequire(from);
}
