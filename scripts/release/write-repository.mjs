/**
 * Writes `repository`, `bugs` and `homepage` into package.json and those of packages/, for the repository that publishes. They are in no
 * commit: a fork that publishes has an address of its own, and npm compares `repository` with where a provenance statement comes from.
 *
 *     node scripts/release/write-repository.mjs [ADDRESS]     in the root of the checkout; by default that of the running workflow
 */
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

/** A manifest with the three fields. @param {string} directory where it lies in the repository; '' for the root */
export function withRepository(manifest, address, directory = '') {
  const repository = { type: 'git', url: `git+${address}.git`, ...(directory && { directory }) };
  return { ...manifest, repository, bugs: { url: `${address}/issues` }, homepage: `${address}#readme` };
}

/** The address as a browser has it, without an ending. @throws when it is none */
export function addressOf(text = '') {
  const address = text.replace(/\.git$|\/$/, '');
  if (!/^https:\/\/[\w.-]+(?:\/[\w.-]+){2,}$/.test(address)) {
    throw new Error(`Expected the https address of a repository but received '${text}'`);
  }
  return address;
}

/** Writes them into every package of a checkout. */
export function writeRepository(folder, address) {
  const packages = path.join(folder, 'packages');
  const beside = existsSync(packages) ? readdirSync(packages).map((name) => `packages/${name}`) : [];
  for (const directory of ['', ...beside]) {
    const file = path.join(folder, directory, 'package.json');
    if (!existsSync(file)) continue;
    const manifest = withRepository(JSON.parse(readFileSync(file, 'utf8')), address, directory);
    writeFileSync(file, `${JSON.stringify(manifest, null, 2)}\n`);
  }
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const { GITHUB_SERVER_URL = '', GITHUB_REPOSITORY = '' } = process.env;
  const [given = `${GITHUB_SERVER_URL}/${GITHUB_REPOSITORY}`] = process.argv.slice(2);
  writeRepository('.', addressOf(given));
}
