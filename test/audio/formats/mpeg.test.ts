/** MP3 without ffmpeg: to the sample, for any split, cut short, among tags and padding, and as ffmpeg decodes it. */
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { ffmpeg } from '../../../src/sources/ffmpeg.js';
import { type DecodeOptions, decode } from '../../../src/transforms/decode.js';
import { MpegDecoder } from '../../../src/audio/formats/mpeg.js';
import { mpegHeader } from '../../../src/audio/formats/mpeg-header.js';
import { ffmpegPath, makeWithFfmpeg } from '../../support/ffmpeg.js';
import { drain, joined, pieces, through } from '../../support/streams.js';

const folder = mkdtempSync(path.join(os.tmpdir(), 'parakeet-mpeg-'));
const made = (name: string) => path.join(folder, name);
const chirp = readFileSync(new URL('../../fixtures/chirp.mp3', import.meta.url));
const SAMPLES = 3 * 44_100;
const before = process.env.FFMPEG_PATH;
beforeAll(() => {
  process.env.FFMPEG_PATH = '/nowhere/ffmpeg';
});
afterAll(() => {
  if (before === undefined) delete process.env.FFMPEG_PATH;
  else process.env.FFMPEG_PATH = before;
  rmSync(folder, { recursive: true, force: true });
});

async function heard(bytes: Uint8Array, size = 1000, options: DecodeOptions = {}) {
  const stage = decode(options);
  const { items, error } = await through(pieces(bytes, size), stage);
  return { samples: joined(items), rate: items[0]?.sampleRate, error, duration: stage.duration };
}

test("what the encoder added is left out: the samples are as many as went in, and they are ffmpeg's", async () => {
  const { samples, rate, error, duration } = await heard(chirp);
  expect(error).toBeUndefined();
  expect(rate).toBe(44_100);
  expect(samples).toHaveLength(1);
  expect(samples[0]).toHaveLength(SAMPLES);
  expect(duration).toBeCloseTo(3, 6);
  const input = Float32Array.from({ length: SAMPLES }, (_, i) => {
    const t = i / 44_100;
    return 0.4 * Math.sin(2 * Math.PI * (200 * t + 150 * t * t));
  });
  const stage = decode();
  ffmpeg(new URL('../../fixtures/chirp.mp3', import.meta.url), { ffmpegPath }).pipe(stage);
  const other = joined((await drain(stage)).items)[0] as Float32Array;
  expect(other).toHaveLength(SAMPLES);
  for (let i = 0; i < SAMPLES; i++) {
    const value = samples[0]?.[i] as number;
    if (Math.abs(value - (other[i] as number)) > 1e-4) expect.unreachable(`sample ${i} is not ffmpeg's`);
    if (i > 500 && i < SAMPLES - 500 && Math.abs(value - (input[i] as number)) > 0.1) {
      expect.unreachable(`sample ${i} is ${value} and not ${input[i]}`);
    }
  }
});

test('any split gives the same samples', async () => {
  const whole = await heard(chirp, chirp.length);
  await fc.assert(
    fc.asyncProperty(fc.integer({ min: 1, max: 3000 }), async (size) => {
      expect((await heard(chirp, size)).samples).toEqual(whole.samples);
    }),
    { numRuns: 8 },
  );
});

describe('cut short', () => {
  test('by what the encoder says of the whole', async () => {
    const { samples, error } = await heard(chirp.subarray(0, 10_000));
    expect(error).toMatchObject({ code: 'ERR_PARAKEET_INVALID_AUDIO' });
    expect(error?.message).toMatch(/Expected 116 frames/);
    expect(samples[0]?.length).toBeGreaterThan(40_000);
  });

  test('within a frame, where nobody says anything of the whole', async () => {
    makeWithFfmpeg('-i', chirpPath(), '-write_xing', '0', '-c', 'copy', made('plain.mp3'));
    const plain = readFileSync(made('plain.mp3'));
    expect((await heard(plain)).error).toBeUndefined();
    const { error } = await heard(plain.subarray(0, -20));
    expect(error?.message).toMatch(/within one/);
  });
});

function chirpPath(): string {
  return path.join(import.meta.dirname, '..', '..', 'fixtures', 'chirp.mp3');
}

function id3(bytes: number): Buffer {
  const size = [21, 14, 7, 0].map((shift) => (bytes >> shift) & 127);
  return Buffer.concat([
    Buffer.from('ID3\x04\0\0', 'latin1'),
    Uint8Array.from(size),
    Buffer.alloc(bytes, 0xff),
  ]);
}

describe('is found', () => {
  const behind = Buffer.concat([Buffer.from('TAG'), Buffer.alloc(125, 0xff)]);
  const ape = Buffer.alloc(32 + 40 + 32, 0xff);
  ape.write('APETAGEX', 0, 'latin1');
  ape.writeUInt32LE(72, 12);
  test.each([
    ['behind a large tag', Buffer.concat([id3(300_000), chirp])],
    ['behind two tags', Buffer.concat([id3(5000), id3(10), chirp])],
    ['behind padding', Buffer.concat([Buffer.alloc(5000), chirp])],
    ['behind a tag and padding', Buffer.concat([id3(100), Buffer.alloc(700), chirp])],
    ['before a tag', Buffer.concat([chirp, behind])],
    ['before two tags', Buffer.concat([chirp, ape, behind])],
    ['before padding', Buffer.concat([chirp, Buffer.alloc(3000)])],
  ])('%s, also where raw PCM is expected', async (_, bytes) => {
    for (const options of [{}, { unmarked: 's16le', sampleRate: 16_000 }] as DecodeOptions[]) {
      for (const size of [313, bytes.length]) {
        const { samples, error } = await heard(bytes, size, options);
        expect(error).toBeUndefined();
        expect(samples[0]).toHaveLength(SAMPLES);
      }
    }
  });

  test('from inside a frame', async () => {
    const { samples, error } = await heard(chirp.subarray(4000), 500);
    expect(error).toBeUndefined();
    expect(samples[0]?.length).toBeGreaterThan(80_000);
  });
});

test.each([
  ['layer II, stereo', ['-ac', '2', '-c:a', 'mp2', '-b:a', '128k'], 'a.mp2', 2],
  ['MPEG-2, a variable rate', ['-ar', '22050', '-q:a', '5'], 'v2.mp3', 1],
  ['MPEG-2.5', ['-ar', '8000', '-b:a', '16k'], 'v25.mp3', 1],
])('%s', async (_, args, name, channels) => {
  makeWithFfmpeg('-i', chirpPath(), ...args, made(name));
  const { samples, rate, error } = await heard(readFileSync(made(name)));
  expect(error).toBeUndefined();
  expect(samples).toHaveLength(channels);
  expect(Math.abs((samples[0]?.length ?? 0) / (rate ?? 1) - 3)).toBeLessThan(0.1);
});

test('frames of other versions have the lengths that the standard says', () => {
  expect(mpegHeader(Uint8Array.of(0xff, 0xfb, 0x90, 0x64))).toMatchObject({
    bitRate: 128_000,
    sampleRate: 44_100,
    length: 417,
    samples: 1152,
  });
  expect(mpegHeader(Uint8Array.of(0xff, 0xf3, 0x44, 0xc4))).toMatchObject({
    version: 2,
    bitRate: 32_000,
    sampleRate: 24_000,
    length: 96,
    samples: 576,
    mono: true,
  });
  expect(mpegHeader(Uint8Array.of(0xff, 0xff, 0x10, 0x00))).toMatchObject({
    layer: 1,
    bitRate: 32_000,
    length: 32,
    samples: 384,
  });
  for (const bytes of [
    [0xff, 0xfb, 0x00, 0],
    [0xff, 0xfb, 0xf0, 0],
    [0xff, 0xeb, 0x90, 0],
    [0xff, 0xfb, 0x9c, 0],
    [0xfe, 0xfb, 0x90, 0],
  ])
    expect(mpegHeader(Uint8Array.from(bytes))).toBeUndefined();
});

test('a decoder that gets no frames says so', async () => {
  const decoder = new MpegDecoder();
  await expect(drain(decoder.push(new Uint8Array(9000)))).resolves.toMatchObject({ items: [] });
  const { error } = await drain(decoder.end());
  expect(error).toMatchObject({ code: 'ERR_PARAKEET_INVALID_AUDIO' });
});
