/**
 * Opus packets to samples, with both libraries: tones, many decoders at once, lost packets, packets that are none.
 */
import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import fc from 'fast-check';
import { concat } from '../../support/samples.js';
import { describe, expect, test } from 'vitest';
import { nativeOpus, type OpusBackend, wasmOpus } from '../../../src/audio/formats/opus-backend.js';
import { OpusDecoder } from '../../../src/audio/formats/opus-decoder.js';
import { parseOpusPacket } from '../../../src/audio/formats/opus-packet.js';
import { encodeOpus, likeness, OPUS_DELAY } from '../../support/opus.js';
import { sine } from '../../support/wav-file.js';

const left = sine(440, 0.5, 48_000);
const right = sine(613, 0.5, 48_000, 0.25);

const backends: [string, OpusBackend | undefined][] = [
  ['@evan/opus (WebAssembly)', wasmOpus()],
  ["prism-media's choice (native)", nativeOpus()],
];

function decodeAll(packets: Uint8Array[], channels: 1 | 2, backend: OpusBackend): Float32Array[] {
  const decoder = new OpusDecoder(channels, backend);
  const parts = packets.map((packet) => decoder.decode(packet));
  decoder.close();
  return join(parts, channels);
}

function join(parts: Float32Array[][], channels: number): Float32Array[] {
  return Array.from({ length: channels }, (_, channel) =>
    concat(parts.map((part) => part[channel] as Float32Array)),
  );
}

describe.each(backends)('%s', (_, backend) => {
  const on = test.skipIf(backend === undefined);
  const opus = backend as OpusBackend;

  on.each([120, 240, 480, 960, 1920, 2880])('stereo tones, packets of %i samples', (frameSamples) => {
    const packets = encodeOpus([left, right], frameSamples);
    const [l, r] = decodeAll(packets, 2, opus) as [Float32Array, Float32Array];
    expect(l.length).toBe(packets.length * frameSamples);
    expect(likeness(l.subarray(OPUS_DELAY + 4800), left.subarray(4800))).toBeGreaterThan(0.98);
    expect(likeness(r.subarray(OPUS_DELAY + 4800), right.subarray(4800))).toBeGreaterThan(0.98);
    expect(Math.max(...l.subarray(4800))).toBeCloseTo(0.5, 1);
  });

  on('mono packets in a stereo decoder, and the other way round', () => {
    const two = decodeAll(encodeOpus([left]), 2, opus);
    expect(two[0]).toEqual(two[1]);
    const [one] = decodeAll(encodeOpus([left, right]), 1, opus) as [Float32Array];
    const mean = left.map((sample, i) => (sample + (right[i] as number)) / 2);
    expect(likeness(one.subarray(OPUS_DELAY + 4800), mean.subarray(4800))).toBeGreaterThan(0.98);
  });

  on('packets of several frames give what their frames give', () => {
    const packets = encodeOpus([left, right]);
    const apart = decodeAll(packets.slice(0, 24), 2, opus);
    for (const size of [2, 3, 6]) {
      const together: Uint8Array[] = [];
      for (let at = 0; at < 24; at += size) together.push(pack(packets.slice(at, at + size), 7));
      expect(decodeAll(together, 2, opus)).toEqual(apart);
    }
  });

  on('forty decoders at once do not disturb each other, and a closed one leaves nothing behind', () => {
    const packets = encodeOpus([left, right]).slice(0, 3);
    const alone = decodeAll(packets, 2, opus);
    for (let round = 0; round < 2; round++) {
      const decoders = Array.from({ length: 40 }, () => new OpusDecoder(2, opus));
      const parts = decoders.map((): Float32Array[][] => []);
      for (const packet of packets) {
        for (const [i, decoder] of decoders.entries()) parts[i]?.push(decoder.decode(packet));
      }
      for (const decoder of decoders) decoder.close();
      for (const part of parts) expect(join(part, 2)).toEqual(alone);
    }
  });

  on('a lost packet goes on as the tone did, and the next ones are heard', () => {
    const packets = encodeOpus([left, right]);
    const decoder = new OpusDecoder(2, opus);
    const parts = packets.map((packet, i) => (i === 10 ? decoder.conceal(960) : decoder.decode(packet)));
    decoder.close();
    const whole = decodeAll(packets, 2, opus)[0] as Float32Array;
    const [l] = join(parts, 2) as [Float32Array];
    expect(l.length).toBe(whole.length);
    expect(likeness(l.subarray(9600, 10_560), whole.subarray(9600, 10_560))).toBeGreaterThan(0.9);
    expect(likeness(l.subarray(12_000), whole.subarray(12_000))).toBeGreaterThan(0.99);
    // In the middle of a tone an empty packet's concealment does not end after the packet.
    expect(Math.max(...l.subarray(9600, 10_560))).toBeGreaterThan(0.25);
  });

  on(
    'concealment has the length that was asked for, fades away, and comes before any packet as silence',
    () => {
      const decoder = new OpusDecoder(1, opus);
      expect(decoder.conceal(960)[0]).toEqual(new Float32Array(960));
      for (const packet of encodeOpus([left])) decoder.decode(packet);
      expect(decoder.conceal(1000)[0]).toHaveLength(1000);
      let last = decoder.conceal(5760)[0] as Float32Array;
      for (let i = 0; i < 10; i++) last = decoder.conceal(5760)[0] as Float32Array;
      expect(Math.max(...last.map(Math.abs))).toBeLessThan(0.1);
      expect(() => decoder.conceal(0)).toThrow(RangeError);
      decoder.close();
    },
  );

  on('any bytes are samples or a typed error, and the decoder lives on', () => {
    const decoder = new OpusDecoder(2, opus);
    const [, good] = encodeOpus([left, right]) as [Uint8Array, Uint8Array];
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
        try {
          const [l, r] = decoder.decode(bytes) as [Float32Array, Float32Array];
          expect(l.length).toBeGreaterThan(0);
          expect(l.length).toBeLessThanOrEqual(5760);
          expect(r.length).toBe(l.length);
        } catch (error) {
          expect(error).toMatchObject({ name: 'AudioError', code: 'ERR_PARAKEET_INVALID_AUDIO' });
        }
      }),
      { numRuns: 1000 },
    );
    expect(decoder.decode(good)[0]).toHaveLength(960);
    decoder.close();
  });
});

test.skipIf(nativeOpus() === undefined)('both libraries give the same samples', () => {
  const packets = encodeOpus([left, right]);
  const a = decodeAll(packets, 2, wasmOpus());
  const b = decodeAll(packets, 2, nativeOpus() as OpusBackend);
  for (const channel of [0, 1]) {
    const [x, y] = [a[channel], b[channel]] as [Float32Array, Float32Array];
    expect(Math.max(...x.map((sample, i) => Math.abs(sample - (y[i] as number))))).toBeLessThan(0.001);
  }
});

test("prism-media's choice decodes, and goes on behind a packet that it refuses", () => {
  const folder = mkdtempSync(path.join(tmpdir(), 'parakeet-opus-'));
  try {
    const fake = path.join(folder, '@discordjs', 'opus');
    mkdirSync(fake, { recursive: true });
    writeFileSync(
      path.join(fake, 'index.js'),
      `exports.OpusEncoder = class {
        #packets = 0;
        decode(packet) {
          if (packet[1] === 7) throw new Error('no such packet');
          return Buffer.from(new Int16Array(960).fill(++this.#packets * 256).buffer);
        }
      };`,
    );
    const program = `
      import { OpusDecoder } from '${new URL('../../../dist/audio/formats/opus-decoder.js', import.meta.url)}';
      const decoder = new OpusDecoder(1);
      const first = (packet) => decoder.decode(Uint8Array.from(packet))[0][0] * 128;
      const seen = [decoder.library, first([0xf8, 1]), first([0xf8, 2])];
      try { first([0xf8, 7]); } catch (error) { seen.push(error.code, error.cause.message); }
      seen.push(first([0xf8, 3]));
      decoder.close();
      console.log(JSON.stringify(seen));`;
    const { stdout, stderr } = spawnSync(process.execPath, ['--input-type=module', '-e', program], {
      encoding: 'utf8',
      env: { ...process.env, NODE_PATH: folder },
    });
    expect(stderr).toBe('');
    expect(JSON.parse(stdout)).toEqual(['native', 1, 2, 'ERR_PARAKEET_INVALID_AUDIO', 'no such packet', 1]);
  } finally {
    rmSync(folder, { recursive: true });
  }
});

describe('the framing of a packet', () => {
  const sizes = (bytes: number[]) => parseOpusPacket(Uint8Array.from(bytes)).frames.map((f) => f.length);

  test.each([
    ['one frame', [0xf8, 1, 2, 3], [3]],
    ['one frame without bytes', [0xf8], [0]],
    ['two of one size', [0xf9, 1, 2, 3, 4], [2, 2]],
    ['two of different sizes', [0xfa, 1, 9, 8, 7], [1, 2]],
    ['two, the first of a long size', [0xfa, 252, 1, ...new Array(256).fill(0), 5], [256, 1]],
    ['three of one size', [0xfb, 3, 1, 2, 3, 4, 5, 6], [2, 2, 2]],
    ['three of different sizes', [0xfb, 0x83, 1, 0, 7, 8, 9], [1, 0, 2]],
    ['two with padding', [0xfb, 0x42, 2, 1, 2, 3, 4, 0, 0], [2, 2]],
    ['one with padding of 255', [0xfb, 0x41, 255, 0, 5, ...new Array(254).fill(0)], [1]],
  ])('%s', (_, bytes, expected) => {
    expect(sizes(bytes)).toEqual(expected);
  });

  test.each([
    ['nothing', []],
    ['two of one size in an odd number', [0xf9, 1, 2, 3]],
    ['a first frame that is longer than all', [0xfa, 9, 1, 2]],
    ['no frames', [0xfb, 0]],
    ['more than 120 ms', [0xfb, 7, 1, 2, 3, 4, 5, 6, 7]],
    ['padding that is longer than the packet', [0xfb, 0x41, 9, 1]],
    ['a size that is cut', [0xfa, 252]],
    ['a frame of more than 1275 bytes', [0xf8, ...new Array(1276).fill(1)]],
  ])('typed error for %s', (_, bytes) => {
    expect(() => sizes(bytes)).toThrow(
      expect.objectContaining({ name: 'AudioError', code: 'ERR_PARAKEET_INVALID_AUDIO' }),
    );
  });

  test.each([
    [0x00, 480],
    [0x08, 960],
    [0x10, 1920],
    [0x18, 2880],
    [0x60, 480],
    [0x68, 960],
    [0x80, 120],
    [0x88, 240],
    [0x90, 480],
    [0xf8, 960],
  ])('toc %i: %i samples', (toc, samples) => {
    expect(parseOpusPacket(Uint8Array.of(toc)).frameSamples).toBe(samples);
  });
});

/** Single-frame packets as one packet of code 3 with sizes and padding. */
function pack(packets: Uint8Array[], padding: number): Uint8Array {
  const frames = packets.map((packet) => parseOpusPacket(packet).frames[0] as Uint8Array);
  const size = (n: number) => (n < 252 ? [n] : [252 + (n & 3), (n - 252 - (n & 3)) / 4]);
  return Uint8Array.from([
    (packets[0]?.[0] as number) | 3,
    0xc0 | frames.length,
    padding,
    ...frames.slice(0, -1).flatMap((frame) => size(frame.length)),
    ...frames.flatMap((frame) => Array.from(frame)),
    ...new Array<number>(padding).fill(0),
  ]);
}
