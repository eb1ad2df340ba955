/**
 * The decode stage: every WAV width, odd and lying headers, FLAC, raw PCM, what is not audio, any split.
 */
import { readFileSync } from 'node:fs';
import { PassThrough } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import wav from 'wav';
import { type DecodeOptions, decode } from '../../src/transforms/decode.js';
import { joined, pieces, through } from '../support/streams.js';
import { sine, wavFile } from '../support/wav-file.js';

const run = (bytes: Uint8Array, options?: DecodeOptions, size = 1000) =>
  through(pieces(bytes, size), decode(options));

const left = sine(440, 0.35, 16_000);
const right = sine(300, 0.35, 16_000, 0.25);
const six = Array.from({ length: 6 }, (_, i) => sine(200 + 50 * i, 0.1, 16_000));

function expectClose(actual: Float32Array | undefined, expected: ArrayLike<number>, tolerance: number) {
  expect(actual?.length).toBe(expected.length);
  let worst = 0;
  for (let i = 0; i < expected.length; i++) {
    worst = Math.max(worst, Math.abs((actual?.[i] as number) - (expected[i] as number)));
  }
  expect(worst).toBeLessThanOrEqual(tolerance);
}

describe('WAV', () => {
  test.each([
    ['8-bit', { bits: 8 }, 1 / 256],
    ['16-bit', { bits: 16 }, 2 ** -16],
    ['24-bit', { bits: 24 }, 2 ** -24],
    ['32-bit', { bits: 32 }, 2 ** -24],
    ['20-bit in 24', { bits: 20, container: 3 }, 2 ** -20],
    ['32-bit float', { bits: 32, format: 'float' }, 0],
    ['64-bit float', { bits: 64, format: 'float' }, 0],
    ['16-bit extensible', { bits: 16, extensible: true }, 2 ** -16],
    ['24-bit in 32 extensible', { bits: 24, container: 4, extensible: true }, 2 ** -24],
    ['float extensible', { bits: 32, format: 'float', extensible: true }, 0],
    ['big-endian 16-bit', { bits: 16, bigEndian: true }, 2 ** -16],
    ['big-endian 24-bit', { bits: 24, bigEndian: true }, 2 ** -24],
  ] as const)('%s, mono, stereo and 5.1', async (_, spec, tolerance) => {
    for (const channels of [[left], [left, right], six]) {
      const { items, error } = await run(wavFile(channels, spec));
      expect(error).toBeUndefined();
      expect(items.every((chunk) => chunk.sampleRate === 16_000)).toBe(true);
      const out = joined(items);
      expect(out).toHaveLength(channels.length);
      for (const [i, channel] of channels.entries()) expectClose(out[i], channel, tolerance);
    }
  });

  test('reads what the wav package writes, and agrees with its reader', async () => {
    const writer = new wav.Writer({ sampleRate: 22_050, channels: 2, bitDepth: 16 });
    const samples = Buffer.from(Int16Array.from({ length: 4410 }, (_, i) => (i * 997) % 32_768).buffer);
    // The package's streams are of the first kind, without an iterator.
    const written = writer.pipe(new PassThrough());
    writer.end(samples);
    const file = await buffer(written);
    const reader = new wav.Reader();
    const body = new PassThrough();
    reader.pipe(body);
    reader.end(file);
    const expected = new Int16Array(new Uint8Array(await buffer(body)).buffer);
    const { items, error } = await run(file);
    expect(error).toBeUndefined();
    const [l, r] = joined(items);
    expectClose(
      l,
      Float32Array.from({ length: expected.length / 2 }, (_, i) => (expected[2 * i] as number) / 32_768),
      0,
    );
    expectClose(
      r,
      Float32Array.from({ length: expected.length / 2 }, (_, i) => (expected[2 * i + 1] as number) / 32_768),
      0,
    );
  });

  test('chunks before fmt and before data, odd and empty ones, junk after the data', async () => {
    const file = wavFile([left], {
      before: [
        ['JUNK', Buffer.alloc(28)],
        ['LIST', Buffer.from('INFOodd')],
      ],
      between: [
        ['fact', Buffer.alloc(4)],
        ['LIST', Buffer.alloc(0)],
        ['bext', Buffer.alloc(603)],
      ],
      after: Buffer.from('8 bytes!'),
    });
    for (const size of [1, 7, file.length]) {
      const { items, error } = await run(file, {}, size);
      expect(error).toBeUndefined();
      expectClose(joined(items)[0], left, 2 ** -16);
    }
  });

  test.each([
    ['ffmpeg into a pipe', { dataSize: 0xffffffff, riffSize: 0xffffffff }],
    ['sox into a pipe', { dataSize: 0x7ffff000, riffSize: 0x7ffff024 }],
    ['a recorder that was killed', { dataSize: 0, riffSize: 0 }],
    ['a recorder that was killed, with a size in RIFF', { dataSize: 0, riffSize: 36 }],
  ])('an unknown length is read to the end: %s', async (_, spec) => {
    const { items, error } = await run(wavFile([left], spec));
    expect(error).toBeUndefined();
    expectClose(joined(items)[0], left, 2 ** -16);
  });

  test('no audio at all is no error', async () => {
    for (const file of [
      wavFile([[]]),
      wavFile([[]], { after: Buffer.from('LIST\x04\x00\x00\x00INFO', 'latin1') }),
    ]) {
      expect(await run(file)).toEqual({ items: [], error: undefined });
    }
  });

  test('a data size that promises more than comes: everything, then the error', async () => {
    const { items, error } = await run(wavFile([left, right], { dataSize: 1_000_001 }));
    expectClose(joined(items)[0], left, 2 ** -16);
    expect(error).toMatchObject({ code: 'ERR_PARAKEET_INVALID_AUDIO' });
    expect(error?.message).toMatch(/Expected 1000001 bytes .* received 22400/);
  });

  test('a file cut within a sample says only that it came short', async () => {
    const { items, error } = await run(wavFile([left, right]).subarray(0, -3));
    expect(joined(items)[0]).toHaveLength(left.length - 1);
    expect(error?.message).toMatch(/as the WAV header says/);
  });

  test.each([
    ['a rate of 0', wavFile([left], { sampleRate: 0 }), /sample rate/],
    ['no channels', wavFile([left], { channels: 0 }), /channels/],
    ['12-byte samples', wavFile([left], { container: 5, bits: 40 }), /bits/],
    ['data before fmt', Buffer.from('RIFF\x24\x00\x00\x00WAVEdata\x04\x00\x00\x00abcd', 'latin1'), /fmt/],
    ['a short fmt', Buffer.from('RIFF\x24\x00\x00\x00WAVEfmt \x04\x00\x00\x00abcd', 'latin1'), /fmt/],
    ['an end within the header', wavFile([left]).subarray(0, 30), /ended after 30 bytes of header/],
    [
      'an absurd chunk',
      Buffer.from('RIFF\x24\x00\x00\x00WAVEJUNK\xff\xff\xff\xffabcd', 'latin1'),
      /ended after/,
    ],
  ])('typed error for %s', async (_, file, message) => {
    const { items, error } = await run(file);
    expect(items).toEqual([]);
    expect(error).toMatchObject({ name: 'AudioError', code: 'ERR_PARAKEET_INVALID_AUDIO' });
    expect(error?.message).toMatch(message);
  });

  test.each([
    // ITU-T G.711: the codes of nothing, of the loudest, and one between.
    [6, 'A-law', { 213: 8, 85: -8, 170: 32_256, 42: -32_256, 129: 5248 }],
    [7, 'µ-law', { 255: 0, 127: 0, 128: 32_124, 0: -32_124, 177: 3772 }],
  ])('format %i is %s', async (tag, _name, codes) => {
    const file = wavFile([new Float32Array(Object.keys(codes).length)], { bits: 8, sampleRate: 8000 });
    file.writeUInt16LE(tag, 20);
    Object.keys(codes).forEach((code, i) => {
      file[44 + i] = Number(code);
    });
    const { items, error } = await through(pieces(file, 5), decode());
    expect(error).toBeUndefined();
    expect(Array.from(joined(items)[0] ?? [], (x) => x * 32_768 + 0)).toEqual(Object.values(codes));
  });

  test('a coding that is not supported is named in the error', async () => {
    const file = wavFile([new Float32Array(8)], { bits: 8, sampleRate: 8000 });
    file.writeUInt16LE(2, 20);
    const { error } = await through([file], decode({ format: 'wav' }));
    expect(error).toMatchObject({ code: 'ERR_PARAKEET_UNSUPPORTED_FORMAT' });
    expect(error?.message).toMatch(/Microsoft ADPCM/);
  });

  test.each(['RF64', 'BW64'])('%s takes the length of its data from ds64', async (id) => {
    const samples = sine(440, 0.2, 16_000);
    const ds64 = Buffer.alloc(28);
    ds64.writeBigUInt64LE(BigInt(2 * samples.length), 8);
    const whole = wavFile([samples], {
      before: [['ds64', ds64]],
      dataSize: 0xffffffff,
      riffSize: 0xffffffff,
    });
    whole.write(id, 'latin1');
    const junk = Buffer.concat([whole, Buffer.from('LIST\x10\0\0\0', 'latin1'), Buffer.alloc(16, 7)]);
    const { items, error } = await through(pieces(junk, 777), decode());
    expect(error).toBeUndefined();
    expect(joined(items)[0]?.length).toBe(samples.length);
    const cut = await through([whole.subarray(0, -100)], decode());
    expect(cut.error).toMatchObject({ code: 'ERR_PARAKEET_INVALID_AUDIO' });
  });
});

describe('raw PCM', () => {
  test.each([
    'u8',
    's8',
    's16le',
    's16be',
    's24le',
    's24be',
    's32le',
    's32be',
    'f32le',
    'f32be',
    'f64le',
    'f64be',
  ] as const)('%s', async (format) => {
    const bits = Number.parseInt(format.slice(1), 10);
    const file = wavFile([left, right], {
      bits,
      format: format.startsWith('f') ? 'float' : 'int',
      bigEndian: format.endsWith('be'),
    });
    const body = file.subarray(44);
    if (format === 's8') for (let i = 0; i < body.length; i++) body.writeInt8((body[i] as number) - 128, i);
    const { items, error } = await run(body, { format, sampleRate: 16_000, channels: 2 });
    expect(error).toBeUndefined();
    const tolerance = format.startsWith('f') ? 0 : 2 ** -Math.min(bits, 24);
    expectClose(joined(items)[0], left, bits === 8 ? 1 / 256 : tolerance);
    expectClose(joined(items)[1], right, bits === 8 ? 1 / 256 : tolerance);
  });

  test('an odd number of bytes: all whole samples, then the error', async () => {
    const { items, error } = await run(Buffer.alloc(2001), { format: 's16le', sampleRate: 16_000 });
    expect(joined(items)[0]).toHaveLength(1000);
    expect(error).toMatchObject({ code: 'ERR_PARAKEET_INVALID_AUDIO' });
  });
});

test.each([
  ['no size of a block', 0],
  ['that of one channel', 2],
  ['one that is too small', 1],
])('a WAV header with %s is read by its bits', async (_, blockAlign) => {
  const file = wavFile([left, right]);
  file.writeUInt16LE(blockAlign, 32);
  const { items, error } = await run(file);
  expect(error).toBeUndefined();
  expectClose(joined(items)[1], right, 2 ** -16);
});

test('what a header says of the length is known: WAV, FLAC', async () => {
  const flac = readFileSync(new URL('../audio/jfk.flac', import.meta.url));
  for (const [bytes, options, seconds] of [
    [wavFile([left, right], { bits: 24 }), {}, 0.35],
    [wavFile([left], { dataSize: 0xffffffff }), {}, undefined],
    [flac, {}, 11],
    [flac, { start: 2 }, 9],
    [flac, { start: 2, duration: 3 }, 3],
  ] as const) {
    const stage = decode(options);
    await through(pieces(bytes, 5000), stage);
    if (seconds === undefined) expect(stage.duration).toBeUndefined();
    else expect(stage.duration).toBeCloseTo(seconds, 6);
  }
});

describe('FLAC', () => {
  const file = readFileSync(new URL('../fixtures/stereo-24bit-48k.flac', import.meta.url));
  const expected = [
    Float32Array.from({ length: 14_400 }, (_, i) => (((i * 7919) % 65_536) - 32_768) / 32_768),
    Float32Array.from({ length: 14_400 }, (_, i) => (((i * 104_729) % 16_777_216) - 8_388_608) / 8_388_608),
  ];

  test('24-bit stereo, sample by sample, for any split', async () => {
    for (const size of [1, 5, 4096, file.length]) {
      const { items, error } = await run(file, {}, size);
      expect(error).toBeUndefined();
      expect(items[0]?.sampleRate).toBe(48_000);
      expectClose(joined(items)[0], expected[0] as Float32Array, 2 ** -23);
      expectClose(joined(items)[1], expected[1] as Float32Array, 2 ** -23);
    }
  });

  test('a file cut short: what is intact, then the error', async () => {
    const { items, error } = await run(file.subarray(0, Math.floor(file.length * 0.6)));
    const out = joined(items)[0] as Float32Array;
    expect(out.length).toBeGreaterThan(0);
    expectClose(out, (expected[0] as Float32Array).subarray(0, out.length), 2 ** -23);
    expect(error).toMatchObject({ code: 'ERR_PARAKEET_INVALID_AUDIO' });
    expect(error?.message).toMatch(/Expected 14400 samples/);
  });

  test('all 36 bits of the number of samples count', async () => {
    const long = Buffer.from(file);
    // STREAMINFO is the first block; its 14th byte ends with the upper 4 bits.
    long.writeUInt8((long.readUInt8(8 + 13) & 0xf0) | 0x9, 8 + 13);
    const { error } = await run(long);
    expect(error?.message).toMatch(new RegExp(`Expected ${9 * 2 ** 32 + 14_400} samples`));
    const whole = Buffer.from(file);
    whole.writeUInt32BE(0x80000000, 8 + 14);
    expect((await run(whole)).error?.message).toMatch(new RegExp(`Expected ${2 ** 31} samples`));
  });

  test('a file cut within its metadata, and one of metadata alone', async () => {
    for (const bytes of [file.subarray(0, 20), file.subarray(0, 5)]) {
      const { items, error } = await run(bytes, { format: 'flac' });
      expect(items).toEqual([]);
      expect(error).toMatchObject({ code: 'ERR_PARAKEET_INVALID_AUDIO' });
    }
  });

  test('a damaged frame is reported, and nothing is printed', async () => {
    const damaged = Buffer.from(file);
    damaged.fill(0x55, file.length - 3000, file.length - 2000);
    const printed: unknown[] = [];
    const original = console.error;
    console.error = (...what: unknown[]) => printed.push(what);
    try {
      const { error } = await run(damaged);
      expect(error).toMatchObject({ code: 'ERR_PARAKEET_INVALID_AUDIO' });
    } finally {
      console.error = original;
    }
    expect(printed).toEqual([]);
  });
});

test('a FLAC file whose last frame is 13 bytes of silence is complete', async () => {
  const file = readFileSync(new URL('../audio/af_sky_10.flac', import.meta.url));
  const whole = await run(file, {});
  expect(whole.error).toBeUndefined();
  expect(joined(whole.items)[0]).toHaveLength(38_400);
  const cut = await run(file.subarray(0, -1), {});
  expect(cut.error).toMatchObject({ code: 'ERR_PARAKEET_INVALID_AUDIO' });
  expect(joined(cut.items)[0]).toHaveLength(36_864);
});

describe('unmarked', () => {
  const raw = { unmarked: 's16le', sampleRate: 16_000 } as const;
  const samples = (values: number[]) => Buffer.from(Int16Array.from(values).buffer);

  test.each([
    ['silence', Array(100).fill(0)],
    ['quiet noise', Array.from({ length: 100 }, (_, i) => (i % 3) - 1)],
    ['-1 and what looks like a frame of MPEG', [-1, 0x1290, -1, 0x4444, 5, 6, 7]],
    ['loud', Array.from({ length: 100 }, (_, i) => 0x7f7f - 257 * (i % 60))],
  ])('%s is PCM', async (_, values) => {
    const { items, error } = await run(samples(values), raw);
    expect(error).toBeUndefined();
    expect(Array.from(joined(items)[0] as Float32Array, (x) => x * 32_768 + 0)).toEqual(values);
  });

  test('a file is still a file, and text is still no sound', async () => {
    const { items } = await run(wavFile([left], { bits: 16 }), raw);
    expectClose(joined(items)[0], left, 2 ** -16);
    const { error } = await run(Buffer.from('Hello, this is a text file.'), raw);
    expect(error).toMatchObject({ code: 'ERR_PARAKEET_UNSUPPORTED_FORMAT' });
  });

  test('makes no sense with a format, or without a rate', () => {
    expect(() => decode({ format: 'wav', unmarked: 's16le', sampleRate: 1 })).toThrow('unmarked');
    expect(() => decode({ unmarked: 's16le' })).toThrow('sampleRate');
    expect(() => decode({ unmarked: 'mp3' as 's16le', sampleRate: 1 })).toThrow('unmarked');
  });
});

describe('what is not supported is named', () => {
  test.each([
    ['Hello, this is a text file.', /text \("Hello, this /],
    ['RIFF\x00\x00\x00\x00RMIDdata', /RIFF file that is no WAV \("RMID"\)/],
    ['MAC addresses, a list', /text \("MAC add/],
    ['\x00\x01\x02\x03\x04\x05\x06\x07\x08\x09\x0a\x0b\x0c', /unknown bytes \(00 01 02/],
    ['hi', /text \("hi"\)/],
  ])('%j', async (text, message) => {
    const { items, error } = await run(Buffer.from(text, 'latin1'));
    expect(items).toEqual([]);
    expect(error).toMatchObject({ name: 'AudioError', code: 'ERR_PARAKEET_UNSUPPORTED_FORMAT' });
    expect(error?.message).toMatch(message);
  });

  test('a WAV decoder that gets something else says so', async () => {
    const { error } = await run(Buffer.from('fLaC and so forth'), { format: 'wav' });
    expect(error).toMatchObject({ code: 'ERR_PARAKEET_UNSUPPORTED_FORMAT' });
  });
});

test('empty input ends without a chunk', async () => {
  for (const options of [{}, { format: 's16le', sampleRate: 16_000 }] as DecodeOptions[]) {
    expect(await through([], decode(options))).toEqual({ items: [], error: undefined });
  }
});

test('any split gives the same samples, in chunks of at most 100 ms', async () => {
  const file = wavFile([left, right], { bits: 24, before: [['LIST', Buffer.from('INFOodd')]] });
  const whole = joined((await run(file, {}, file.length)).items);
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.integer({ min: 1, max: 4000 }), { minLength: 1, maxLength: 20 }),
      async (sizes) => {
        const parts: Uint8Array[] = [];
        for (let at = 0, i = 0; at < file.length; i++) {
          const size = sizes[i % sizes.length] as number;
          parts.push(file.subarray(at, at + size));
          at += size;
        }
        const { items } = await through(parts, decode());
        expect(items.every((chunk) => (chunk.channels[0]?.length ?? 0) <= 1600)).toBe(true);
        expect(joined(items)).toEqual(whole);
      },
    ),
    { numRuns: 20 },
  );
});

describe('options', () => {
  test.each([
    [{ format: 'mp3' }, /one of 'auto', 'wav'/],
    [{ format: 's16le' }, /samples per second/],
    [
      { format: 's16le', sampleRate: 0 },
      /an integer from 1 to 1000000 for sampleRate but received 0 of type number/,
    ],
    [{ format: 's16le', sampleRate: 16_000, channels: 1.5 }, /channels/],
    [{ format: 'wav', sampleRate: 16_000 }, /carries its own/],
    [{ rate: 16_000 }, /'rate'/],
    [{ signal: {} }, /AbortSignal/],
  ])('%j is refused at once', (options, message) => {
    expect(() => decode(options as DecodeOptions)).toThrow(
      expect.objectContaining({
        code: 'ERR_PARAKEET_INVALID_ARGUMENT',
        message: expect.stringMatching(message),
      }),
    );
  });
});
