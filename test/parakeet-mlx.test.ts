/**
 * docs/parakeet-mlx.md against parakeet-mlx's inventory on its left, and against what this package has on its right: types and
 * exports as TypeScript sees them, options and variables as the command reads them.
 */
import { spawnSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { commands, optionsOf } from './support/command-line.js';
import { Project, readDocument, root } from './support/documents.js';

interface Callable {
  parameters?: Record<string, string | null>;
}
interface Inventory {
  version: string;
  names: Record<string, Callable & { kind: string; members?: Record<string, Callable> }>;
  options: { kind: string; names: string[]; env: string | null; default: string | number | boolean | null }[];
}

const everyCommand = commands();
const inventory = JSON.parse(readDocument('test/fixtures/parakeet-mlx/inventory.json')) as Inventory;
const sections = readDocument('docs/parakeet-mlx.md').split(/^## /m).slice(1);
const section = (title: string) => sections.find((text) => text.startsWith(`${title}\n`)) ?? '';
const command = rowsOf(section('The command'));
const own = rowsOf(section('Only here'));
const library = sections.filter((text) => !/^(The command|Only here)\n/.test(text)).flatMap(rowsOf);

/** The cells of a section's table, below its heading. */
function rowsOf(text: string): string[][] {
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
function spans(cell = ''): string[] {
  return [...cell.matchAll(/`([^`]+)`/g)].flatMap(([, code = '']) => {
    const [, before, several] = /^(.+[. ])\{(.+)\}$/.exec(code) ?? [];
    return several?.split(', ').map((one) => before + one) ?? [code];
  });
}

/** `f(a, b)` names f and both of its parameters. */
function spelledOut(span: string): string[] {
  const [, name = span, parameters] = /^([^(]+)\((.*)\)$/.exec(span) ?? [];
  return [name, ...(parameters?.split(', ').map((parameter) => `${name}(${parameter})`) ?? [])];
}

/** Every name of the library that is to have a row. */
function theirs(): string[] {
  const called = (name: string, { parameters = {} }: Callable) => [
    name,
    ...Object.keys(parameters).map((parameter) => `${name}(${parameter})`),
  ];
  return Object.entries(inventory.names).flatMap(([name, entry]) => [
    ...called(name, entry),
    ...Object.entries(entry.members ?? {}).flatMap(([member, of]) => called(`${name}.${member}`, of)),
  ]);
}

describe('what parakeet-mlx has', () => {
  test('is version 0.7.0', () => expect(inventory.version).toBe('0.7.0'));

  test('every name, parameter and attribute has a row, and no row one that it has not', () => {
    const named = library.flatMap(([left]) => spans(left).flatMap(spelledOut));
    expect([...new Set(named)].sort()).toEqual(theirs().sort());
  });

  test('every option and variable of the command has one row, with its default', () => {
    const rows = command.map(([left, preset]) => [[...spans(left)].sort(), spans(preset)[0] ?? null]);
    const options = inventory.options.map(({ names, env, default: preset }) => [
      [...names, ...(env === null ? [] : [env])].sort(),
      preset === null ? null : String(preset),
    ]);
    expect(rows).toHaveLength(options.length);
    expect(rows).toEqual(expect.arrayContaining(options));
  });

  test('where we have none, it says why', () => {
    const missing = library.filter(([, right = '']) => spans(right).length === 0);
    expect(missing.filter(([, right, why = '']) => right !== '—' || why === '')).toEqual([]);
  });
});

describe('what we have', () => {
  let project: Project;
  let broken: ReadonlySet<string>;
  const right = [
    ...library.map(([, cell]) => cell),
    ...command.map(([, , cell]) => cell),
    ...own.map(([, cell]) => cell),
  ];
  const names = [...new Set(right.flatMap(spans))];
  const ofCode = names.filter((name) => /^\w+(\.\w+)?$/.test(name) && !VARIABLE.test(name));

  beforeAll(() => {
    project = new Project();
    broken = new Set(notInTypes(project, [...ofCode, 'Model.misspelt', 'misspelt']));
  });
  afterAll(() => project.remove());

  test('the check of names sees a misspelt one', () => {
    expect(broken).toContain('Model.misspelt');
    expect(broken).toContain('misspelt');
  });

  test.each(names)('%s', (name) => {
    expect(ofCode.includes(name) ? !broken.has(name) : known(name)).toBe(true);
  });

  test('the defaults of the command', () => {
    const options = optionsOf(everyCommand.get('transcribe') as never);
    for (const [, , right, preset] of command) {
      const flag = spans(right).find((span) => span.startsWith('--'));
      const said = spans(preset)[0];
      if (said) expect(String(options.find(({ long }) => long === flag)?.defaultValue)).toBe(said);
    }
  });
});

/** Those of the names, exports and members of exported types, that the package's types do not have. */
/** What the second entry point exports. */
const stages = new Set(Object.keys(await import('../src/stages.js')));

function notInTypes(project: Project, names: string[]): string[] {
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
function known(name: string): boolean {
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
