/**
 * docs/deepgram.md and docs/whisper.md: on the left stands everything that the other has, on the right only what we have, and where we have nothing
 * it says why. parakeet-mlx has a test of its own, since its names have parameters and members.
 */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { commands, optionsOf } from './support/command-line.js';
import { Project, readDocument } from './support/documents.js';
import { isOfCode, known, notInTypes, rowsOf, sectionsOf, spans } from './support/side-by-side.js';

interface Deepgram {
  version: string;
  fields: string[];
  commands: string[];
  parameters: string[];
}
interface Whisper {
  version: string;
  options: { names: string[]; default: unknown }[];
}
const read = <T>(other: string) => JSON.parse(readDocument(`test/fixtures/${other}/inventory.json`)) as T;
const deepgram = read<Deepgram>('deepgram');
const whisper = read<Whisper>('whisper');

const tableOf = (document: string, title: string) =>
  rowsOf(sectionsOf(document).find((text) => text.startsWith(`${title}\n`)) ?? '');
const messages = tableOf('docs/deepgram.md', 'Messages');
const sent = tableOf('docs/deepgram.md', 'What a client sends');
const parameters = tableOf('docs/deepgram.md', 'Parameters');
const command = tableOf('docs/whisper.md', 'The command');
const result = tableOf('docs/whisper.md', 'The result');

const left = (rows: string[][]) => rows.flatMap(([theirs]) => spans(theirs)).sort();

describe('the versions are those of the inventories', () => {
  test.each([
    ['docs/deepgram.md', deepgram.version],
    ['docs/whisper.md', whisper.version],
  ])('%s', (document, version) => expect(readDocument(document)).toContain(version));
});

describe('everything that the other has stands in one row', () => {
  test.each([
    ['fields of Deepgram', messages, deepgram.fields],
    ['messages to Deepgram', sent, deepgram.commands],
    ['parameters of Deepgram', parameters, deepgram.parameters],
    ['options of whisper', command, whisper.options.flatMap(({ names }) => names)],
  ])('%s', (_, rows, has) => expect(left(rows)).toEqual([...has].sort()));
});

test("whisper's defaults", () => {
  for (const { names, default: preset } of whisper.options) {
    const [, said = ''] = command.find(([theirs]) => spans(theirs).includes(names[0] as string)) ?? [];
    // One depends on the machine, one would not fit into a table.
    if (['--device', '--append_punctuations'].includes(names[0] as string)) expect(said).toBe('');
    else expect(said).toBe(preset === null ? '' : `\`${preset}\``);
  }
});

test('our defaults beside them', () => {
  const options = optionsOf(commands().get('transcribe') as never);
  for (const [, , ours, preset] of command) {
    const said = spans(preset)[0];
    const flag = spans(ours).find((span) => span.startsWith('--'));
    if (said) expect(String(options.find(({ long }) => long === flag)?.defaultValue)).toBe(said);
  }
});

const pairs = [
  ...[...messages, ...sent, ...parameters, ...result].map(([, ours, why]) => ({ ours, why })),
  ...command.map(([, , ours, , why]) => ({ ours, why })),
];

test('where we have none, it says why', () => {
  const missing = pairs.filter(({ ours }) => spans(ours).length === 0);
  expect(missing.length).toBeGreaterThan(10);
  expect(missing.filter(({ ours, why }) => ours !== '—' || !why)).toEqual([]);
});

describe('what we have', () => {
  const names = [...new Set(pairs.flatMap(({ ours }) => spans(ours)))];
  let project: Project;
  let broken: ReadonlySet<string>;
  beforeAll(() => {
    project = new Project();
    broken = new Set(notInTypes(project, [...names.filter(isOfCode), 'Sentence.misspelt']));
  });
  afterAll(() => project.remove());

  test('the check of names sees a misspelt one', () => {
    expect(broken).toContain('Sentence.misspelt');
    expect(known('--misspelt')).toBe(false);
  });

  test.each(names)('%s', (name) => {
    expect(isOfCode(name) ? !broken.has(name) : known(name)).toBe(true);
  });
});
