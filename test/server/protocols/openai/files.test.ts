/** OpenAI's API for files: forms in every order, every form of the answer, streamed answers. With the package itself: clients.test.ts. */
import { readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { request } from 'node:http';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import {
  expectIdle,
  pcmOf,
  startServer,
  stateOf,
  stopServers,
  type TestServer,
  wavOf,
} from '../../../support/caption-server.js';
import { root } from '../../../support/documents.js';

let server: TestServer;
beforeAll(async () => {
  server = await startServer({ maxBody: 4_000_000, maxSpool: 1_000_000, modelName: 'tiny' });
});
afterAll(stopServers);

const jfk = readFileSync(path.join(root, 'test/audio/jfk.flac'));
const FILE = Symbol('the file');

/** A form with its fields in this order. */
function form(fields: [string, string | typeof FILE][], file: Uint8Array<ArrayBuffer> = jfk): FormData {
  const data = new FormData();
  for (const [name, value] of fields) {
    if (value === FILE) data.append(name, new Blob([file]), 'speech.flac');
    else data.append(name, value);
  }
  return data;
}

const post = (fields: [string, string | typeof FILE][], file: Uint8Array<ArrayBuffer> = jfk) =>
  fetch(`${server.http}/v1/audio/transcriptions`, { method: 'POST', body: form(fields, file) });

describe('forms of the answer', () => {
  test.each([
    ['json', /^\{"text":"And so.*your country\.","usage":\{"type":"duration","seconds":11\}\}$/],
    ['text', /^And so.*your country\.\n$/],
    ['srt', /^1\n00:00:00,000 --> 00:00:.*\n\n2\n.*your country\.\n/s],
    ['vtt', /^WEBVTT\n\n.* --> .*your country\.\n/s],
  ])('%s', async (format, expected) => {
    const answer = await post([
      ['model', 'whisper-1'],
      ['response_format', format],
      ['file', FILE],
    ]);
    expect(answer.status).toBe(200);
    expect(await answer.text()).toMatch(expected);
  });

  test.each([
    ['neither named: segments', [], ['segments']],
    ['word', ['word'], ['words']],
    ['both', ['word', 'segment'], ['segments', 'words']],
  ])('verbose_json with %s', async (_, granularities, parts) => {
    const fields = granularities.map((one): [string, string] => ['timestamp_granularities[]', one]);
    const answer = await post([
      ['file', FILE],
      ['model', 'x'],
      ['response_format', 'verbose_json'],
      ...fields,
    ]);
    const body = (await answer.json()) as Record<string, Record<string, unknown>[]>;
    expect(Object.keys(body).filter((name) => ['segments', 'words'].includes(name))).toEqual(parts);
    expect(body).toMatchObject({ task: 'transcribe', duration: 11, language: 'unknown' });
    for (const { start, end } of [...(body.segments ?? []), ...(body.words ?? [])])
      expect(Number(end)).toBeGreaterThanOrEqual(Number(start));
    if (body.segments)
      expect(body.segments[0]).toMatchObject({
        id: 0,
        text: expect.stringMatching(/^And/),
        avg_logprob: expect.any(Number),
      });
  });
});

describe('the order of fields', () => {
  test('the fields behind the file count as those before it', async () => {
    const first = await post([
      ['model', 'x'],
      ['response_format', 'text'],
      ['file', FILE],
    ]);
    const last = await post([
      ['file', FILE],
      ['response_format', 'text'],
      ['model', 'x'],
    ]);
    const mixed = await post([
      ['model', 'x'],
      ['file', FILE],
      ['response_format', 'text'],
    ]);
    expect(await last.text()).toBe(await first.clone().text());
    expect(await mixed.text()).toBe(await first.text());
  });

  test('a prompt behind the file is used: phrases it names are heard', async () => {
    const words = async (fields: [string, string | typeof FILE][]) =>
      (await (await post([...fields, ['response_format', 'text']])).text()).toLowerCase();
    const without = await words([
      ['model', 'x'],
      ['file', FILE],
    ]);
    const before = await words([
      ['model', 'x'],
      ['prompt', 'fellow'],
      ['file', FILE],
    ]);
    const behind = await words([
      ['model', 'x'],
      ['file', FILE],
      ['prompt', 'fellow'],
    ]);
    const spooled = await words([
      ['file', FILE],
      ['prompt', 'fellow'],
      ['model', 'x'],
    ]);
    expect(without).not.toContain('my fellow ');
    expect(before).toContain('my fellow ');
    expect(behind).toBe(before);
    expect(spooled).toBe(before);
  });

  test('fields without effect are named in a warning', async () => {
    const answer = await post([
      ['model', 'x'],
      ['language', 'de'],
      ['temperature', '0.3'],
      ['file', FILE],
    ]);
    expect(answer.headers.get('warning')).toBe('299 - "without effect here: language, temperature"');
  });
});

describe('stream=true', () => {
  /** The events of an answer, as far as they are there. */
  const eventsIn = (text: string) =>
    text
      .split('\n\n')
      .filter((event) => event.startsWith('data: '))
      .map((event) => JSON.parse(event.slice(6)) as { type: string; delta?: string; text?: string });

  test('words come while the upload is still running', async () => {
    const pcm = await pcmOf('jfk.flac');
    const wav = wavOf(Buffer.concat([pcm, pcm]));
    const boundary = 'boundary';
    const field = (name: string, value: string) =>
      `--${boundary}\r\ncontent-disposition: form-data; name="${name}"\r\n\r\n${value}\r\n`;
    const head = `${field('model', 'x')}${field('stream', 'true')}--${boundary}\r\ncontent-disposition: form-data; name="file"; filename="a.wav"\r\n\r\n`;
    let received = '';
    const upload = request(`${server.http}/v1/audio/transcriptions`, {
      method: 'POST',
      headers: { 'content-type': `multipart/form-data; boundary=${boundary}` },
    });
    const ended = new Promise<void>((resolve, reject) => {
      upload.on('error', reject);
      upload.on('response', (answer) => {
        answer.setEncoding('utf8').on('data', (text: string) => {
          received += text;
        });
        answer.on('end', resolve);
      });
    });
    upload.write(head);
    upload.write(wav.subarray(0, wav.length / 2));
    // The second half is not sent before words of the first are here.
    await vi.waitFor(() => expect(eventsIn(received).length).toBeGreaterThan(3), { timeout: 30_000 });
    upload.write(wav.subarray(wav.length / 2));
    upload.end(`\r\n--${boundary}--\r\n`);
    await ended;
    const events = eventsIn(received);
    const done = events.at(-1);
    expect(done).toMatchObject({ type: 'transcript.text.done', usage: { type: 'duration', seconds: 22 } });
    const deltas = events.slice(0, -1);
    expect(deltas.every(({ type }) => type === 'transcript.text.delta')).toBe(true);
    expect(deltas.map(({ delta }) => delta).join('')).toBe(done?.text);
    expect(done?.text).toMatch(/your country.*your country.*your country/s);
  });

  test('behind the file as well', async () => {
    const answer = await post([
      ['file', FILE],
      ['stream', 'true'],
      ['model', 'x'],
    ]);
    expect(answer.headers.get('content-type')).toMatch(/^text\/event-stream/);
    expect(eventsIn(await answer.text()).at(-1)).toMatchObject({ type: 'transcript.text.done' });
  });

  test('subtitles are not streamed', async () => {
    const answer = await post([
      ['model', 'x'],
      ['stream', 'true'],
      ['response_format', 'srt'],
      ['file', FILE],
    ]);
    expect(await answer.text()).toMatch(/^1\n00:/);
  });

  test('a file that breaks off ends the answer with an error', async () => {
    const answer = await post(
      [
        ['model', 'x'],
        ['stream', 'true'],
        ['file', FILE],
      ],
      jfk.subarray(0, 200_000),
    );
    expect(eventsIn(await answer.text()).at(-1)).toMatchObject({
      type: 'error',
      error: { code: 'ERR_PARAKEET_INVALID_AUDIO' },
    });
    await expectIdle(server);
  });
});

describe('bad requests', () => {
  test.each<[string, [string, string | typeof FILE][], number, RegExp]>([
    ['no file', [['model', 'x']], 400, /file/],
    [
      'an unknown format',
      [
        ['model', 'x'],
        ['response_format', 'docx'],
        ['file', FILE],
      ],
      400,
      /response_format/,
    ],
    [
      'an unknown granularity',
      [
        ['model', 'x'],
        ['response_format', 'verbose_json'],
        ['timestamp_granularities[]', 'letter'],
        ['file', FILE],
      ],
      400,
      /word or segment/,
    ],
    [
      'stream that is neither true nor false',
      [
        ['model', 'x'],
        ['stream', 'perhaps'],
        ['file', FILE],
      ],
      400,
      /stream/,
    ],
    [
      'a file in another field',
      [
        ['model', 'x'],
        ['audio', FILE],
      ],
      400,
      /field file/,
    ],
  ])('%s', async (_, fields, status, message) => {
    const answer = await post(fields);
    expect(answer.status).toBe(status);
    expect(await answer.json()).toMatchObject({
      error: {
        message: expect.stringMatching(message),
        type: 'invalid_request_error',
        code: 'ERR_PARAKEET_SERVER_PROTOCOL',
      },
    });
  });

  test('no form', async () => {
    const answer = await fetch(`${server.http}/v1/audio/transcriptions`, {
      method: 'POST',
      body: '{}',
      headers: { 'content-type': 'application/json' },
    });
    expect(answer.status).toBe(400);
  });

  test('what is no sound', async () => {
    const answer = await post(
      [
        ['model', 'x'],
        ['file', FILE],
      ],
      Buffer.from('no sound at all, but a text. '.repeat(100)),
    );
    expect(answer.status).toBe(415);
    await expectIdle(server);
  });

  test('a form that breaks off', async () => {
    const body = `--b\r\ncontent-disposition: form-data; name="file"; filename="a"\r\n\r\n${'x'.repeat(1000)}`;
    const answer = await fetch(`${server.http}/v1/audio/transcriptions`, {
      method: 'POST',
      body,
      headers: { 'content-type': 'multipart/form-data; boundary=b' },
    });
    expect(answer.status).toBeGreaterThanOrEqual(400);
    expect(answer.status).toBeLessThan(500);
    await expectIdle(server);
  });
});

describe('limits', () => {
  const silence = (seconds: number) => wavOf(Buffer.alloc(2 * 16_000 * seconds));

  test.each<[string, [string, string | typeof FILE][], number, RegExp]>([
    [
      'more bytes than maxBody',
      [
        ['model', 'x'],
        ['file', FILE],
      ],
      150,
      /4000000 bytes/,
    ],
    [
      'more bytes than maxSpool in front of the fields',
      [
        ['file', FILE],
        ['model', 'x'],
      ],
      40,
      /maxSpool/,
    ],
  ])('%s', async (_, fields, seconds, message) => {
    const answer = await post(fields, silence(seconds));
    expect(answer.status).toBe(413);
    expect(await answer.json()).toMatchObject({ error: { message: expect.stringMatching(message) } });
    await expectIdle(server);
  });

  test('more sound than maxDuration', async () => {
    const short = await startServer({ maxDuration: 20 });
    const body = form(
      [
        ['model', 'x'],
        ['file', FILE],
      ],
      silence(60),
    );
    const answer = await fetch(`${short.http}/v1/audio/transcriptions`, { method: 'POST', body });
    expect(answer.status).toBe(413);
    expect(await answer.json()).toMatchObject({ error: { message: expect.stringMatching(/20 s of sound/) } });
    await expectIdle(short);
  });

  test('a client that goes away stops the work', async () => {
    const gone = new AbortController();
    // The sender pauses behind the first ten seconds.
    const body = new ReadableStream({
      start: (controller) => controller.enqueue(wavOf(Buffer.alloc(320_000))),
    });
    const answer = fetch(`${server.http}/v1/listen`, {
      method: 'POST',
      body,
      duplex: 'half',
      signal: gone.signal,
    } as RequestInit);
    await vi.waitFor(async () => expect(await stateOf(server)).toMatchObject({ files: 1 }), {
      timeout: 10_000,
    });
    const aborted = async () => {
      const metrics = await (await fetch(`${server.http}/metrics`)).text();
      return Number(/parakeet_errors_total\{code="ERR_PARAKEET_ABORTED"\} (\d+)/.exec(metrics)?.[1] ?? 0);
    };
    const before = await aborted();
    gone.abort();
    await expect(answer).rejects.toThrow();
    await expectIdle(server);
    // Not as a client that has passed a limit.
    expect(await aborted()).toBe(before + 1);
  });
});

test.each([
  ['while its file is kept for the form', []],
  ['while its file is transcribed', [['model', 'x']]],
])('a client that goes away %s leaves nothing', { skip: process.platform !== 'linux' }, async (_, fields) => {
  const before = openSpools();
  const gone = new AbortController();
  const parts = fields.map(
    ([name, value]) => `--b\r\ncontent-disposition: form-data; name="${name}"\r\n\r\n${value}\r\n`,
  );
  const head = `${parts.join('')}--b\r\ncontent-disposition: form-data; name="file"; filename="a.wav"\r\n\r\n`;
  const body = new ReadableStream({
    start: (controller) => {
      controller.enqueue(Buffer.from(head));
      controller.enqueue(wavOf(Buffer.alloc(320_000)));
    },
  });
  const headers = { 'content-type': 'multipart/form-data; boundary=b' };
  const init = { method: 'POST', body, headers, duplex: 'half', signal: gone.signal };
  const answer = fetch(`${server.http}/v1/audio/transcriptions`, init as RequestInit);
  await vi.waitFor(() => expect(openSpools()).toBe(before + 1), { timeout: 10_000 });
  gone.abort();
  await expect(answer).rejects.toThrow();
  await vi.waitFor(() => expect(openSpools()).toBe(before), { timeout: 10_000 });
  await expectIdle(server);
});

/** Descriptors of uploads in temporary files, which have no name any more. */
function openSpools(): number {
  const links = readdirSync('/proc/self/fd').map((fd) => {
    try {
      return readlinkSync(`/proc/self/fd/${fd}`);
    } catch {
      return '';
    }
  });
  return links.filter((link) => link.includes('parakeet-upload-')).length;
}

test('GET /v1/models lists the model, and describes it', async () => {
  const list = await (await fetch(`${server.http}/v1/models`)).json();
  expect(list).toMatchObject({
    object: 'list',
    data: [{ id: 'tiny', object: 'model', owned_by: 'parakeet-stream' }],
  });
  expect(await (await fetch(`${server.http}/v1/models/tiny`)).json()).toMatchObject({ id: 'tiny' });
  const other = await fetch(`${server.http}/v1/models/gpt-9`);
  expect(other.status).toBe(404);
  expect(await other.json()).toMatchObject({ error: { code: 'model_not_found', param: 'model' } });
});
