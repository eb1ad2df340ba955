/**
 * The parsers on damaged files: whatever comes, in whatever pieces, the end is right samples or a typed error; never a crash, a hang or
 * memory without bound. 10,000 cases here, spread over the formats; `npm run fuzz` makes more, and prints its seed.
 */
import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { ParakeetError } from '../../src/errors.js';
import type { AudioChunk } from '../../src/events.js';
import { decode } from '../../src/transforms/decode.js';
import { oggOpus, oggPage, webmOpus } from '../support/containers.js';
import { encodeOpus, OPUS_DELAY } from '../support/opus.js';
import { through } from '../support/streams.js';
import { sine, wavFile } from '../support/wav-file.js';

const CASES = Number(process.env.PARAKEET_FUZZ_CASES ?? 10_000);

const tone = sine(440, 0.12, 48_000);
const packets = encodeOpus([tone]);
const flac = readFileSync(new URL('../audio/af_sky_10.flac', import.meta.url));
const mpeg = readFileSync(new URL('../fixtures/tone.mp3', import.meta.url));
const opus = { preSkip: OPUS_DELAY, length: 5000 };
/** Small files, and their share of the cases: what decodes fast is tried more. */
const formats: [string, Uint8Array[], number][] = [
  [
    'WAV',
    [
      wavFile([tone.subarray(0, 300)]),
      wavFile([tone.subarray(0, 200), tone.subarray(0, 200)], {
        format: 'float',
        bits: 32,
        extensible: true,
      }),
      wavFile([tone.subarray(0, 100)], { before: [['LIST', new Uint8Array(31)]], bits: 24, bigEndian: true }),
    ],
    0.5,
  ],
  ['Ogg', [oggOpus(packets, opus), Buffer.concat([oggOpus(packets, opus), oggOpus(packets, opus)])], 0.22],
  ['WebM', [webm('none'), webm('xiph'), webm('ebml')].map((file) => file), 0.22],
  ['FLAC', [flac.subarray(0, 4000)], 0.06],
  ['MP3', [mpeg, mpeg.subarray(300)], 0.02],
];

function webm(lacing: 'none' | 'xiph' | 'ebml'): Uint8Array {
  const file = webmOpus(packets, { preSkip: OPUS_DELAY, lacing, discard: 100 });
  // Without the picture, which is most of it.
  const picture = file.indexOf(Buffer.from([0xa3, 0x10, 0x04]));
  return picture < 0
    ? file
    : Buffer.concat([file.subarray(0, picture), file.subarray(picture + 5 + 300_004)]);
}

type Damage = { at: number; kind: 'set' | 'insert' | 'delete' | 'repeat'; value: number; length: number };
const damage: fc.Arbitrary<Damage> = fc.record({
  at: fc.double({ min: 0, max: 1, noNaN: true }),
  kind: fc.constantFrom('set', 'set', 'insert', 'delete', 'repeat'),
  value: fc.oneof(fc.constantFrom(0, 1, 0x7f, 0x80, 0xff), fc.integer({ min: 0, max: 255 })),
  length: fc.integer({ min: 1, max: 40 }),
});

function damaged(file: Uint8Array, damages: readonly Damage[]): Buffer {
  let bytes = Buffer.from(file);
  for (const { at, kind, value, length } of damages) {
    // Heads are hit as often as all the rest.
    const where = Math.floor(at * (value % 2 === 0 ? Math.min(120, bytes.length) : bytes.length));
    const [before, after] = [bytes.subarray(0, where), bytes.subarray(where)];
    if (kind === 'set' && where < bytes.length) bytes[where] = value;
    if (kind === 'insert') bytes = Buffer.concat([before, Buffer.alloc(length, value), after]);
    if (kind === 'delete') bytes = Buffer.concat([before, after.subarray(length)]);
    if (kind === 'repeat') bytes = Buffer.concat([before, after.subarray(0, length), after]);
  }
  return bytes;
}

function split(bytes: Buffer, sizes: readonly number[]): Buffer[] {
  const parts: Buffer[] = [];
  for (let at = 0, i = 0; at < bytes.length; i++) {
    const size = sizes[i % sizes.length] as number;
    parts.push(bytes.subarray(at, at + size));
    at += size;
  }
  return parts;
}

let ffmpegPath: string | undefined;
beforeAll(() => {
  // What is no longer recognised would go to ffmpeg; that is not what is tried here.
  ffmpegPath = process.env.FFMPEG_PATH;
  process.env.FFMPEG_PATH = '/nowhere/ffmpeg';
});
afterAll(() => {
  if (ffmpegPath === undefined) delete process.env.FFMPEG_PATH;
  else process.env.FFMPEG_PATH = ffmpegPath;
});

function check(items: AudioChunk[], error: Error | undefined, bytes: number): void {
  if (error) {
    expect(error).toBeInstanceOf(ParakeetError);
    expect((error as ParakeetError).code).toMatch(/^ERR_PARAKEET_/);
  }
  let samples = 0;
  for (const { channels, sampleRate } of items) {
    const length = channels[0]?.length ?? 0;
    samples += length;
    expect(length).toBeLessThanOrEqual(Math.max(1, Math.floor(sampleRate / 10)));
    for (const plane of channels) expect(plane.length === length && plane.every(Number.isFinite)).toBe(true);
  }
  // An Opus packet of two bytes may be 120 ms long; and a damaged time may leave a hole of half a minute, which is filled.
  expect(samples).toBeLessThanOrEqual(5760 * bytes + 48_000 * 40 * 10);
}

describe('damaged files', () => {
  test.each(formats)('%s', { timeout: 3_600_000 }, async (_name, files, share) => {
    await fc.assert(
      fc.asyncProperty(
        fc.constantFrom(...files),
        fc.array(damage, { minLength: 1, maxLength: 4 }),
        fc.array(fc.integer({ min: 1, max: 3000 }), { minLength: 1, maxLength: 3 }),
        async (file, damages, sizes) => {
          const bytes = damaged(file, damages);
          const { items, error } = await through(split(bytes, sizes), decode());
          check(items, error, bytes.length);
        },
      ),
      { numRuns: Math.round(CASES * share) },
    );
  });

  test('pages whose sums are right but whose contents are not', { timeout: 3_600_000 }, async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(
          fc.tuple(
            fc.uint8Array({ maxLength: 60 }),
            fc.integer({ min: -2, max: 1e6 }),
            fc.integer({ min: 0, max: 7 }),
          ),
          {
            maxLength: 6,
          },
        ),
        async (pages) => {
          const head = oggOpus(packets.slice(0, 2), { preSkip: 0, length: 1000 });
          const more = pages.map(([packet, granule, flags]) =>
            oggPage([packet], { serial: 1, granule, flags }),
          );
          const bytes = Buffer.concat([head.subarray(0, 47 + 28 + 20), ...more]);
          const { items, error } = await through([bytes], decode());
          check(items, error, bytes.length);
        },
      ),
      { numRuns: Math.round(CASES / 20) },
    );
  });
});
