/** Every kind of source, in each of the ways in: bytes are read, samples are heard, and what is neither is refused. */
import { createReadStream } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Readable } from 'node:stream';
import { setTimeout as sleep } from 'node:timers/promises';
import { pathToFileURL } from 'node:url';
import { runInNewContext } from 'node:vm';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { loadModel } from '../../src/load-model.js';
import type { Model } from '../../src/model.js';
import { readSamples } from '../../src/recordings/read-samples.js';
import type { AudioSource } from '../../src/sources/audio-source.js';
import { transcribe } from '../../src/transcribe.js';
import { goldenFolder } from '../support/goldens.js';
import { wavFile } from '../support/wav-file.js';

const RATE = 16_000;
const samples = Float32Array.from({ length: 2 * RATE }, (_, i) => Math.sin(i / (3 + (i >> 11))) / 3);
const bytes = wavFile([samples], { format: 'float', bits: 32 });
/** The same bytes, made by another realm, where `instanceof` fails. */
const foreign = (kind: string, view: Uint8Array): ArrayBufferView => {
  const made = runInNewContext(`(bytes) => new ${kind}(Uint8Array.from(bytes).buffer)`) as (
    list: number[],
  ) => ArrayBufferView;
  return made(Array.from(view));
};
const asBytes = new Uint8Array(samples.buffer);

async function* generate(size: number) {
  for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size);
}

const sources: [string, () => AudioSource][] = [
  ['a Uint8Array', () => new Uint8Array(bytes)],
  ['a Buffer', () => Buffer.from(bytes)],
  ['an ArrayBuffer', () => new Uint8Array(bytes).buffer],
  [
    'a SharedArrayBuffer',
    () => {
      const shared = new SharedArrayBuffer(bytes.length);
      new Uint8Array(shared).set(bytes);
      return shared;
    },
  ],
  ['a DataView', () => new DataView(new Uint8Array(bytes).buffer)],
  ['a Uint8Array of another realm', () => foreign('Uint8Array', bytes) as Uint8Array],
  ['a Blob', () => new Blob([new Uint8Array(bytes)])],
  ['a File', () => new File([new Uint8Array(bytes)], 'speech.wav')],
  ['a Response', () => new Response(new Uint8Array(bytes))],
  ['a Request', () => new Request('http://127.0.0.1/', { method: 'POST', body: new Uint8Array(bytes) })],
  ['a web stream', () => Readable.toWeb(Readable.from(generate(999))) as ReadableStream<Uint8Array>],
  ['a Node stream of bytes', () => Readable.from(generate(4096), { objectMode: false })],
  ['a Node stream of objects', () => Readable.from(generate(4096))],
  ['a generator', () => generate(777)],
  [
    'an array of pieces',
    () => [bytes.subarray(0, 50), new Uint8Array(0), new Uint8Array(bytes.subarray(50)).buffer],
  ],
  ['a Float32Array', () => samples],
  ['a Float32Array of another realm', () => foreign('Float32Array', asBytes) as Float32Array],
];

const refused: [string, () => unknown, RegExp][] = [
  ['a number', () => 7, /path or URL/],
  ['an array of numbers', () => [1, 2, 3], /bytes for the pieces of the source but received 1/],
  ['pieces of text', () => ['RIFF'], /bytes for the pieces/],
  ['pieces of samples', () => [samples], /addAudio/],
  ['an Int16Array', () => new Int16Array(100), /s16le/],
  [
    'a stream of text',
    () => Readable.from(generate(99), { objectMode: false }).setEncoding('latin1'),
    /setEncoding/,
  ],
  [
    'a Response that failed',
    () => new Response('gone', { status: 404, statusText: 'Not Found' }),
    /404 Not Found/,
  ],
  ['a Response without a body', () => new Response(null), /without a body/],
  [
    'a web stream that has a reader',
    () => {
      const stream = new ReadableStream();
      stream.getReader();
      return stream;
    },
    /not being read already/,
  ],
  ['a URL of a foreign kind', () => new URL('ftp://127.0.0.1/a.wav'), /file:, http: or https:/],
];

let model: Model;
let whole = '';
beforeAll(async () => {
  model = await loadModel(goldenFolder('tdt'), { dtype: 'float32' });
  whole = (await model.transcribe(samples)).text;
  expect(whole.length).toBeGreaterThan(5);
});
afterAll(() => model.close());

const streamed = { mode: 'live', latency: 'low', model: undefined as unknown as Model } as const;

describe.each(sources)('%s', (_, make) => {
  test('is heard by model.transcribe', async () => {
    expect((await model.transcribe(make())).text).toBe(whole);
  });
  test('is heard by transcribe', async () => {
    const expected = await transcribe(Readable.from([bytes]), { ...streamed, model });
    expect(expected.tokens.length).toBeGreaterThan(3);
    expect(await transcribe(make(), { ...streamed, model })).toEqual(expected);
  });
});

describe.each(refused)('%s', (_, make, message) => {
  const error = { code: 'ERR_PARAKEET_INVALID_ARGUMENT', message: expect.stringMatching(message) };
  test('is refused by model.transcribe', async () => {
    await expect(model.transcribe(make() as AudioSource)).rejects.toMatchObject(error);
  });
  test('is refused by transcribe', async () => {
    await expect(transcribe(make() as AudioSource, { model })).rejects.toMatchObject(error);
  });
});

test('a stream that has ended or was destroyed is refused, not waited for', async () => {
  const ended = Readable.from(generate(999));
  for await (const _ of ended);
  const destroyed = Readable.from(generate(999)).destroy();
  for (const source of [ended, destroyed]) {
    await expect(transcribe(source, { model })).rejects.toMatchObject({ code: 'ERR_PARAKEET_CLOSED' });
    await expect(model.transcribe(source)).rejects.toMatchObject({ code: 'ERR_PARAKEET_CLOSED' });
  }
});

test('typed arrays are bytes where the format names raw PCM', async () => {
  const words = Int16Array.from(samples, (x) => Math.round(x * 32_767));
  const { text } = await model.transcribe(words as never, { input: { format: 's16le', sampleRate: RATE } });
  const same = await model.transcribe(Float32Array.from(words, (x) => x / 32_768));
  expect(text).toBe(same.text);
  const floats = await model.transcribe(samples, { input: { format: 'f32le', sampleRate: RATE } });
  expect(floats.text).toBe(whole);
});

test('samples need no model beforehand', async () => {
  const { text } = await transcribe(samples, { model: goldenFolder('tdt'), mode: 'live', latency: 'low' });
  expect(text).toBe(
    (await transcribe(bytes, { model: goldenFolder('tdt'), mode: 'live', latency: 'low' })).text,
  );
});

test('addAudio takes samples of any realm and tells bytes apart', async () => {
  const live = model.transcribeStream();
  await live.addAudio(foreign('Float32Array', asBytes) as Float32Array);
  await expect(live.addAudio(bytes as never)).rejects.toThrow(/These are bytes: pipe them through parakeet/);
  await expect(live.addAudio(new Int16Array(3) as never)).rejects.toThrow(/floats in \[-1, 1\]/);
  expect((await live.finish()).tokens.length).toBeGreaterThan(3);
});

test('an abort stops a web stream whose next piece never comes', async () => {
  let cancelled: unknown;
  const silent = new ReadableStream<Uint8Array>({
    start: (controller) => controller.enqueue(new Uint8Array(bytes)),
    cancel: (reason) => {
      cancelled = reason;
    },
  });
  const aborter = new AbortController();
  const done = transcribe(silent, { model, signal: aborter.signal });
  await sleep(20);
  aborter.abort();
  await expect(done).rejects.toMatchObject({ code: 'ERR_PARAKEET_ABORTED' });
  await expect.poll(() => cancelled !== undefined || silent.locked).toBe(true);
});

test('a failing generator is the error of the transcript, after what it gave', async () => {
  async function* failing() {
    yield bytes;
    throw new Error('cable cut');
  }
  await expect(transcribe(failing(), { model })).rejects.toThrow('cable cut');
});

test('a file by its file: URL, and over http through a Response', async () => {
  const recording = new URL('../audio/jfk.flac', import.meta.url);
  const file = await readFile(recording);
  const server = createServer((_, response) => createReadStream(recording).pipe(response));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  try {
    const { port } = server.address() as AddressInfo;
    const counts: number[] = [];
    for (const source of [
      pathToFileURL(recording.pathname),
      await fetch(`http://127.0.0.1:${port}/jfk.flac`),
    ]) {
      counts.push((await readSamples(source, RATE)).length);
    }
    expect(counts[0]).toBeGreaterThan(10 * RATE);
    expect(counts[1]).toBe(counts[0]);
    expect(file.length).toBeGreaterThan(0);
  } finally {
    server.closeAllConnections();
    server.close();
  }
});
