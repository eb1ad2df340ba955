/**
 * docs/parakeet-mlx.md against parakeet-mlx's inventory on its left, and against what this package has on its right: types and
 * exports as TypeScript sees them, options and variables as the command reads them.
 */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { commands, optionsOf } from './support/command-line.js';
import { Project, readDocument } from './support/documents.js';
import { isOfCode, known, notInTypes, rowsOf, sectionsOf, spans } from './support/side-by-side.js';

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
const sections = sectionsOf('docs/parakeet-mlx.md');
const section = (title: string) => sections.find((text) => text.startsWith(`${title}\n`)) ?? '';
const command = rowsOf(section('The command'));
const own = rowsOf(section('Only here'));
const library = sections.filter((text) => !/^(The command|Only here)\n/.test(text)).flatMap(rowsOf);

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
  const ofCode = names.filter(isOfCode);

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
