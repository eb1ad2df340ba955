/**
 * `transcribe(source, { sink })`: results, and what a failing source leaves behind.
 */
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { Readable, Writable } from 'node:stream';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { TranscriptEvent } from '../src/events.js';
import { jsonlWriter } from '../src/sinks/jsonl-writer.js';
import { transcribe } from '../src/transcribe.js';
import { fakeModel, loud } from './support/fake-native.js';
import { goldenFolder } from './support/goldens.js';
import { nothingAlive } from './support/nothing-alive.js';
import { pieces } from './support/streams.js';
import { wavFile } from './support/wav-file.js';

const speech = wavFile([loud(5)]);
const options = () =>
  ({ mode: 'live', latency: { chunk: 0.16, lookahead: 0.24 }, model: fakeModel() }) as const;
const expected = 'zero one two three four five six seven eight.';

let folder = '';
beforeAll(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'parakeet-transcribe-'));
});
afterAll(() => rm(folder, { recursive: true }));

function slowSink(milliseconds: number, written: TranscriptEvent[]) {
  return new Writable({
    objectMode: true,
    write(event: TranscriptEvent, _encoding, callback) {
      setTimeout(() => {
        written.push(event);
        callback();
      }, milliseconds);
    },
  });
}

describe('sources', () => {
  test('a path, a Readable, an async iterable, an array, a web stream: the same result', async () => {
    const file = path.join(folder, 'speech.wav');
    await writeFile(file, speech);
    async function* generate() {
      yield* pieces(speech, 5000);
    }
    const whole = await transcribe(file, options());
    expect(whole.text.startsWith(expected)).toBe(true);
    expect(whole.sentences.length).toBeGreaterThan(5);
    for (const source of [
      Readable.from(pieces(speech, 999)),
      generate(),
      pieces(speech, 777),
      new Blob([speech]).stream(),
    ]) {
      expect(await transcribe(source as Readable, options())).toEqual(whole);
    }
  });

  test('progress is told in seconds, of the whole where the source says how long it is', async () => {
    const seen: { seconds: number; duration: number | undefined }[] = [];
    await transcribe([speech], { ...options(), offset: 10, onProgress: (one) => seen.push(one) });
    expect(seen.length).toBeGreaterThan(5);
    expect(seen.map(({ seconds }) => seconds)).toEqual(
      seen.map(({ seconds }) => seconds).toSorted((a, b) => a - b),
    );
    expect(seen.at(-1)).toEqual({ seconds: 5, duration: 5 });
    const raw = { input: { format: 's16le', sampleRate: 16_000 } } as const;
    const lengths = new Set<number | undefined>();
    await transcribe([speech], {
      ...options(),
      ...raw,
      onProgress: ({ duration }) => lengths.add(duration),
    });
    expect([...lengths]).toEqual([undefined]);
  });

  test('an empty source gives an empty transcript', async () => {
    expect(await transcribe([], options())).toEqual({ text: '', sentences: [], tokens: [] });
  });

  test('a file that is not there rejects with the system error', async () => {
    await expect(transcribe(path.join(folder, 'none.wav'), options())).rejects.toMatchObject({
      code: 'ENOENT',
    });
  });

  test.each([
    [7, {}],
    [{}, {}],
    [[1, 2, 3], {}],
    [['text'], {}],
    [new Int16Array(3), {}],
    [new URL('ftp://host/file'), {}],
    [[], { sink: 7 }],
    [[], { onProgress: 7 }],
    [[], { model: '' }],
    [[], { latency: 'low' }],
    [[], { mode: 'live', latency: { chunk: 0 } }],
    [[], { chunk: 0 }],
    [[], null],
  ])('transcribe(%j, %j) rejects with an argument error', async (source, wrong) => {
    await expect(transcribe(source as never, wrong as never)).rejects.toMatchObject({
      code: 'ERR_PARAKEET_INVALID_ARGUMENT',
    });
  });
});

describe('a failing source', () => {
  /** Fails after `bytes` were given. */
  const failing = (bytes: Uint8Array, error: Error) => {
    const parts = pieces(bytes, 4000);
    return new Readable({
      read() {
        const part = parts.shift();
        if (part) this.push(part);
        else this.destroy(error);
      },
    });
  };

  test('leaves every final in the file of a slow sink, then rejects with its error', async () => {
    const whole = await transcribe(pieces(speech, 4000), options());
    const file = path.join(folder, 'out.jsonl');
    const written: TranscriptEvent[] = [];
    const model = fakeModel();
    const slow = slowSink(2, written);
    const unplugged = new Error('unplugged');
    // Without a declared length, so that the source's failure is the only one.
    const bytes = wavFile([loud(5)], { dataSize: 0xffffffff, riffSize: 0xffffffff });
    await expect(transcribe(failing(bytes, unplugged), { ...options(), model, sink: slow })).rejects.toBe(
      unplugged,
    );
    const heard = (events: TranscriptEvent[]) => events.flatMap((e) => (e.type === 'token' ? [e.token] : []));
    expect(heard(written).length).toBeGreaterThan(50);
    // Node throws away what waits inside a destroyed source: here 44 bytes, which the last token's end shows.
    expect(heard(written).map(({ id, start }) => ({ id, start }))).toEqual(
      whole.tokens.map(({ id, start }) => ({ id, start })),
    );
    expect(written.at(-1)?.type).toBe('end');
    expect(model.counts.open).toBe(0);

    await expect(
      transcribe(failing(bytes, unplugged), { ...options(), sink: jsonlWriter(file) }),
    ).rejects.toBe(unplugged);
    const lines = (await readFile(file, 'utf8')).trim().split('\n');
    const texts = lines.map((line) => JSON.parse(line)).filter((line) => line.type === 'sentence');
    expect(texts.map((line) => (line.sentence ?? line).text)).toEqual(
      whole.sentences.map(({ text }) => text),
    );
  });

  test('its error comes before those that it causes', async () => {
    const unplugged = new Error('unplugged');
    await expect(transcribe(failing(speech.subarray(0, 20_001), unplugged), options())).rejects.toBe(
      unplugged,
    );
  });

  test('one that is closed without an end is an error', async () => {
    const source = new Readable({ read() {} });
    source.push(speech);
    const done = transcribe(source, options());
    await sleep(20);
    source.destroy();
    await expect(done).rejects.toMatchObject({ code: 'ERR_PARAKEET_CLOSED' });
  });
});

describe('stopping', () => {
  test('an abort with a silent source and work in flight settles with no session left', async () => {
    const model = fakeModel({ hang: 'step', faultAfter: 3 });
    const aborter = new AbortController();
    const source = new Readable({ read() {} });
    source.push(speech);
    const done = transcribe(source, {
      ...options(),
      model,
      sink: slowSink(0, []),
      signal: aborter.signal,
    });
    await model.hanging;
    aborter.abort();
    await expect(done).rejects.toMatchObject({ code: 'ERR_PARAKEET_ABORTED' });
    expect(model.counts).toMatchObject({ open: 0, busy: 0 });
    expect(source.destroyed).toBe(true);
  });

  test('an abort while the model of samples loads ends the load', async () => {
    const aborter = new AbortController();
    const done = transcribe(new Float32Array(16_000), { model: goldenFolder('tdt'), signal: aborter.signal });
    aborter.abort();
    await expect(done).rejects.toMatchObject({ code: 'ERR_PARAKEET_ABORTED' });
    await nothingAlive();
  });

  test('an error of the sink destroys the source', async () => {
    const source = new Readable({ read() {} });
    source.push(speech);
    const sink = new Writable({
      objectMode: true,
      write(_event, _encoding, callback) {
        callback(new Error('disk full'));
      },
    });
    await expect(transcribe(source, { ...options(), sink })).rejects.toThrow('disk full');
    expect(source.destroyed).toBe(true);
  });
});
