/**
 * Publishes the tarballs of a folder: those of platforms first, `parakeet-stream` last, so that nobody gets one whose parts are not there.
 * What the registry has already is left as it is: after a failure it can be run again.
 *
 *     node scripts/release/publish.mjs build-packages     in the root of the checkout
 */
import { execFileSync, spawnSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { sectionOf } from './changelog.mjs';

const MAIN = 'parakeet-stream';

/** @typedef {{ file: string, manifest: Record<string, any> }} Tarball */

/** The tarballs of a folder in the order in which they are published. @returns {Tarball[]} */
export function tarballsOf(folder) {
  const tarballs = readdirSync(folder)
    .filter((name) => name.endsWith('.tgz'))
    .sort()
    .map((name) => {
      const file = path.join(folder, name);
      const text = execFileSync('tar', ['-xzOf', file, 'package/package.json'], { encoding: 'utf8' });
      return { file, manifest: JSON.parse(text) };
    });
  const isMain = ({ manifest }) => manifest.name === MAIN;
  return [...tarballs.filter((one) => !isMain(one)), ...tarballs.filter(isMain)];
}

/** What is wrong with a release, as lines; none: it may go out. @param {Tarball[]} tarballs */
export function objections(tarballs, version) {
  const manifests = tarballs.map(({ manifest }) => manifest);
  const main = manifests.find(({ name }) => name === MAIN);
  if (!main) return [`Expected a tarball of ${MAIN} but found none: npm run pack`];
  const parts = Object.entries({ ...main.dependencies, ...main.optionalDependencies }).filter(([name]) =>
    name.startsWith(`@${MAIN}/`),
  );
  return [
    ...manifests
      .filter((one) => one.version !== version)
      .map((one) => `Expected version ${version} of ${one.name} but found ${one.version}`),
    ...manifests
      .filter((one) => !one.repository?.url)
      .map((one) => `Expected a repository in ${one.name}: node scripts/release/write-repository.mjs`),
    ...parts
      .filter(([, range]) => range !== version)
      .map(([name, range]) => `Expected ${MAIN} to need ${name} ${version} but it needs ${range}`),
    ...parts
      .filter(([name]) => !manifests.some((one) => one.name === name))
      .map(([name]) => `Expected a tarball of ${name}, which ${MAIN} needs, but found none`),
  ];
}

function isPublished({ name, version }) {
  const { status, stdout, stderr } = spawnSync('npm', ['view', `${name}@${version}`, 'version'], {
    encoding: 'utf8',
  });
  // A version that is not there of a package that is: success, and no output.
  if (status === 0) return stdout.trim() !== '';
  if (stderr.includes('E404')) return false;
  throw new Error(`npm view ${name} failed:\n${stderr}`);
}

function main() {
  const [folder = 'build-packages'] = process.argv.slice(2);
  const { version } = JSON.parse(readFileSync('package.json', 'utf8'));
  sectionOf(readFileSync('CHANGELOG.md', 'utf8'), version);
  const tarballs = tarballsOf(folder);
  const wrong = objections(tarballs, version);
  if (wrong.length > 0) throw new Error(wrong.join('\n'));
  for (const { file, manifest } of tarballs) {
    const name = `${manifest.name}@${manifest.version}`;
    if (isPublished(manifest)) {
      console.log(`${name} is there already`);
      continue;
    }
    execFileSync('npm', ['publish', path.resolve(file), '--access', 'public'], { stdio: 'inherit' });
    console.log(`${name} published`);
  }
}

if (process.argv[1] === fileURLToPath(import.meta.url)) main();
