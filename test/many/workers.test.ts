/**
 * Workers as processes that are killed, stopped and cut off from Redis: every transcript is to the byte that of one machine.
 * PARAKEET_KILLS=20 kills more often, for minutes.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest';
import { jsonWriter, loadModel, type Model, srtWriter, teeWriter } from '../../src/index.js';
import { type RecordingResult, redisQueue, transcribeMany } from '../../src/many/index.js';
import { writeSpeech } from '../support/long-recording.js';
import { noRedis, RedisServer } from '../support/redis-server.js';
import { seed } from '../support/seed.js';

const KILLS = Number(process.env.PARAKEET_KILLS ?? 3);
const windows = { duration: 20, overlap: 3 };
const program = fileURLToPath(new URL('../support/queue-worker.mjs', import.meta.url));

/** The same moments in every run with the same seed, as far as processes allow. */
let state = seed >>> 0;
function random(): number {
  state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
  return state / 2 ** 32;
}

/** A worker's process, and what it has said. */
interface WorkerProcess {
  child: ChildProcess;
  lines: string[];
  exit: Promise<unknown>;
}

let redis: RedisServer;
let folder: string;
let recordings: string[];
const all: WorkerProcess[] = [];

if (!noRedis) {
  beforeAll(async () => {
    redis = await RedisServer.start();
    folder = mkdtempSync(path.join(tmpdir(), 'parakeet-workers-'));
    recordings = Array.from({ length: KILLS > 3 ? 10 : 3 }, (_, i) => path.join(folder, `talk${i}.wav`));
    for (const [i, file] of recordings.entries())
      await writeSpeech(file, { times: KILLS > 3 ? 12 : 3, from: i % 4, rate: i === 1 ? 22_050 : 16_000 });
    // The same process would share its threads with nobody else's: the reference is made before workers run.
    const model = await loadModel();
    for (const file of recordings) await reference(model, file);
    await model.close();
  }, 600_000);
  beforeEach(() => redis.empty());
  afterEach(async () => {
    for (const { child } of all) child.kill('SIGKILL');
    await Promise.all(all.splice(0).map(({ exit }) => exit));
  });
  afterAll(async () => {
    await redis.stop();
    rmSync(folder, { recursive: true, force: true });
  });
}

const withRedis = test.skipIf(noRedis);

/** What `transcribe` on one machine writes. */
async function reference(model: Model, file: string): Promise<void> {
  const name = path.join(folder, `one-${path.basename(file, '.wav')}`);
  const sink = teeWriter(srtWriter(`${name}.srt`), jsonWriter(`${name}.json`));
  await model.transcribe(file, { windows, sink });
}

async function startProcess(): Promise<WorkerProcess> {
  const child = spawn(process.execPath, [program, redis.url, KILLS > 3 ? '3' : '2'], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const lines: string[] = [];
  const worker = { child, lines, exit: once(child, 'exit') };
  all.push(worker);
  createInterface({ input: child.stdout as NodeJS.ReadableStream }).on('line', (line) => lines.push(line));
  while (!lines.includes('ready') && child.exitCode === null && child.signalCode === null) await delay(20);
  return worker;
}

/** Transcribes everything through the queue into a new folder. */
async function run(): Promise<{ results: RecordingResult[]; out: string }> {
  const out = mkdtempSync(path.join(folder, 'out-'));
  const queue = redisQueue({ url: redis.url });
  const results: RecordingResult[] = [];
  const outputs = { to: out, formats: ['srt', 'json'] as const };
  try {
    for await (const result of transcribeMany(recordings, { queue, windows, outputs })) results.push(result);
  } finally {
    await queue.close();
  }
  return { results, out };
}

function expectEqual({ results, out }: { results: RecordingResult[]; out: string }): void {
  // A worker that stops between a transcript and its report hands the recording back: the next one finds it done.
  const ends = results.map(({ status, error }) => error ?? status);
  expect(ends).toEqual(ends.map(() => expect.stringMatching(/^(?:done|found)$/)));
  expect(ends).toHaveLength(recordings.length);
  for (const file of recordings) {
    const name = path.basename(file, '.wav');
    for (const ending of ['srt', 'json']) {
      const written = readFileSync(path.join(out, `${name}.${ending}`), 'utf8');
      expect(written).toBe(readFileSync(path.join(folder, `one-${name}.${ending}`), 'utf8'));
    }
  }
}

withRedis(
  `three workers, one of them killed ${KILLS} times at random moments`,
  async () => {
    const alive = await Promise.all([startProcess(), startProcess(), startProcess()]);
    let over = false;
    const starting: Promise<unknown>[] = [];
    const killing = (async () => {
      let kills = 0;
      while (kills < KILLS && !over) {
        await delay(50 + 400 * random());
        const [victim] = alive.splice(Math.floor(alive.length * random()), 1);
        if (!victim) continue;
        kills++;
        victim.child.kill('SIGKILL');
        starting.push(startProcess().then((worker) => alive.push(worker)));
      }
      return kills;
    })();
    const done = await run();
    over = true;
    expectEqual(done);
    // Otherwise it proves nothing: give it more recordings.
    expect(await killing).toBe(KILLS);
    await Promise.all(starting);
  },
  900_000,
);

withRedis('Redis that is away for a while delays the work, and nothing is lost', async () => {
  await Promise.all([startProcess(), startProcess()]);
  const running = run();
  while (!all.some(({ lines }) => lines.includes('window done'))) await delay(20);
  await redis.kill();
  await delay(2500);
  await redis.start();
  expectEqual(await running);
});

withRedis('SIGTERM finishes the window and hands back the rest', async () => {
  const first = await startProcess();
  const running = run();
  while (!first.lines.includes('window done')) await delay(5);
  first.child.kill('SIGTERM');
  const [code] = (await first.exit) as [number];
  expect(code).toBe(0);
  await startProcess();
  const done = await running;
  expectEqual(done);
  const heard = all.flatMap(({ lines }) => lines).filter((line) => line === 'window done');
  const wanted = done.results.reduce((sum, { stats }) => sum + (stats?.windows ?? 0), 0);
  // None was repeated.
  expect(heard).toHaveLength(wanted);
});
