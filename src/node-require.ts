/**
 * Node's own `require`, for what is found at run time: packages that may be missing, and native addons. Bundlers replace a `createRequire`
 * that is imported by name, and follow what it requires; so it is called as a property here, and nowhere else.
 */
import module from 'node:module';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

/** @param from the file, or its URL, that names are resolved from: `import.meta.url` */
export function nodeRequire(from: string | undefined): NodeJS.Require {
  return module.createRequire(from ?? programFile());
}

/** The file of a module, by its `import.meta.url`. In a bundle of CommonJS, where there is none: the program's. */
export function fileOf(url: string | undefined): string {
  return url === undefined ? programFile() : fileURLToPath(url);
}

function programFile(): string {
  return path.resolve(process.argv[1] ?? 'program');
}
