/** What comes behind the samples that a header tells of: chunks are passed over, samples and other files are heard, with a warning. */
import { readFileSync } from 'node:fs';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { decode } from '../../src/transforms/decode.js';
import { oggOpus, webmOpus } from '../support/containers.js';
import { encodeOpus, OPUS_DELAY } from '../support/opus.js';
import { joined, pieces, through } from '../support/streams.js';
import { sine, wavFile } from '../support/wav-file.js';

const left = sine(440, 2, 16_000);
const right = sine(300, 2, 16_000);
let warnings: (Error & { code?: string })[] = [];
const onWarning = (warning: Error) => warnings.push(warning);
beforeEach(() => {
  warnings = [];
  process.on('warning', onWarning);
});
afterEach(() => {
  process.off('warning', onWarning);
});

async function heard(file: Uint8Array, size: number) {
  warnings = [];
  const { items, error } = await through(pieces(file, size), decode());
  expect(error).toBeUndefined();
  await new Promise((resolve) => setImmediate(resolve));
  return { samples: joined(items), codes: warnings.map(({ code }) => code) };
}

const sizes = [1, 999, 4096, 1_000_000];

describe('WAV', () => {
  const claim = 20_000;
  test.each([
    ['a header that was never brought up to date', { dataSize: claim, riffSize: claim + 36 }, [left]],
    [
      'a size that wrapped within a frame',
      { dataSize: claim + 2, riffSize: claim + 38, bits: 24 },
      [left, right],
    ],
  ])('%s: everything is heard, and it is said', async (_, spec, channels) => {
    for (const size of sizes) {
      const { samples, codes } = await heard(wavFile(channels, spec), size);
      expect(samples.map((plane) => plane.length)).toEqual(channels.map((plane) => plane.length));
      expect(codes).toEqual(['WARN_PARAKEET_WAV_LENGTH']);
    }
  });

  test.each([
    [
      'LIST and id3',
      Buffer.concat([
        Buffer.from('LIST\x04\0\0\0INFOid3 \x06\0\0\0', 'latin1'),
        Buffer.alloc(6, 200),
        Buffer.alloc(3),
      ]),
    ],
    [
      'a long chunk that nobody knows',
      Buffer.concat([Buffer.from('qqqq\x88\x13\0\0', 'latin1'), Buffer.alloc(5000, 77)]),
    ],
    ['a tag', Buffer.concat([Buffer.from('TAG'), Buffer.alloc(125, 1)])],
    ['a little of something', Buffer.alloc(100, 0x91)],
  ])('%s behind the samples is no sound', async (_, after) => {
    for (const size of sizes) {
      const { samples, codes } = await heard(wavFile([left], { after }), size);
      expect(samples[0]).toHaveLength(left.length);
      expect(codes).toEqual([]);
    }
  });

  test('a second file, of another kind, behind chunks of the first', async () => {
    const first = wavFile([left], { after: Buffer.from('LIST\x04\0\0\0INFO', 'latin1') });
    const file = Buffer.concat([first, wavFile([right], { format: 'float', bits: 32 })]);
    for (const size of sizes) {
      const { samples, codes } = await heard(file, size);
      expect(samples[0]).toHaveLength(left.length + right.length);
      expect(samples[0]?.subarray(left.length)).toEqual(right);
      expect(codes).toEqual(['WARN_PARAKEET_SECOND_FILE']);
    }
  });

  test('a short second file', async () => {
    const file = Buffer.concat([wavFile([left]), wavFile([right.subarray(0, 100)])]);
    const { samples } = await heard(file, 777);
    expect(samples[0]).toHaveLength(left.length + 100);
  });
});

describe('a second file behind the first', () => {
  const flac = readFileSync(new URL('../audio/af_sky_10.flac', import.meta.url));
  const mpeg = readFileSync(new URL('../fixtures/chirp.mp3', import.meta.url));
  const length = 48_000;
  const packets = encodeOpus([sine(440, 1, 48_000)]);
  const webm = webmOpus(packets, { preSkip: OPUS_DELAY });
  test.each([
    ['FLAC', flac],
    ['MP3', mpeg],
    ['WebM', webm],
    ['Ogg', oggOpus(packets, { preSkip: OPUS_DELAY, length: length - OPUS_DELAY })],
  ])('%s', async (_, file) => {
    const once = (await heard(file, 5000)).samples[0]?.length as number;
    for (const size of [97, 5000, 1_000_000]) {
      const { samples } = await heard(Buffer.concat([file, file]), size);
      expect(samples[0]).toHaveLength(2 * once);
    }
  });
});
