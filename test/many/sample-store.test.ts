/** Recordings that a worker has open: shared while they are the same, opened anew when they are not, closed when nobody needs them. */
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type RequestListener, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { type OpenRecording, SampleStore } from '../../src/many/samples/sample-store.js';
import { wavFile } from '../support/wav-file.js';

const RATE = 16_000;
/** A second of one value: mono, whose samples are read where they lie, or stereo, which is decoded. */
const sound = (value: number, channels = 1) =>
  wavFile(
    Array.from({ length: channels }, () => new Float32Array(RATE).fill(value)),
    { sampleRate: RATE },
  );
const hashOf = (bytes: Uint8Array) => createHash('sha256').update(bytes).digest('hex');

let folder: string;
let scratch: string;
let store: SampleStore;
const servers: Server[] = [];
beforeEach(() => {
  folder = mkdtempSync(path.join(tmpdir(), 'parakeet-store-'));
  scratch = path.join(folder, 'scratch');
  mkdirSync(scratch);
  store = new SampleStore(RATE, scratch);
});
afterEach(async () => {
  await store.close();
  for (const server of servers.splice(0)) {
    server.close();
    server.closeAllConnections();
    await once(server, 'close');
  }
  rmSync(folder, { recursive: true, force: true });
});

async function serve(answer: RequestListener): Promise<string> {
  const server = createServer(answer).listen(0, '127.0.0.1');
  servers.push(server);
  await once(server, 'listening');
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}/talk.wav?secret=1`;
}

/** The first sample and the hash. */
const look = async ({ samples, hash }: OpenRecording) => [(await samples.read(0, 1))[0], await hash()];
const use = (source: string) => store.use(source, {}, undefined, look);
/** Recordings that are stored. */
const stored = () =>
  readdirSync(scratch, { recursive: true, encoding: 'utf8' }).filter((name) => path.extname(name) !== '');

test.each([
  ['read by ranges', 1],
  ['decoded', 2],
])('a file that is replaced is opened anew, if it is %s', async (_, channels) => {
  const file = path.join(folder, 'talk.wav');
  for (const value of [0.25, 0.5]) {
    writeFileSync(file, sound(value, channels));
    expect(await use(file)).toEqual([value, hashOf(sound(value, channels))]);
    await delay(10);
  }
  expect(stored()).toHaveLength(channels - 1);
});

test.each([
  ['with a tag', (value: number) => ({ etag: `"${value}"` })],
  ['with a date', (value: number) => ({ 'last-modified': new Date(1e12 * value).toUTCString() })],
])('so is one from afar, %s', async (_, headers) => {
  let value = 0.25;
  let fetched = 0;
  const url = await serve((request, response) => {
    if (request.headers.range === undefined) fetched++;
    response.writeHead(200, headers(value)).end(sound(value));
  });
  expect(await use(url)).toEqual([0.25, hashOf(sound(0.25))]);
  expect(await use(url)).toEqual([0.25, hashOf(sound(0.25))]);
  expect(fetched).toBe(1);
  value = 0.5;
  expect(await use(url)).toEqual([0.5, hashOf(sound(0.5))]);
  expect(fetched).toBe(2);
});

test('whoever reads a file that is replaced finishes, and what was stored of it goes', async () => {
  const file = path.join(folder, 'talk.wav');
  writeFileSync(file, sound(0.25, 2));
  await store.use(file, {}, undefined, async ({ samples }) => {
    await delay(10);
    writeFileSync(file, sound(0.5, 2));
    expect(await use(file)).toEqual([0.5, hashOf(sound(0.5, 2))]);
    expect(stored()).toHaveLength(2);
    expect(await samples.read(0, 1)).toEqual(Float32Array.of(0.25));
  });
  expect(stored()).toHaveLength(1);
});

test('all who come at the same time share one', async () => {
  const file = path.join(folder, 'talk.wav');
  writeFileSync(file, sound(0.25, 2));
  const all = await Promise.all(Array.from({ length: 5 }, () => use(file)));
  expect(new Set(all.map(String)).size).toBe(1);
  expect(stored()).toHaveLength(1);
});

test('one that nobody waits for any more is closed, though somebody comes for it at that moment', async () => {
  const file = path.join(folder, 'talk.wav');
  writeFileSync(file, sound(0.25, 2));
  const stop = new AbortController();
  const first = store.use(file, {}, stop.signal, look);
  stop.abort();
  await expect(first).rejects.toMatchObject({ code: 'ERR_PARAKEET_ABORTED' });
  for (let i = 0; i < 10; i++) {
    const leaving = new AbortController();
    const left = store.use(file, {}, leaving.signal, look).catch(() => {});
    queueMicrotask(() => leaving.abort());
    await Promise.all([left, delay(0).then(() => use(file))]);
  }
  expect(stored()).toHaveLength(1);
});

test('a hash that could not be read is read again', async () => {
  let broken = true;
  const wav = sound(0.25);
  const url = await serve(({ headers }, response) => {
    const [, from, to] = /^bytes=(\d+)-(\d+)$/.exec(headers.range ?? '') ?? [];
    if (from !== undefined && to !== undefined) {
      response.writeHead(206, { etag: '"1"', 'content-range': `bytes ${from}-${to}/${wav.length}` });
      return void response.end(wav.subarray(Number(from), Number(to) + 1));
    }
    response.writeHead(200, { etag: '"1"', 'content-length': wav.length });
    if (broken) response.write(wav.subarray(0, 1000), () => setTimeout(() => response.destroy(), 20));
    else response.end(wav);
  });
  const failure = await use(url).catch((error: Error) => error);
  expect(failure).toMatchObject({ code: 'ERR_PARAKEET_JOB_SOURCE' });
  expect((failure as Error).message).toContain('breaks off');
  expect((failure as Error).message).not.toContain('secret');
  broken = false;
  expect(await use(url)).toEqual([0.25, hashOf(wav)]);
});

test('a folder that could not be made is made again', async () => {
  const file = path.join(folder, 'talk.wav');
  writeFileSync(file, sound(0.25, 2));
  rmSync(scratch, { recursive: true });
  await expect(use(file)).rejects.toMatchObject({ code: 'ENOENT' });
  mkdirSync(scratch);
  expect(await use(file)).toEqual([0.25, hashOf(sound(0.25, 2))]);
});

test('what nobody uses is closed beyond four', async () => {
  const files = Array.from({ length: 6 }, (_, i) => path.join(folder, `${i}.wav`));
  for (const file of files) {
    writeFileSync(file, sound(0.25, 2));
    await use(file);
  }
  await vi.waitFor(() => expect(stored()).toHaveLength(4));
});
