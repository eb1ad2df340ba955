/**
 * Every program in examples/ runs as its head says and prints a true transcript.
 */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, expect, test } from 'vitest';

const examples = fileURLToPath(new URL('../examples/', import.meta.url));
const sound = fileURLToPath(new URL('./audio/af_sky_10.flac', import.meta.url));
const folder = mkdtempSync(path.join(tmpdir(), 'parakeet-examples-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** What each example is called with, and where its words are then. */
const runs: Record<string, { args: string[]; words: (stdout: string) => string }> = {
  'add-audio.mjs': { args: [sound], words: (stdout) => stdout },
  'demo.mjs': { args: [sound], words: () => readFileSync(path.join(folder, 'af_sky_10.srt'), 'utf8') },
  'own-stage.mjs': { args: [sound], words: (stdout) => stdout.replace(/[[\]]/g, '') },
  'subtitles.mjs': {
    args: [sound, 'talk.srt'],
    words: () => readFileSync(path.join(folder, 'talk.srt'), 'utf8'),
  },
  'transcribe.mjs': { args: [sound], words: (stdout) => stdout },
};

test('every example is run here', () => {
  expect(readdirSync(examples).sort()).toEqual(Object.keys(runs).sort());
});

test.each(Object.keys(runs))('%s', (name) => {
  const run = runs[name];
  const { status, stderr, stdout } = spawnSync(
    process.execPath,
    [path.join(examples, name), ...(run?.args ?? [])],
    {
      cwd: folder,
      encoding: 'utf8',
    },
  );
  expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
  expect(run?.words(stdout).toLowerCase()).toContain('gave the sign');
  if (name === 'demo.mjs') expect(stdout).toMatch(/draft.*final.*real-time factor \d/s);
});

test('an example called wrongly says how it is called', () => {
  for (const name of readdirSync(examples).filter((name) => name !== 'demo.mjs')) {
    const { status, stderr } = spawnSync(process.execPath, [path.join(examples, name)], { encoding: 'utf8' });
    expect(status, name).toBe(1);
    expect(stderr, name).toContain(`Usage: node examples/${name}`);
  }
});
