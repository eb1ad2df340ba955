/**
 * The documentation in the sources: every public function has an example, the examples run and compile, and options state their defaults
 * where tools find them.
 */
import { readdirSync } from 'node:fs';
import path from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import * as main from '../src/index.js';
import { Model } from '../src/model.js';
import * as stages from '../src/stages.js';
import { scriptErrors } from './support/compile.js';
import { codeBlocks, Project, readDocument, root } from './support/documents.js';

/** The most lines of an example. */
const LONGEST = 12;

/** A comment of the sources, without its stars, and the code behind it up to the end of the line. */
interface Comment {
  file: string;
  text: string;
  code: string;
}

const comments = readdirSync(path.join(root, 'src'), { recursive: true, encoding: 'utf8' })
  .filter((file) => file.endsWith('.ts'))
  .sort()
  .flatMap((file) => commentsOf(file, readDocument(path.join('src', file))));
const examples = { run: programs('js'), 'no-run': programs('js no-run') };

let project: Project;
beforeAll(() => {
  project = new Project();
});
afterAll(() => project.remove());

test('every public function has an example and says what it throws', () => {
  const functions = [...functionsOf(main), ...functionsOf(stages)];
  const methods = Object.getOwnPropertyNames(Model.prototype).filter(
    (name) => name !== 'constructor' && !Object.getOwnPropertyDescriptor(Model.prototype, name)?.get,
  );
  expect(functions.length).toBeGreaterThan(25);
  expect(methods.length).toBeGreaterThan(5);
  const documented: [name: string, text: string][] = [
    ...functions.map((name): [string, string] => [name, commentOf(`export (?:async )?function ${name}[(<]`)]),
    ...methods.map((name): [string, string] => [
      `model.${name}`,
      commentOf(`(?:async )?${name}\\(`, 'model.ts'),
    ]),
  ];
  expect(documented.filter(([, text]) => !/^@example\n```js/m.test(text)).map(([name]) => name)).toEqual([]);
  const fails = documented.filter(([name]) => !['model.close', 'isParakeetError'].includes(name));
  expect(fails.filter(([, text]) => !/@throws|fails? with/i.test(text)).map(([name]) => name)).toEqual([]);
});

test('examples are short', () => {
  const all = Object.entries({ ...examples.run, ...examples['no-run'] });
  const long = all.filter(([, program]) => program.trimEnd().split('\n').length > LONGEST);
  expect(long.map(([name]) => name)).toEqual([]);
});

test.each(Object.entries(examples.run))('the example of %s runs', (name, program) =>
  project.runExample(name, program),
);

test('every example compiles, those that do not run included', () => {
  expect(scriptErrors(project, { ...examples.run, ...examples['no-run'] })).toEqual([]);
});

test('defaults are in @defaultValue', () => {
  const prose = comments.filter(({ text }) => /\bDefaults?[: ](?!of\b)/.test(text));
  expect(prose.map(({ file, text }) => `${file}: ${text}`)).toEqual([]);
});

/** The names of the functions of a module; classes are none. */
function functionsOf(module: Readonly<Record<string, unknown>>): string[] {
  return Object.entries(module)
    .filter(([, value]) => typeof value === 'function' && !/^class\b/.test(String(value)))
    .map(([name]) => name);
}

/** The comments of a file that stand before code. */
function commentsOf(file: string, source: string): Comment[] {
  return [...source.matchAll(/\/\*\*((?:(?!\*\/).)*)\*\/\s*([^\n]*)/gs)].map(([, body = '', code = '']) => ({
    file,
    text: body.replace(/^ *\* ?/gm, '').trim(),
    code,
  }));
}

/** The comment before the code that begins so; empty when there is none. */
function commentOf(declaration: string, file?: string): string {
  const found = comments.find(
    (comment) =>
      (file === undefined || comment.file === file) && new RegExp(`^${declaration}`).test(comment.code),
  );
  return found?.text ?? '';
}

/** The examples by what they are an example of. */
function programs(language: 'js' | 'js no-run'): Record<string, string> {
  const found: Record<string, string> = {};
  for (const { file, text, code } of comments) {
    const example = text.slice(text.search(/^@example$/m));
    const name = /^(?:export )?(?:async )?(?:function )?(\w+)/.exec(code)?.[1];
    for (const program of codeBlocks(`${example}\n`, language))
      found[`${path.basename(file, '.ts')}-${name}.mjs`] = program;
  }
  return found;
}
