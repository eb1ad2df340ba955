/** What is installed has everything that it needs; that it is installed by package managers and run is another, slower test. */
import { readFileSync } from 'node:fs';
import { isBuiltin } from 'node:module';
import path from 'node:path';
import { expect, test } from 'vitest';
import { packedFiles } from '../../scripts/pack-root.mjs';
import { readDocument, root } from '../support/documents.js';

interface Manifest {
  exports: Record<string, string | Record<string, string>>;
  bin: Record<string, string>;
  dependencies: Record<string, string>;
  peerDependencies: Record<string, string>;
}

test('The package holds all that its entry points name, and imports nothing that it does not declare.', () => {
  const { exports, bin, dependencies, peerDependencies } = JSON.parse(
    readDocument('package.json'),
  ) as Manifest;
  const files = packedFiles();
  const entries = Object.values(exports).flatMap((entry) =>
    typeof entry === 'string' ? [entry] : Object.values(entry),
  );
  const named = [...entries, ...Object.values(bin)].map((file) => path.posix.normalize(file));
  expect(named.filter((file) => !files.includes(file))).toEqual([]);

  const declared = new Set([...Object.keys(dependencies), ...Object.keys(peerDependencies)]);
  const programs = files.filter((file) => /^dist\/.*\.js$/.test(file));
  expect(programs.length).toBeGreaterThan(100);
  const undeclared = programs.flatMap((file) => {
    const code = readFileSync(path.join(root, file), 'utf8');
    const imports = [...code.matchAll(/^(?:import|export) (?:[^'";]* from )?'([^'.][^']*)';$/gm)];
    const packages = imports.map(([, name = '']) => name.match(/^(?:@[^/]+\/)?[^/]+/)?.[0] ?? name);
    return packages
      .filter((name) => !isBuiltin(name) && !declared.has(name))
      .map((name) => `${file}: ${name}`);
  });
  expect(undeclared).toEqual([]);
});
