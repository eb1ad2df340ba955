/** `parakeet transcribe --decoding … --boost …`, as a user would. */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, expect, test } from 'vitest';

const root = path.join(import.meta.dirname, '..', '..');
const main = path.join(root, 'dist', 'cli', 'main.js');
const austen = 'sense_and_sensibility_01_austen_64kb-0870';
const folder = mkdtempSync(path.join(tmpdir(), 'parakeet-decoding-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));
const phrases = path.join(folder, 'phrases.txt');
writeFileSync(phrases, 'prudently\t2\n');

function transcribe(args: string[], env: Record<string, string> = {}) {
  const { status, stderr } = spawnSync(
    process.execPath,
    [
      main,
      'transcribe',
      '--output-dir',
      folder,
      '--output-format',
      'txt',
      ...args,
      path.join(root, 'test', 'audio', `${austen}.flac`),
    ],
    { encoding: 'utf8', env: { PATH: process.env.PATH, ...env } },
  );
  const text = status === 0 ? readFileSync(path.join(folder, `${austen}.txt`), 'utf8') : '';
  return { status, stderr, text };
}

test('a file of phrases is listened for, greedily and with a beam', () => {
  expect(transcribe(['--decoding', 'greedy']).text).not.toContain('prudently');
  // The bundled model's language model knows the word.
  expect(transcribe([]).text).toContain('prudently');
  expect(transcribe(['--lm', 'none']).text).not.toContain('prudently');
  expect(transcribe(['--boost', phrases]).text).toContain('prudently');
  expect(transcribe(['--decoding', 'beam', '--beam-size', '3', '--boost', phrases]).text).toContain(
    'prudently',
  );
  expect(transcribe([], { PARAKEET_DECODING: 'beam', PARAKEET_BOOST: phrases }).text).toContain('prudently');
});

test("another head, and the beam's options without a beam from the environment, as parakeet-mlx takes them", () => {
  const best = transcribe([], { PARAKEET_BEAM_SIZE: '3', PARAKEET_PATIENCE: '2' });
  expect(best.status).toBe(0);
  expect(transcribe(['--beam-size', '3'])).toMatchObject({
    status: 2,
    stderr: expect.stringContaining('--decoding beam'),
  });
  expect(transcribe(['--head', 'ctc']).text).not.toBe(best.text);
});

test('what makes no sense is said before anything is loaded, or by the model', () => {
  expect(transcribe(['--decoding', 'best'])).toMatchObject({
    status: 2,
    stderr: expect.stringContaining('greedy'),
  });
  expect(transcribe(['--boost', path.join(folder, 'none')])).toMatchObject({
    status: 1,
    stderr: expect.stringContaining('phrases'),
  });
  expect(transcribe(['--head', 'rnnt'])).toMatchObject({
    status: 1,
    stderr: expect.stringContaining('tdt, ctc'),
  });
  expect(transcribe(['--decoding', 'beam', '--duration-reward', '1.5'])).toMatchObject({
    status: 1,
    stderr: expect.stringContaining('durationReward'),
  });
});
