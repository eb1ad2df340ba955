/** Times are the container's: sound that begins after the pictures, and holes, in our own decoders and through ffmpeg. */
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { Readable } from 'node:stream';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { ffmpeg } from '../../src/sources/ffmpeg.js';
import { decode } from '../../src/transforms/decode.js';
import { oggOpus, oggPage, opusHead, webmOpus } from '../support/containers.js';
import { ffmpegPath, makeWithFfmpeg } from '../support/ffmpeg.js';
import { encodeOpus, OPUS_DELAY } from '../support/opus.js';
import { joined, pieces, through } from '../support/streams.js';

const folder = mkdtempSync(path.join(os.tmpdir(), 'parakeet-times-'));
const made = (name: string) => path.join(folder, name);
const before = process.env.FFMPEG_PATH;
beforeAll(() => {
  process.env.FFMPEG_PATH = ffmpegPath;
});
afterAll(() => {
  if (before === undefined) delete process.env.FFMPEG_PATH;
  else process.env.FFMPEG_PATH = before;
  rmSync(folder, { recursive: true, force: true });
});

const length = 2 * 48_000;
const tone = Float32Array.from({ length: length + 960 }, (_, i) => 0.4 * Math.sin(i * 0.05));
const packets = encodeOpus([tone]);

async function heard(source: AsyncIterable<Uint8Array> | Iterable<Uint8Array>) {
  const bytes: Uint8Array[] = [];
  for await (const piece of source) bytes.push(piece);
  const stage = decode();
  const gaps: unknown[] = [];
  stage.on('gap', (gap) => gaps.push(gap));
  const { items, error } = await through(bytes, stage);
  expect(error).toBeUndefined();
  // A hole in a container is no loss.
  expect(gaps).toEqual([]);
  const samples = joined(items)[0] as Float32Array;
  const rate = items[0]?.sampleRate as number;
  return { samples, seconds: samples.length / rate, onsets: onsets(samples, rate) };
}

/** Where sound begins after silence of 0.2 s at least. */
function onsets(samples: Float32Array, rate: number): number[] {
  const found: number[] = [];
  let silent = 0.2 * rate;
  for (let i = 0; i < samples.length; i++) {
    if (Math.abs(samples[i] as number) < 0.02) silent++;
    else {
      if (silent >= 0.2 * rate) found.push(i / rate);
      silent = 0;
    }
  }
  return found;
}

describe('WebM', () => {
  test('sound that begins a second after the pictures', async () => {
    for (const size of [997, 1_000_000]) {
      const { onsets, seconds } = await heard(
        pieces(webmOpus(packets, { preSkip: OPUS_DELAY, begin: 1000 }), size),
      );
      expect(onsets).toEqual([expect.closeTo(1, 1)]);
      expect(seconds).toBeCloseTo(1 + (packets.length * 960 - OPUS_DELAY) / 48_000, 2);
    }
  });

  test('a hole', async () => {
    const file = webmOpus(packets, { preSkip: OPUS_DELAY, hole: { after: 24, length: 700 } });
    const { onsets } = await heard(pieces(file, 1000));
    expect(onsets).toEqual([expect.closeTo(0, 1), expect.closeTo(1.2, 1)]);
  });

  test('times that are rounded to milliseconds are no holes', async () => {
    const { samples } = await heard([webmOpus(packets, { preSkip: OPUS_DELAY, frame: 21 })]);
    expect(samples.length).toBeLessThan(packets.length * 960 + 48_000 * 0.001 * packets.length);
  });
});

test('Ogg with a hole in its positions', async () => {
  const page = (from: number, to: number, granule: number, flags = 0, sequence = 0) =>
    oggPage(packets.slice(from, to), { serial: 1, granule, flags, sequence });
  const file = Buffer.concat([
    oggPage([opusHead(1, OPUS_DELAY)], { serial: 1, granule: 0, flags: 2 }),
    oggPage([Buffer.from('OpusTags\x04\0\0\0test\0\0\0\0', 'latin1')], {
      serial: 1,
      granule: 0,
      sequence: 1,
    }),
    page(0, 25, 25 * 960, 0, 2),
    page(25, 50, 50 * 960 + 48_000, 0, 3),
    page(50, 60, 60 * 960 + 48_000, 4, 4),
  ]);
  const { onsets, samples } = await heard(pieces(file, 500));
  expect(onsets).toEqual([expect.closeTo(0, 1), expect.closeTo(1.5, 1)]);
  expect(samples).toHaveLength(60 * 960 + 48_000 - OPUS_DELAY);
  // The same packets without it.
  expect((await heard([oggOpus(packets, { preSkip: OPUS_DELAY, length })])).onsets).toHaveLength(1);
});

describe('through ffmpeg', () => {
  const recording = path.join(import.meta.dirname, '..', 'audio', 'am_michael_05.flac');
  const film = ['-f', 'lavfi', '-i', 'testsrc=size=64x64:rate=5:duration=9'];

  test.each(['film.mkv', 'film.mp4', 'film.ts'])('%s, whose sound begins after 5 s', async (name) => {
    const codecs = ['-c:v', 'mpeg4', '-c:a', 'aac'];
    makeWithFfmpeg(
      ...film,
      '-itsoffset',
      '5',
      '-i',
      recording,
      '-map',
      '0:v',
      '-map',
      '1:a',
      ...codecs,
      made(name),
    );
    const plain = await heard([readFileSync(recording)]);
    const late = 5 + (plain.onsets[0] as number);
    for (const bytes of [ffmpeg(made(name)), Readable.from(pieces(readFileSync(made(name)), 10_000))]) {
      expect((await heard(bytes)).onsets[0]).toBeCloseTo(late, 0);
    }
    // A part of it has its own zero.
    const part = await heard(ffmpeg(made(name), { start: 4 }));
    expect(part.onsets[0]).toBeCloseTo(late - 4, 0);
  });

  test('a hole in its times', async () => {
    makeWithFfmpeg(
      '-i',
      recording,
      '-af',
      "asetpts='PTS+if(gte(T,1),2/TB,0)'",
      '-c:a',
      'flac',
      made('hole.mkv'),
    );
    const plain = await heard([readFileSync(recording)]);
    const { seconds } = await heard(ffmpeg(made('hole.mkv')));
    expect(seconds).toBeCloseTo(plain.seconds + 2, 0);
  });
});
