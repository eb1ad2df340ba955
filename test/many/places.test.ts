/** Sources and targets that are not local files: HTTP with and without ranges, storage that speaks S3, webhooks. */
import { createHmac } from 'node:crypto';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createServer, type IncomingHttpHeaders, type RequestListener, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { loadModel, type Model } from '../../src/index.js';
import {
  localQueue,
  type RecordingResult,
  type TranscribeManyOptions,
  transcribeMany,
} from '../../src/many/index.js';
import { signatureOf, webhookTarget } from '../../src/many/target/webhook.js';
import { writeSpeech } from '../support/long-recording.js';
import { breakOff, S3Server } from '../support/s3-server.js';

const windows = { duration: 8, overlap: 2 };
const flac = readFileSync(fileURLToPath(new URL('../audio/jfk.flac', import.meta.url)));

let model: Model;
let folder: string;
let wav: Buffer;
let s3: S3Server;
const servers: Server[] = [];
const before = { ...process.env };
beforeAll(async () => {
  model = await loadModel();
  folder = mkdtempSync(path.join(tmpdir(), 'parakeet-places-'));
  const file = path.join(folder, 'long.wav');
  await writeSpeech(file);
  wav = readFileSync(file);
  s3 = await S3Server.start();
  Object.assign(process.env, {
    AWS_ENDPOINT_URL_S3: s3.url,
    AWS_REGION: 'nowhere-1',
    AWS_ACCESS_KEY_ID: 'test',
    AWS_SECRET_ACCESS_KEY: 'test',
  });
});
afterEach(async () => {
  for (const server of servers.splice(0)) {
    server.close();
    server.closeAllConnections();
    await once(server, 'close');
  }
});
afterAll(async () => {
  process.env = before;
  await s3.stop();
  await model.close();
  rmSync(folder, { recursive: true, force: true });
});

async function serve(answer: RequestListener): Promise<string> {
  const server = createServer(answer).listen(0, '127.0.0.1');
  servers.push(server);
  await once(server, 'listening');
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

async function run(sources: string[], options: TranscribeManyOptions = {}) {
  const queue = localQueue({ model, attempts: 1 });
  const results: RecordingResult[] = [];
  for await (const result of transcribeMany(sources, { queue, windows, ...options })) results.push(result);
  await queue.close();
  return results;
}

test('a WAV file behind HTTP is read by ranges', async () => {
  const ranges: string[] = [];
  const url = await serve(({ headers }, response) => {
    const [, from, to] = /^bytes=(\d+)-(\d+)$/.exec(headers.range ?? '') ?? [];
    if (from === undefined || to === undefined) return void response.end(wav);
    ranges.push(headers.range as string);
    response.writeHead(206, { 'content-range': `bytes ${from}-${to}/${wav.length}`, etag: '"1"' });
    response.end(wav.subarray(Number(from), Number(to) + 1));
  });
  // The hash is of the whole, which has no tag here: a range of another answer's tag would be refused.
  const [result] = await run([`${url}/long.wav?secret=1`]);
  expect(result?.error?.message).toContain('has changed');
  expect(result?.error?.message).not.toContain('secret');

  const tagged = await serve(({ headers }, response) => {
    const [, from, to] = /^bytes=(\d+)-(\d+)$/.exec(headers.range ?? '') ?? [];
    const head = { etag: '"1"', 'content-range': `bytes ${from}-${to}/${wav.length}` };
    if (from === undefined || to === undefined) return void response.writeHead(200, { etag: '"1"' }).end(wav);
    ranges.push(headers.range as string);
    response.writeHead(206, head).end(wav.subarray(Number(from), Number(to) + 1));
  });
  ranges.length = 0;
  const [whole] = await run([`${tagged}/long.wav`]);
  expect(whole?.result).toEqual(await model.transcribe(path.join(folder, 'long.wav'), { windows }));
  // To open it, its head, whether it has changed since: after its hash and for each window, and the windows.
  expect(ranges.length).toBe(2 + 1 + 2 * (whole?.stats?.windows as number));
});

test('anything else behind HTTP is fetched once', async () => {
  let whole = 0;
  const url = await serve(({ headers }, response) => {
    if (headers.range === undefined) whole++;
    response.end(flac);
  });
  const [result] = await run([`${url}/jfk.flac`]);
  expect(result?.result).toEqual(await model.transcribe(flac, { windows }));
  expect(whole).toBe(1);
});

test.each([404, 500])('an answer of %i is the error of that recording', async (status) => {
  const url = await serve((_, response) => void response.writeHead(status).end());
  const [result] = await run([`${url}/talk.wav`]);
  expect(result?.error).toMatchObject({ code: 'ERR_PARAKEET_JOB_SOURCE' });
  expect(result?.error?.message).toContain(String(status));
});

test.each([
  ['behind HTTP', async () => `${await serve((_, response) => breakOff(response, flac))}/jfk.flac`],
  [
    'in storage',
    async () => {
      s3.objects.set('sound/broken.flac', flac);
      s3.broken.add('sound/broken.flac');
      return 's3://sound/broken.flac';
    },
  ],
])('a recording %s that breaks off is the error of that recording', async (_, source) => {
  const [result] = await run([await source()]);
  expect(result?.error).toMatchObject({ code: 'ERR_PARAKEET_JOB_SOURCE' });
  expect(result?.error?.message).toContain('breaks off');
});

test('sound and transcripts in storage; what was heard is found there', async () => {
  s3.objects.set('sound/talks/long.wav', wav);
  s3.objects.set('sound/jfk.flac', flac);
  s3.ranges.length = 0;
  const sources = ['s3://sound/talks/long.wav', 's3://sound/jfk.flac', 's3://sound/missing.wav'];
  const outputs = { to: 's3://texts/2026', formats: ['txt', 'json'] as const };
  const results = await run(sources, { outputs });
  expect(results.map(({ status }) => status)).toEqual(['done', 'done', 'failed']);
  expect(results[2]?.error).toMatchObject({ code: 'ERR_PARAKEET_JOB_SOURCE' });
  expect(results[0]?.outputs).toEqual(['s3://texts/2026/long.txt', 's3://texts/2026/long.json']);
  const one = await model.transcribe(path.join(folder, 'long.wav'), { windows });
  const stored = s3.objects.get('texts/2026/long.json')?.toString() ?? '';
  expect(JSON.parse(stored).text).toBe(one.text);
  expect(s3.ranges.length).toBeGreaterThanOrEqual(results[0]?.stats?.windows as number);
  const again = await run(sources.slice(0, 2), { outputs });
  expect(again.map(({ status }) => status)).toEqual(['found', 'found']);
});

test('storage that refuses a transcript fails the recording', async () => {
  s3.objects.set('sound/jfk.flac', flac);
  s3.refusals.push(403);
  const [result] = await run(['s3://sound/jfk.flac'], { outputs: { to: 's3://closed' } });
  expect(result?.error).toMatchObject({ code: 'ERR_PARAKEET_JOB_DELIVERY' });
  expect([...s3.objects.keys()].filter((name) => name.startsWith('closed/'))).toEqual([]);
});

interface Received {
  headers: IncomingHttpHeaders;
  body: string;
}

/** A receiver that answers with these statuses, one after the other, the last for ever. */
async function receiver(...statuses: number[]): Promise<{ url: string; received: Received[] }> {
  const received: Received[] = [];
  const url = await serve(async (request, response) => {
    let body = '';
    for await (const piece of request) body += String(piece);
    received.push({ headers: request.headers, body });
    response.writeHead(statuses[Math.min(received.length, statuses.length) - 1] as number).end();
  });
  return { url: `${url}/hook?token=1`, received };
}

const parcel = {
  key: 'k1',
  source: '/archive/talk.wav',
  files: [{ name: 'talk.txt', format: 'txt' as const, bytes: Buffer.from('Hello.\n') }],
  heard: { samples: 16_000, windows: [] },
  result: { text: 'Hello.', sentences: [], tokens: [] },
  audioSeconds: 1,
};

test('a webhook gets the transcript signed, again until it takes it, with the same key', async () => {
  const { url, received } = await receiver(503, 429, 204);
  const target = webhookTarget(url, { firstPause: 0.01, secret: 'secret' });
  expect(await target.deliver(parcel, undefined)).toEqual([url.replace('?token=1', '')]);
  expect(received).toHaveLength(3);
  for (const { headers, body } of received) {
    expect(headers['idempotency-key']).toBe('k1');
    const [, time = '', mac] =
      /^t=(\d+),v1=([0-9a-f]{64})$/.exec(String(headers['x-parakeet-signature'])) ?? [];
    expect(mac).toBe(createHmac('sha256', 'secret').update(`${time}.${body}`).digest('hex'));
    expect(signatureOf('other', Number(time), body)).not.toContain(mac);
    expect(JSON.parse(body)).toMatchObject({ key: 'k1', text: 'Hello.', files: { 'talk.txt': 'Hello.\n' } });
  }
});

test.each([
  [400, 1],
  [503, 6],
])('a webhook that answers %i is asked %i times, and the recording fails', async (status, times) => {
  const { url, received } = await receiver(status);
  const target = webhookTarget(url, { firstPause: 0.001 });
  const error = await target.deliver(parcel, undefined).catch((error: Error) => error);
  expect(error).toMatchObject({ code: 'ERR_PARAKEET_JOB_DELIVERY' });
  expect((error as Error).message).not.toContain('token');
  expect(received).toHaveLength(times);
  expect(received[0]?.headers['x-parakeet-signature']).toBeUndefined();
});

test('a webhook is a place for the transcripts of many', async () => {
  const { url, received } = await receiver(200);
  s3.objects.set('sound/jfk.flac', flac);
  const [result] = await run(['s3://sound/jfk.flac'], { outputs: { to: url, formats: ['srt'] } });
  expect(result?.status).toBe('done');
  const { text, files } = JSON.parse(received[0]?.body ?? '');
  expect(text).toBe((await model.transcribe(flac, { windows })).text);
  expect(files['jfk.srt']).toContain('-->');
});
