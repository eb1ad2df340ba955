/**
 * Recorded sessions, through the real command and the real engine: run again they are the same, and where they are not, it is said.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readFile, rm, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { text as readAll } from 'node:stream/consumers';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { bundledModel } from '../../src/bundled-model.js';
import { loadModel } from '../../src/load-model.js';
import { readSamples } from '../../src/recordings/read-samples.js';
import { recordSession } from '../../src/session/recorder.js';
import { readSession, replaySession } from '../../src/session/replay.js';

const main = fileURLToPath(new URL('../../dist/cli/main.js', import.meta.url));
let folder: string;
let file: string;
let recorded: string;

async function cli(args: string[], input: Buffer[] = []) {
  const child = spawn(process.execPath, [main, ...args], { cwd: folder });
  child.stdin.on('error', () => {});
  const outcome = Promise.all([readAll(child.stdout), readAll(child.stderr), once(child, 'close')]);
  for (const bytes of input) {
    child.stdin.write(bytes);
    await sleep(3);
  }
  child.stdin.end();
  const [stdout, stderr, [code]] = await outcome;
  return { code: code as number, stdout, stderr };
}

beforeAll(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'parakeet-session-'));
  file = path.join(folder, 'session.jsonl');
  const pieces: Buffer[] = [];
  const recording = new URL('../audio/am_michael_05.flac', import.meta.url);
  const samples = await readSamples(recording, 16_000);
  const bytes = Buffer.from(Int16Array.from(samples, (x) => Math.round(x * 32_767)).buffer);
  for (let at = 0; at < bytes.length; at += 3200)
    pieces.push(bytes.subarray(at, at + 1001), bytes.subarray(at + 1001, at + 3200));
  const { code } = await cli(['live', '--latency', 'low', '--refine', '--record', 'session.jsonl'], pieces);
  expect(code).toBe(0);
  recorded = await readFile(file, 'utf8');
});
afterAll(() => rm(folder, { recursive: true }));

/** The session with its lines changed. */
async function changed(change: (lines: string[]) => string[]): Promise<string> {
  const copy = path.join(folder, 'copy.jsonl');
  const lines = change(recorded.trimEnd().split('\n'));
  await writeFile(copy, `${lines.join('\n')}\n`);
  await writeFile(path.join(folder, 'copy.audio'), await readFile(path.join(folder, 'session.audio')));
  return copy;
}

describe('a recorded session', () => {
  test('keeps the options, each push with its time, and the events; run again it is the same', async () => {
    const session = await readSession(file);
    expect(session.head.options).toMatchObject({
      latency: 'low',
      refine: true,
      input: { unmarked: 's16le' },
    });
    expect(session.pushes.length).toBeGreaterThan(1);
    expect(session.ended).toBe(true);
    expect(session.events.filter((event) => event.type === 'token').length).toBeGreaterThan(5);
    const bytes = session.pushes.reduce((sum, count) => sum + count, 0);
    expect((await readFile(path.join(folder, 'session.audio'))).length).toBe(bytes);
    const { code, stdout } = await cli(['replay', 'session.jsonl']);
    expect(stdout).toMatch(/events compared: the same\n$/);
    expect(code).toBe(0);
  });

  test('is the same when its speech was noticed earlier or later among the words, and differs when it was not', async () => {
    const speech = recorded.split('\n').filter((line) => line.includes('"type":"speech'));
    expect(speech.length).toBeGreaterThan(0);
    const others = (lines: string[]) => lines.filter((line) => !speech.includes(line));
    await changed((lines) => [...others(lines).slice(0, -1), ...speech, ...others(lines).slice(-1)]);
    expect((await cli(['replay', 'copy.jsonl'])).code).toBe(0);
    await changed(others);
    expect((await cli(['replay', 'copy.jsonl'])).code).toBe(1);
  });

  test('that differs is shown where, and fails', async () => {
    await changed((lines) =>
      lines.map((line) => line.replace(/("type":"token","token":\{"id":\d+,"text":")/, '$1X')),
    );
    const { code, stdout } = await cli(['replay', '--json', 'copy.jsonl']);
    expect(code).toBe(1);
    const { differences } = JSON.parse(stdout) as { differences: { recorded: { token: string } }[] };
    expect(differences.length).toBeGreaterThan(3);
    expect(differences[0]?.recorded.token).toMatch(/^X/);
  });

  test('of a process that died in the middle is compared as far as it goes', async () => {
    const copy = await changed((lines) => [...lines.slice(0, -8), '{"type":"eve']);
    const model = await loadModel(bundledModel(), { dtype: 'float32' });
    try {
      const session = await readSession(copy);
      const result = await replaySession(copy, session, model);
      expect(result.differences).toEqual([]);
      expect(result.events).toBeGreaterThan(5);
    } finally {
      await model.close();
    }
  });

  test('that is none, or whose sound is missing, is refused', async () => {
    const invalid = { code: 'ERR_PARAKEET_INVALID_SESSION' };
    const no = path.join(folder, 'no.jsonl');
    await writeFile(no, 'RIFF');
    await expect(readSession(no)).rejects.toMatchObject(invalid);
    await writeFile(no, '{"type":"push","at":0,"bytes":1}\n');
    await expect(readSession(no)).rejects.toMatchObject(invalid);
    await expect(readSession(await changed((lines) => lines.toSpliced(3, 1, '{')))).rejects.toMatchObject(
      invalid,
    );
    await changed((lines) => lines);
    await truncate(path.join(folder, 'copy.audio'), 1000);
    const { code, stderr } = await cli(['replay', 'copy.jsonl']);
    expect(code).toBe(1);
    expect(stderr).toMatch(/shorter than the recorded pushes/);
  });
});

test('a session that cannot be written fails with a typed error', async () => {
  const nowhere = path.join(folder, 'nowhere', 'session.jsonl');
  const model = { name: null, dtype: 'float32', identity: '' };
  await expect(recordSession(nowhere, model, {})).rejects.toMatchObject({ code: 'ERR_PARAKEET_WRITE' });
});
