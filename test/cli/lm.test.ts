/** `parakeet lm build` and `convert`, and `--lm`, as a user would. */
import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { modelVocabulary } from '../../src/lm/model-vocabulary.js';
import { goldenFolder } from '../support/goldens.js';
import { LanguageModelFolder } from '../support/language-model.js';

const root = path.join(import.meta.dirname, '..', '..');
const folder = new LanguageModelFolder();
afterAll(() => folder.remove());
const austen = path.join(root, 'test', 'audio', 'sense_and_sensibility_01_austen_64kb-0870.flac');

function parakeet(args: string[], input = '') {
  const main = path.join(root, 'dist', 'cli', 'main.js');
  const { status, stdout, stderr } = spawnSync(process.execPath, [main, ...args], {
    encoding: 'utf8',
    input,
    cwd: folder.path,
    env: { PATH: process.env.PATH },
  });
  return { status, stdout, stderr };
}
const heard = (...args: string[]) =>
  parakeet(['transcribe', austen, '-o', '-', '-f', 'txt', '--decoding', 'beam', ...args]);

beforeAll(() => writeFileSync(folder.file('text.txt'), readFileSync(path.join(root, 'docs', 'streams.md'))));

test('build makes a model of files or of stdin, of the size that was asked for', () => {
  const built = parakeet(['lm', 'build', 'text.txt', '--order', '3', '--size', '20KB', '--json']);
  expect(built).toMatchObject({ status: 0, stderr: '' });
  const { file, bytes, grams, words } = JSON.parse(built.stdout) as Record<string, number>;
  expect({ file, orders: (grams as unknown as number[]).length }).toEqual({ file: 'text.lm', orders: 3 });
  expect(bytes).toBeLessThanOrEqual(20_000);
  expect(words).toBeGreaterThan(500);
  const text = readFileSync(folder.file('text.txt'), 'utf8');
  const piped = parakeet(['lm', 'build', '-', '--order', '3', '--size', '20000', '-o', 'piped.lm'], text);
  expect(piped).toMatchObject({ status: 0, stdout: expect.stringMatching(/piped\.lm {2}0\.0\d MB/) });
  expect(readFileSync(folder.file('piped.lm'))).toEqual(readFileSync(folder.file('text.lm')));
});

test('--lm uses one, or several by weight, and model and none are words', () => {
  const plain = heard();
  expect(plain.status).toBe(0);
  expect(heard('--lm', 'none')).toEqual(plain);
  // A text about streams, taken far too seriously.
  const odd = heard('--lm', 'text.lm', '--lm-weight', '3');
  expect(odd).toMatchObject({ status: 0, stderr: '' });
  expect(odd.stdout).not.toBe(plain.stdout);
  expect(heard('--lm', 'text.lm=1', '--lm', 'piped.lm=2', '--lm-weight', '3').stdout).toBe(odd.stdout);
  expect(heard('--lm', 'model').status).toBe(0);
});

test('convert takes ARPA files', async () => {
  const { pieces } = await modelVocabulary(undefined, {});
  const grams = pieces.slice(1).map((piece) => `-2.5\t${piece}`);
  writeFileSync(
    folder.file('tokens.arpa'),
    ['\\data\\', `ngram 1=${grams.length}`, '', '\\1-grams:', ...grams, '', '\\end\\', ''].join('\n'),
  );
  expect(parakeet(['lm', 'convert', 'tokens.arpa'])).toMatchObject({
    status: 0,
    stdout: expect.stringMatching(/^tokens\.lm .*order 1; grams: 513 of 1/),
  });
  expect(heard('--lm', 'tokens.lm').status).toBe(0);
});

test('what makes no sense is said, and no file is left', () => {
  const fails = (args: string[], status: number, message: RegExp) =>
    expect(parakeet(args)).toMatchObject({ status, stderr: expect.stringMatching(message) });
  fails(['lm', 'build', '-'], 2, /--output FILE/);
  fails(['lm', 'build', 'text.txt', '--size', 'large'], 2, /500KB or 3MB/);
  fails(['lm', 'build', 'text.txt', '--order', '9'], 1, /ERR_PARAKEET_INVALID_ARGUMENT/);
  fails(['lm', 'build', 'none.txt'], 1, /none\.txt/);
  fails(['lm', 'convert', 'text.txt', '-o', 'bad.lm'], 1, /ERR_PARAKEET_INVALID_LANGUAGE_MODEL/);
  fails(['transcribe', austen, '--lm-weight', '1'], 2, /--lm with --lm-weight/);
  fails(['transcribe', austen, '--lm', 'text.txt'], 1, /ERR_PARAKEET_INVALID_LANGUAGE_MODEL/);
  // A vocabulary of its own.
  fails(['transcribe', austen, '--lm', 'text.lm', '--model', goldenFolder('tdt')], 1, /another vocabulary/);
  expect(existsSync(folder.file('bad.lm'))).toBe(false);
});
