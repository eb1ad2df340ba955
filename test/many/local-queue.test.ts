/** Archives in this process: results, outputs that are whole or not there, work that is not done twice, and a process that is killed. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import {
  copyFileSync,
  existsSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, beforeEach, expect, test, vi } from 'vitest';
import { bundledModel } from '../../src/bundled-model.js';
import { loadModel, type Model } from '../../src/index.js';
import { localQueue, type RecordingResult, transcribeMany } from '../../src/many/index.js';
import { openJournal } from '../../src/many/local/journal.js';
import { settleMany, type TranscribeManyOptions } from '../../src/many/options.js';
import { jobId, keyOf } from '../../src/many/recording.js';
import { Work } from '../../src/many/work.js';
import { writeSpeech } from '../support/long-recording.js';

const audio = (name: string) => fileURLToPath(new URL(`../audio/${name}`, import.meta.url));
const windows = { duration: 4, overlap: 1 };

let model: Model;
let root: string;
let folder: string;
beforeAll(async () => {
  model = await loadModel();
  root = mkdtempSync(path.join(tmpdir(), 'parakeet-many-'));
});
beforeEach(() => {
  folder = mkdtempSync(path.join(root, 'out-'));
});
afterAll(async () => {
  await model.close();
  rmSync(root, { recursive: true, force: true });
});

/** Runs with a journal in the folder; the loaded model's transcriptions are counted. */
async function run(sources: string[], options: TranscribeManyOptions = {}, attempts = 1) {
  const transcribe = vi.spyOn(model.native, 'transcribe');
  transcribe.mockClear();
  const queue = localQueue({ model, journal: folder, attempts });
  const results: RecordingResult[] = [];
  try {
    const outputs = { to: folder };
    for await (const result of transcribeMany(sources, { queue, windows, outputs, ...options }))
      results.push(result);
    return { results, heard: transcribe.mock.calls.length };
  } finally {
    await queue.close();
    transcribe.mockRestore();
  }
}

/** Everything in the folder that is not the library's own. */
const files = () =>
  readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .filter((name) => !name.startsWith('.parakeet'))
    .sort();

test('without outputs each result has its transcript, in the order of the sources', async () => {
  const sources = [audio('jfk.flac'), audio('af_sky_10.flac'), audio('bf_emma_06.flac')];
  const results: RecordingResult[] = [];
  const queue = localQueue({ model });
  for await (const result of transcribeMany(sources, { queue })) results.push(result);
  await queue.close();
  expect(results.map(({ source }) => source)).toEqual(sources);
  for (const { source, index, status, result } of results) {
    expect(status).toBe('done');
    expect(source).toBe(sources[index]);
    expect(result).toEqual(await model.transcribe(source));
  }
});

test('outputs are those of one machine, and the same recording is found, under another name too', async () => {
  const copy = path.join(folder, 'copy.flac');
  copyFileSync(audio('jfk.flac'), copy);
  const outputs = { to: folder, formats: ['txt', 'json'] as const };
  const first = await run([audio('jfk.flac'), copy], { outputs });
  expect(first.results.map(({ status }) => status).sort()).toEqual(['done', 'found']);
  expect(files()).toEqual(['copy.flac', 'copy.json', 'copy.txt', 'jfk.json', 'jfk.txt']);
  const one = await model.transcribe(audio('jfk.flac'), { windows });
  expect(JSON.parse(readFileSync(path.join(folder, 'jfk.json'), 'utf8')).text).toBe(one.text);
  expect(readFileSync(path.join(folder, 'copy.txt'))).toEqual(readFileSync(path.join(folder, 'jfk.txt')));

  // Another format, other sentences: what was heard is the same.
  rmSync(path.join(folder, 'jfk.txt'));
  const again = await run([audio('jfk.flac')], {
    outputs: { to: folder, formats: ['srt'] },
    sentences: { maxWords: 3 },
  });
  expect(again.results[0]?.status).toBe('found');
  expect(again.heard).toBe(0);
  expect(files()).toContain('jfk.srt');

  const forced = await run([audio('jfk.flac')], { outputs, force: true });
  expect(forced.results[0]?.status).toBe('done');
  expect(forced.heard).toBeGreaterThan(0);
  const other = await run([audio('jfk.flac')], { outputs, windows: { duration: 5 } });
  expect(other.results[0]?.status).toBe('done');
});

test('a recording that cannot be read fails alone, with its own error', async () => {
  const poison = path.join(folder, 'poison.wav');
  writeFileSync(poison, readFileSync(audio('jfk.flac')).subarray(0, 9000));
  const progress: number[] = [];
  const { results } = await run([poison, path.join(folder, 'missing.wav'), audio('af_sky_10.flac')], {
    onProgress: ({ failed }) => progress.push(failed),
  });
  expect(results.map(({ status }) => status)).toEqual(['failed', 'failed', 'done']);
  expect(results[0]?.error).toMatchObject({ code: 'ERR_PARAKEET_INVALID_AUDIO' });
  expect(results[1]?.error).toMatchObject({ code: 'ENOENT' });
  expect(progress.at(-1)).toBe(2);
  expect(files()).toEqual(['af_sky_10.json', 'poison.wav']);
});

test('the first window that fails is the last one that is begun', async () => {
  const file = path.join(root, 'failing.wav');
  await writeSpeech(file, { times: 2 });
  const transcribe = vi.spyOn(model.native, 'transcribe');
  // Several windows in hand, as on a GPU.
  const atOnce = vi.spyOn(Work.prototype, 'atOnce').mockReturnValue(4);
  const hear = vi.spyOn(Work.prototype, 'hear');
  transcribe.mockRejectedValueOnce(Object.assign(new Error('no'), { code: 'ERR_PARAKEET_ENGINE' }));
  const queue = localQueue({ model, attempts: 1 });
  try {
    const { value } = await transcribeMany([file], { queue, windows }).next();
    expect(value).toMatchObject({ status: 'failed' });
    expect(hear).toHaveBeenCalledTimes(4);
  } finally {
    await queue.close();
    for (const spy of [transcribe, atOnce, hear]) spy.mockRestore();
  }
});

test('a model that could not be loaded is loaded again', async () => {
  const name = path.join(folder, 'model');
  const queue = localQueue({ model: name, attempts: 1 });
  const { value } = await transcribeMany([audio('af_sky_10.flac')], { queue }).next();
  expect(value).toMatchObject({ status: 'failed', error: { code: 'ERR_PARAKEET_MODEL_NOT_FOUND' } });
  symlinkSync(bundledModel(), name);
  const again = await transcribeMany([audio('af_sky_10.flac')], { queue }).next();
  expect(again.value).toMatchObject({ status: 'done' });
  await queue.close();
});

test('a journal that could not be written is written again', async () => {
  const blocked = path.join(folder, 'windows');
  writeFileSync(blocked, '');
  const journal = await openJournal(folder);
  const window = { ids: '', starts: '', durations: '', confidences: '', computeSeconds: 0 };
  await expect(journal.heard('k', 0, window)).rejects.toMatchObject({ code: 'ERR_PARAKEET_WRITE' });
  rmSync(blocked);
  await journal.heard('k', 0, window);
  await journal.close();
  expect([...(await journal.windowsOf('k')).keys()]).toEqual([0]);
});

test('a recording has one name and one key, before it went through a queue and after', () => {
  const job = settleMany({ windows: { duration: Number.POSITIVE_INFINITY } }).job('talk.wav', 0);
  const after = JSON.parse(JSON.stringify(job)) as typeof job;
  expect(jobId(after)).toBe(jobId(job));
  expect(keyOf('c', after.hearing, {} as never)).toBe(keyOf('c', job.hearing, {} as never));
});

test('names of addresses are readable, and what is none is refused', () => {
  const { job } = settleMany({ outputs: { to: folder } });
  const nameOf = (source: string) => job(source, 0).delivery?.files[0]?.name;
  expect(nameOf('https://host/my%20talk.wav?x=1')).toBe('my talk.json');
  expect(nameOf('https://host/100%.wav')).toBe('100%.json');
  expect(() => nameOf('https://')).toThrow(
    expect.objectContaining({ code: 'ERR_PARAKEET_INVALID_ARGUMENT' }),
  );
});

test('two recordings do not write to one name', async () => {
  const outputs = { to: folder, name: () => 'same' };
  const { results } = await run([audio('jfk.flac'), audio('af_sky_10.flac')], { outputs });
  expect(results[1]?.error).toMatchObject({ code: 'ERR_PARAKEET_INVALID_ARGUMENT' });
  expect(files()).toEqual(['same.json']);
});

test('a transcript that cannot be written is not half there', async () => {
  const blocked = path.join(folder, 'blocked');
  writeFileSync(blocked, '');
  const { results } = await run([audio('jfk.flac')], { outputs: { to: folder, name: () => 'blocked/jfk' } });
  expect(results[0]?.error).toMatchObject({ code: 'ERR_PARAKEET_WRITE' });
  expect(files()).toEqual(['blocked']);
});

test('an abort ends the loop, and the next run goes on', async () => {
  const file = path.join(root, 'abort.wav');
  await writeSpeech(file, { times: 2 });
  const aborter = new AbortController();
  const all = run([file], { signal: aborter.signal });
  await vi.waitUntil(() => journalled() >= 2, { timeout: 60_000, interval: 5 });
  aborter.abort();
  await expect(all).rejects.toMatchObject({ code: 'ERR_PARAKEET_ABORTED' });
  const kept = journalled();
  expect(kept).toBeGreaterThanOrEqual(2);
  const { results, heard } = await run([file], { collect: true });
  expect(results[0]?.result).toEqual(await model.transcribe(file, { windows }));
  expect(heard).toBe((results[0]?.stats?.windows as number) - kept);
});

/** Windows in the journal of the recording in hand. */
function journalled(): number {
  const journal = path.join(folder, '.parakeet', 'windows');
  const names = existsSync(journal) ? readdirSync(journal) : [];
  return names
    .flatMap((name) => readFileSync(path.join(journal, name), 'utf8').split('\n'))
    .filter((line) => line.endsWith('}')).length;
}

test('a process that is killed loses no window that it has heard', async () => {
  const file = path.join(root, 'killed.wav');
  await writeSpeech(file, { times: 3, from: 1 });
  const program = fileURLToPath(new URL('../support/transcribe-many.mjs', import.meta.url));
  const child = spawn(process.execPath, [program, folder, file], { stdio: 'ignore' });
  const exit = once(child, 'exit');
  while (journalled() < 3) await delay(5);
  child.kill('SIGKILL');
  await exit;
  const kept = journalled();
  expect(files()).toEqual([]);
  const { results, heard } = await run([file], { collect: true });
  expect(results[0]?.result).toEqual(await model.transcribe(file, { windows }));
  // Torn by the kill, the last line is not believed.
  expect(heard).toBe((results[0]?.stats?.windows as number) - kept);
  expect(files()).toEqual(['killed.json']);
  expect(readdirSync(path.join(folder, '.parakeet', 'windows'))).toEqual([]);
});

test('a file that changes between two runs is transcribed again', async () => {
  const file = path.join(folder, 'talk.flac');
  copyFileSync(audio('jfk.flac'), file);
  await run([file]);
  await delay(10);
  copyFileSync(audio('af_sky_10.flac'), file);
  const { results } = await run([file], { collect: true });
  expect(results[0]?.status).toBe('done');
  expect(results[0]?.result?.text).toBe((await model.transcribe(audio('af_sky_10.flac'), { windows })).text);
});

test.each([
  [{ order: 'random' }, /order/],
  [{ outputs: { to: '' } }, /outputs.to/],
  [{ outputs: { to: 'out', formats: ['pdf'] } }, /outputs.formats/],
  [{ outputs: { to: 's3://' } }, /s3:/],
  [{ outputs: { to: 'https://' } }, /outputs.to/],
  [{ windows: { duration: -1 } }, /windows.duration/],
  [{ latency: 'low' }, /only input/],
  [{ queue: {} }, /queue/],
])('%j is refused at once', (options, message) => {
  expect(() => transcribeMany([], options as never)).toThrow(message);
});
