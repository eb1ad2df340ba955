// What was heard as a WAV file: through our decoder and back, sizes in the header, bad chunks, bad targets, abort and kill.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, createReadStream, mkdtempSync, openSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PassThrough, Readable, Writable } from 'node:stream';
import { buffer, text as readAll } from 'node:stream/consumers';
import { pipeline } from 'node:stream/promises';
import { fileURLToPath } from 'node:url';
import { afterAll, describe, expect, test } from 'vitest';
import { ArgumentError, AudioError } from '../../src/errors.js';
import type { AudioChunk } from '../../src/events.js';
import { wavWriter } from '../../src/sinks/wav-writer.js';
import { decode } from '../../src/transforms/decode.js';
import { resample } from '../../src/transforms/resample.js';
import { wavFile } from '../support/wav-file.js';

const folder = mkdtempSync(join(tmpdir(), 'parakeet-wav-writer-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));
let files = 0;
const newPath = (): string => join(folder, `file-${files++}.wav`);

const ramp = (length: number, sampleRate = 16_000, channels = 1): AudioChunk => ({
  channels: Array.from({ length: channels }, (_, channel) =>
    Float32Array.from({ length }, (_, i) => (((i * (channel + 1)) % 2000) - 1000) / 0x8000),
  ),
  sampleRate,
});
const write = (chunks: readonly unknown[], target: string | Writable, options = {}) =>
  pipeline(Readable.from(chunks), wavWriter(target, options));

async function heard(bytes: Uint8Array): Promise<AudioChunk> {
  const chunks: AudioChunk[] = [];
  await pipeline(Readable.from([bytes]), decode({ format: 'wav' }), async (all) => {
    for await (const chunk of all) chunks.push(chunk);
  });
  const { sampleRate = 0, channels = [] } = chunks[0] ?? {};
  return {
    sampleRate,
    channels: channels.map((_, i) =>
      Float32Array.from(chunks.flatMap((chunk) => [...(chunk.channels[i] ?? [])])),
    ),
  };
}

/** The sizes in the header: of the whole, less 8, and of the samples. */
const sizes = (bytes: Buffer) => [bytes.readUInt32LE(4), bytes.readUInt32LE(40)];

describe('what it writes', () => {
  test('is what went in, for samples that have 16 bits', async () => {
    const path = newPath();
    const chunk = ramp(5000, 22_050, 3);
    await write([chunk, chunk], path);
    const bytes = readFileSync(path);
    expect(bytes.length).toBe(44 + 2 * 5000 * 3 * 2);
    expect(sizes(bytes)).toEqual([bytes.length - 8, bytes.length - 44]);
    const { channels, sampleRate } = await heard(bytes);
    expect(sampleRate).toBe(22_050);
    expect(channels).toEqual(chunk.channels.map((plane) => Float32Array.of(...plane, ...plane)));
  });

  test('is a copy of a WAV file that decode has read', async () => {
    const path = newPath();
    const original = wavFile([ramp(9000).channels[0] as Float32Array], { bits: 16 });
    await pipeline(Readable.from([original]), decode(), wavWriter(path));
    expect(readFileSync(path)).toEqual(original);
  });

  test('is what a file of another format sounds like, at the rate of resample', async () => {
    const path = newPath();
    const flac = fileURLToPath(new URL('../audio/jfk.flac', import.meta.url));
    await pipeline(createReadStream(flac), decode(), resample(8000), wavWriter(path));
    const { channels, sampleRate } = await heard(readFileSync(path));
    expect([sampleRate, channels.length, channels[0]?.length]).toEqual([8000, 1, 88_000]);
  });

  test('is rounded and clamped as integers', async () => {
    const path = newPath();
    const step = 1 / 0x8000;
    await write(
      [{ channels: [Float32Array.of(1, 1.5, -1, -7, 0.6 * step, -0.6 * step)], sampleRate: 8000 }],
      path,
    );
    const { channels } = await heard(readFileSync(path));
    expect(channels[0]).toEqual(Float32Array.of(1 - step, 1 - step, -1, -1, step, -step));
  });

  test('is exact as floats', async () => {
    const path = newPath();
    const samples = Float32Array.of(1.5, -2, 0.1, 1e-9);
    await write([{ channels: [samples], sampleRate: 8000 }], path, { encoding: 'f32le' });
    expect((await heard(readFileSync(path))).channels).toEqual([samples]);
  });

  test('has a header even when no sound came', async () => {
    const path = newPath();
    await write([], path);
    const bytes = readFileSync(path);
    expect(sizes(bytes)).toEqual([36, 0]);
    expect((await heard(bytes)).channels).toEqual([]);
  });

  test('says in a pipe that nobody knows the length', async () => {
    const pipe = new PassThrough();
    const [bytes] = await Promise.all([buffer(pipe), write([ramp(1000)], pipe)]);
    const [riff, data] = sizes(bytes) as [number, number];
    expect(Math.min(riff, data)).toBeGreaterThan(0xffffff00);
    expect((await heard(bytes)).channels).toEqual(ramp(1000).channels);
  });

  test('says so too behind a descriptor, which may be in the middle of a file', async () => {
    const path = newPath();
    const descriptor = openSync(path, 'w');
    await pipeline(Readable.from([ramp(10)]), wavWriter(descriptor)).finally(() => closeSync(descriptor));
    expect(sizes(readFileSync(path))[1]).toBeGreaterThan(0xffffff00);
  });
});

describe('what it refuses', () => {
  test.each([
    ['an event', { type: 'token' }],
    ['bytes', new Uint8Array(8)],
    ['no channels', { channels: [], sampleRate: 8000 }],
    ['plain numbers', { channels: [[0, 1]], sampleRate: 8000 }],
    ['channels of two lengths', { channels: [new Float32Array(2), new Float32Array(3)], sampleRate: 8000 }],
    ['a rate that is none', { channels: [new Float32Array(2)], sampleRate: 0 }],
    ['a rate that no header has', { channels: [new Float32Array(2)], sampleRate: 11_025.5 }],
  ])('%s, as an argument', async (_, chunk) => {
    const error = await write([chunk], newPath()).catch((e: unknown) => e);
    expect(error).toBeInstanceOf(ArgumentError);
    expect(String(error)).toContain('decode() or resample()');
  });

  test.each([
    ['another rate', ramp(10, 8000)],
    ['more channels', ramp(10, 16_000, 2)],
    ['samples that are no numbers', { channels: [Float32Array.of(0, Number.NaN)], sampleRate: 16_000 }],
  ])('%s, as audio; what came before stays a whole file', async (_, chunk) => {
    const path = newPath();
    const error = await write([ramp(10), chunk], path).catch((e: unknown) => e);
    expect(error).toBeInstanceOf(AudioError);
    expect(error).toMatchObject({ code: 'ERR_PARAKEET_INVALID_AUDIO' });
    expect(sizes(readFileSync(path))).toEqual([56, 20]);
  });

  test('options and targets that make no sense, at once', () => {
    for (const options of [{ encoding: 'mp3' }, { bits: 16 }, { signal: 1 }, null]) {
      expect(() => wavWriter(newPath(), options as object)).toThrow(ArgumentError);
    }
    for (const target of ['', -1, null, {}, new URL('https://example.org/a.wav')]) {
      expect(() => wavWriter(target as string)).toThrow(ArgumentError);
    }
  });

  test.each([
    ['a folder that is missing', join(folder, 'missing', 'a.wav'), 'ENOENT', 'Create the folder first'],
    ['a folder', folder, 'EISDIR', 'It is a folder'],
  ])('%s as its target', async (_, path, code, remedy) => {
    const error = await write([ramp(10)], path).catch((e: unknown) => e);
    expect(error).toMatchObject({ code: 'ERR_PARAKEET_WRITE', cause: { code } });
    expect(String(error)).toContain(remedy);
  });

  test('a file that was removed under it', async () => {
    const path = newPath();
    const sink = wavWriter(path);
    await new Promise((resolve) => sink.write(ramp(10), resolve));
    rmSync(path);
    const failed = once(sink, 'error');
    sink.end(ramp(10));
    expect(await failed).toMatchObject([
      { code: 'ERR_PARAKEET_WRITE', message: expect.stringContaining('removed or replaced') },
    ]);
  });
});

describe('how it ends', () => {
  test('an abort leaves a whole file of what came', async () => {
    const path = newPath();
    const controller = new AbortController();
    const sink = wavWriter(path, { signal: controller.signal });
    await new Promise((resolve) => sink.write(ramp(100), resolve));
    const failed = once(sink, 'error');
    const closed = new Promise((resolve) => sink.once('close', resolve));
    controller.abort();
    expect(await failed).toMatchObject([{ code: 'ERR_PARAKEET_ABORTED' }]);
    await closed;
    const bytes = readFileSync(path);
    expect(sizes(bytes)).toEqual([236, 200]);
    expect((await heard(bytes)).channels).toEqual(ramp(100).channels);
  });

  test('destroyed before anything came, or while it ends, it closes', async () => {
    for (const begin of [() => {}, (sink: Writable) => sink.end(ramp(10))]) {
      const sink = wavWriter(newPath());
      begin(sink);
      const closed = once(sink, 'close');
      sink.destroy();
      await closed;
      expect(sink.destroyed).toBe(true);
    }
  });

  test('a Writable that fails is the cause of its failure', async () => {
    const cause = new Error('no more');
    const target = new Writable({ write: (_bytes, _encoding, callback) => callback(cause) });
    const error = await write([ramp(10)], target).catch((e: unknown) => e);
    expect(error).toMatchObject({ code: 'ERR_PARAKEET_WRITE', cause });
  });

  test('it takes no more than a slow target', async () => {
    let taken = 0;
    const waiting: (() => void)[] = [];
    const target = new Writable({ write: (_bytes, _encoding, callback) => waiting.push(callback) });
    const source = new Readable({
      objectMode: true,
      highWaterMark: 1,
      read() {
        this.push(taken < 100 ? ramp(1600) : null);
        taken++;
      },
    });
    const done = pipeline(source, wavWriter(target));
    for (let i = 0; i < 20; i++) await new Promise((resolve) => setImmediate(resolve));
    expect(taken).toBeGreaterThan(0);
    expect(taken).toBeLessThan(12);
    for (let open = true; open; ) {
      waiting.shift()?.();
      open = await Promise.race([done.then(() => false), new Promise<boolean>((r) => setImmediate(r, true))]);
    }
    expect(taken).toBeGreaterThan(100);
  });

  const script = fileURLToPath(new URL('../support/endless-wav.mjs', import.meta.url));

  test('a process that is killed leaves a file that can be heard', async () => {
    const path = newPath();
    const child = spawn(process.execPath, [script, path], { stdio: ['ignore', 'pipe', 'inherit'] });
    await once(child.stdout, 'data');
    child.kill('SIGKILL');
    await once(child, 'exit');
    const { channels, sampleRate } = await heard(readFileSync(path));
    expect(sampleRate).toBe(8000);
    expect(channels[0]?.length).toBeGreaterThanOrEqual(32_000);
  });

  test.skipIf(process.platform !== 'linux')('a full disk leaves a whole file of what had room', async () => {
    const path = newPath();
    // A limit of a file's size, in 512 or 1024 bytes, is as good as a full disk.
    const command = `ulimit -f 100; exec "${process.execPath}" "${script}" "${path}"`;
    const child = spawn('sh', ['-c', command], { stdio: ['ignore', 'ignore', 'pipe'] });
    const [stderr] = await Promise.all([readAll(child.stderr), once(child, 'close')]);
    expect(stderr).toMatch(/ERR_PARAKEET_WRITE/);
    const bytes = readFileSync(path);
    expect(bytes.length).toBeGreaterThan(16_044);
    expect(sizes(bytes)).toEqual([bytes.length - 8, bytes.length - 44]);
  });
});
