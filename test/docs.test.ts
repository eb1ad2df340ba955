/**
 * The guides in docs/: their programs run, their options, commands and links exist, and their figures are those of docs/measured.md.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { commands } from './support/command-line.js';
import { scriptErrors } from './support/compile.js';
import {
  brokenLinks,
  codeBlocks,
  missingScripts,
  Project,
  prose,
  readDocument,
  root,
} from './support/documents.js';

const everyCommand = commands();
const guides = readdirSync(path.join(root, 'docs')).filter((name) => name.endsWith('.md'));
const readme = readDocument('README.md');
const measured = readDocument('docs/measured.md');

let project: Project;
beforeAll(() => {
  project = new Project();
});
afterAll(() => project.remove());

test('the README points to every guide', () => {
  expect(guides.length).toBeGreaterThanOrEqual(4);
  expect(guides.filter((guide) => !readme.includes(`](docs/${guide})`))).toEqual([]);
});

describe.each(guides)('%s', (guide) => {
  const text = readDocument(`docs/${guide}`);
  const programs = codeBlocks(text, 'js');

  test.each(programs.map((program, index) => [index + 1, program] as const))(
    'program %d runs',
    (index, program) => project.runExample(`${path.basename(guide, '.md')}-${index}.mjs`, program),
  );

  test('its links lead somewhere, two other guides among them', () => {
    expect(brokenLinks(`docs/${guide}`)).toEqual([]);
    const others = guides.filter((other) => other !== guide);
    expect(others.filter((other) => text.includes(`](${other}`)).length).toBeGreaterThanOrEqual(2);
  });

  test('every command and option of its command lines exists', () => {
    expect(missingScripts(`docs/${guide}`)).toEqual([]);
    expect([...unknownOptions(text)]).toEqual([]);
  });

  // Others' names stand in three guides (parakeet-mlx.test.ts and parity.test.ts check each), earlier names of ours in the fourth.
  test.skipIf(['parakeet-mlx.md', 'deepgram.md', 'whisper.md', 'api-design.md'].includes(guide))(
    'every name that it sets in code letters is one of the project',
    () => {
      expect(names(text).filter((name) => !known(name))).toEqual([]);
    },
  );

  test('its figures are those of measured.md', () => {
    const figures = prose(text).match(/\d[\d.]*(?: to \d[\d.]*)? (?:%|×|GB|MB|MiB|ms)|\d\.\d\d s/g) ?? [];
    expect(figures.filter((figure) => !measured.includes(figure))).toEqual([]);
  });
});

test('every option in their programs is one that its call takes, those that do not run included', () => {
  expect(complaints()).toEqual([]);
});

test('that test sees a misspelt option', () => {
  const program = "import { parakeet } from 'parakeet-stream';\nparakeet({ latenzy: 'low' });\n";
  expect(complaints({ 'misspelt.mjs': program })).toEqual([
    expect.stringContaining("'latenzy' does not exist in type 'ParakeetOptions'"),
  ]);
});

/** What TypeScript says of all programs. */
function complaints(more: Record<string, string> = {}): string[] {
  const programs = { ...more };
  for (const guide of guides) {
    const text = readDocument(`docs/${guide}`);
    for (const language of ['js', 'js no-run'] as const)
      codeBlocks(text, language).forEach((program, index) => {
        programs[`${guide}-${language.replace(' ', '-')}-${index + 1}.mjs`] = program;
      });
  }
  return scriptErrors(project, programs);
}

/** Options of `npx parakeet …` and of `npm run … -- …` that there are not. */
function* unknownOptions(text: string): Generator<string> {
  const { scripts } = createRequire(import.meta.url)('../package.json') as {
    scripts: Record<string, string>;
  };
  const flags = (words: string) => words.match(/(?<!\S)--?[a-z][a-z-]*/g) ?? [];
  for (const [line, words = ''] of text.matchAll(/npx parakeet ([^|`\n#]*)/g)) {
    const [first = '', second = ''] = words.split(' ');
    const command = everyCommand.get(`${first} ${second}`) ?? everyCommand.get(first);
    const has = (flag: string) => command?.options.some(({ short, long }) => flag === short || flag === long);
    if (!command || flags(words).some((flag) => !has(flag))) yield line;
  }
  for (const [line, script = '', words = ''] of text.matchAll(/npm run -s ([\w:]+) -- ([^|`\n#]*)/g)) {
    const program = readDocument(scripts[script]?.replace(/^node /, '') ?? '');
    if (flags(words).some((flag) => !new RegExp(`\\b'?${flag.slice(2)}'?: \\{ type`).test(program)))
      yield line;
  }
}

/** Words in code letters that look like an option's, an event's or a variable's name. */
function names(text: string): string[] {
  const spans = [...prose(text).matchAll(/`([^`]+)`/g)].map(([, code = '']) => code);
  return spans.flatMap(
    (code) => code.match(/^[A-Za-z_]\w*$/) ?? code.match(/\b[a-z]+[A-Z]\w*\b|\b[a-z]\w*(?=:)/g) ?? [],
  );
}

/** It is a word of the sources, or of what this project is built with. */
function known(name: string): boolean {
  sources ??= ['src', 'scripts', 'native/ops', 'bench']
    .flatMap((folder) =>
      readdirSync(path.join(root, folder), { recursive: true, withFileTypes: true })
        .filter((entry) => entry.isFile() && /\.(?:ts|mjs|h|cpp)$/.test(entry.name))
        .map((entry) => readFileSync(path.join(entry.parentPath ?? entry.path, entry.name), 'utf8')),
    )
    .join('\n');
  return new RegExp(`\\b${name}\\b`).test(sources);
}
let sources: string | undefined;
