/**
 * Tables that set another project's names beside ours: reading them, and what there is of ours. What the other has is in an inventory of the test
 * that asks, below test/fixtures.
 */
import { spawnSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import path from 'node:path';
import { commands, optionsOf } from './command-line.js';
import { type Project, readDocument, root } from './documents.js';

const everyCommand = commands();

/** A document's sections, each with its heading. */
export function sectionsOf(document: string): string[] {
  return readDocument(document).split(/^## /m).slice(1);
}

/** The cells of a section's table, below its heading. */
export function rowsOf(text: string): string[][] {
  const rows = text.split('\n').filter((line) => line.startsWith('| '));
  return rows.slice(2).map((row) =>
    row
      .slice(2, -2)
      .split(' | ')
      .map((cell) => cell.trim()),
  );
}

const VARIABLE = /^[A-Z][A-Z0-9_]+$/;
/** What a cell has in code letters; `X.{a, b}` is `X.a` and `X.b`. */
export function spans(cell = ''): string[] {
  return [...cell.matchAll(/`([^`]+)`/g)].flatMap(([, code = '']) => {
    const [, before, several] = /^(.+[. ])\{(.+)\}$/.exec(code) ?? [];
    return several?.split(', ').map((one) => before + one) ?? [code];
  });
}

/** A name of the library, and not an option, a variable or a command. */
export function isOfCode(name: string): boolean {
  return /^\w+(\.\w+)?$/.test(name) && !VARIABLE.test(name);
}

/** What the second entry point exports. */
const stages = new Set(Object.keys(await import('../../src/stages.js')));

/** Those of the names, exports and members of exported types, that the package's types do not have. */
export function notInTypes(project: Project, names: string[]): string[] {
  const head = [
    "import type * as P from 'parakeet-stream';",
    // Of a union's members one is enough.
    'type Has<T, K> = T extends unknown ? (K extends keyof T ? true : never) : never;',
  ];
  const lines = names.map((name, i) => {
    const [type = '', member] = name.split('.');
    if (member !== undefined) return `export const n${i}: Has<P.${type}, '${member}'> = true;`;
    const from = stages.has(type) ? 'parakeet-stream/stages' : 'parakeet-stream';
    return `export { type ${type} as N${i} } from '${from}';`;
  });
  project.write('names.mts', [...head, ...lines, ''].join('\n'));
  const compilerOptions = {
    target: 'ES2022',
    module: 'NodeNext',
    types: ['node'],
    typeRoots: [path.join(root, 'node_modules', '@types')],
    noEmit: true,
    strict: true,
    skipLibCheck: true,
  };
  project.write('tsconfig.json', JSON.stringify({ compilerOptions, files: ['names.mts'] }));
  const manifest = createRequire(import.meta.url).resolve('typescript/package.json');
  const { stdout } = spawnSync(
    process.execPath,
    [path.join(path.dirname(manifest), 'bin', 'tsc'), '-p', project.folder, '--pretty', 'false'],
    { cwd: project.folder, encoding: 'utf8' },
  );
  return [...stdout.matchAll(/^names\.mts\((\d+),/gm)].map(
    ([, line]) => names[Number(line) - head.length - 1] ?? stdout,
  );
}

/** An option, a variable or a command that there is. */
export function known(name: string): boolean {
  const options = [...everyCommand.values()].flatMap((one) => one.options);
  if (name.startsWith('-')) return options.some(({ short, long }) => name === short || name === long);
  if (VARIABLE.test(name)) {
    const named = [...everyCommand.values()].flatMap(optionsOf).some(({ variable }) => variable === name);
    return named || readBySources(name);
  }
  return everyCommand.has(name.replace(/^parakeet /, ''));
}

function readBySources(variable: string): boolean {
  const files = readdirSync(path.join(root, 'src'), { recursive: true, encoding: 'utf8' });
  return files
    .filter((file) => file.endsWith('.ts'))
    .some((file) => readFileSync(path.join(root, 'src', file), 'utf8').includes(`process.env.${variable}`));
}
