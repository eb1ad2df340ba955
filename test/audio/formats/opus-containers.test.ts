/** Ogg/Opus and WebM/Opus through `decode`, without ffmpeg: to the sample, for any split, cut, damaged, chained, and as words. */
import { Readable } from 'node:stream';
import fc from 'fast-check';
import prism from 'prism-media';
import { describe, expect, test } from 'vitest';
import { wordErrorRate } from '../../../bench/wer-metric.mjs';
import { bundledModel } from '../../../src/bundled-model.js';
import { loadModel } from '../../../src/load-model.js';
import { samplesOf } from '../../support/samples.js';
import { decode } from '../../../src/transforms/decode.js';
import { resample } from '../../../src/transforms/resample.js';
import { element, oggOpus, oggPage, opusHead, webmOpus } from '../../support/containers.js';
import { encodeOpus, likeness, OPUS_DELAY } from '../../support/opus.js';
import { joined, pieces, through } from '../../support/streams.js';

const seconds = 1.3;
const length = Math.round(seconds * 48_000);
/** A chirp, the same in two channels but for the sign of the second. */
const left = Float32Array.from({ length: length + 960 }, (_, i) =>
  i < length ? 0.4 * Math.sin(i * i * 4e-6) : 0,
);
const right = left.map((x) => -0.5 * x);
const mono = encodeOpus([left]);
const stereo = encodeOpus([left, right]);

async function decoded(bytes: Uint8Array, size = 1000) {
  const { items, error } = await through(pieces(bytes, size), decode());
  return { samples: joined(items), rate: items[0]?.sampleRate, error, chunks: items };
}

const files: [string, Uint8Array, number][] = [
  ['Ogg, mono', oggOpus(mono, { preSkip: OPUS_DELAY, length }), 1],
  ['Ogg, stereo', oggOpus(stereo, { preSkip: OPUS_DELAY, length, channels: 2 }), 2],
  ['Ogg, a piece of a broadcast', oggOpus(mono, { preSkip: OPUS_DELAY, length, origin: 1e9 }), 1],
  ['WebM', webmOpus(mono, { preSkip: OPUS_DELAY, discard: mono.length * 960 - OPUS_DELAY - length }), 1],
  ...(['xiph', 'fixed', 'ebml'] as const).map((lacing): [string, Uint8Array, number] => [
    `WebM with ${lacing} lacing`,
    webmOpus(stereo, {
      preSkip: OPUS_DELAY,
      channels: 2,
      lacing,
      discard: stereo.length * 960 - OPUS_DELAY - length,
    }),
    2,
  ]),
];

describe.each(files)('%s', (_name, file, channels) => {
  test('gives the samples that went in: as many, at their place', async () => {
    const { samples, rate, error, chunks } = await decoded(file);
    expect(error).toBeUndefined();
    expect(rate).toBe(48_000);
    expect(samples.map((plane) => plane.length)).toEqual(new Array(channels).fill(length));
    expect(likeness(samples[0] ?? [], left.subarray(0, length))).toBeGreaterThan(0.85);
    if (channels === 2) expect(likeness(samples[1] ?? [], right.subarray(0, length))).toBeGreaterThan(0.85);
    for (const chunk of chunks) expect(chunk.channels[0]?.length).toBeLessThanOrEqual(4800);
  });

  test('gives the same for any split', async () => {
    const { samples } = await decoded(file);
    for (const size of [7, 333, file.length]) expect((await decoded(file, size)).samples).toEqual(samples);
  });

  test('cut anywhere gives what came before and a typed error, or an end between two pages or elements', async () => {
    const { samples } = await decoded(file);
    await fc.assert(
      fc.asyncProperty(fc.integer({ min: 12, max: file.length - 1 }), async (at) => {
        const cut = await decoded(file.subarray(0, at), 5000);
        if (cut.error) expect(cut.error.code).toMatch(/^ERR_PARAKEET_(INVALID_AUDIO|MISSING_DEPENDENCY)$/);
        const got = cut.samples[0] ?? new Float32Array(0);
        expect(got.subarray(0, length)).toEqual(samples[0]?.subarray(0, got.length));
        // Without the padding that is to be discarded, the last packet is too long.
        expect(got.length).toBeLessThanOrEqual(length + 960);
      }),
      { numRuns: 12 },
    );
  });
});

test('chained Ogg streams are played one after the other, also of other channels', async () => {
  const one = oggOpus(mono, { preSkip: OPUS_DELAY, length, serial: 1 });
  const two = oggOpus(stereo.slice(0, 22), { preSkip: OPUS_DELAY, length: 20_000, channels: 2, serial: 9 });
  const { items, error } = await through(pieces(Buffer.concat([one, two, one]), 999), decode());
  expect(error).toBeUndefined();
  const lengths = items.map((chunk) => chunk.channels.map((plane) => plane.length));
  const of = (channels: number) =>
    lengths.filter((own) => own.length === channels).reduce((sum, own) => sum + (own[0] as number), 0);
  expect(of(1)).toBe(2 * length);
  expect(of(2)).toBe(20_000);
});

test('a second logical stream beside the sound is left alone, and the output gain is applied', async () => {
  const sound = oggOpus(mono, { preSkip: OPUS_DELAY, length, packetsPerPage: 65, gain: -6 * 256 });
  const other = oggPage([Buffer.from('something else')], { serial: 5, granule: 0, flags: 2 });
  const firstPage = 27 + 1 + 19;
  const both = Buffer.concat([sound.subarray(0, firstPage), other, sound.subarray(firstPage)]);
  const { samples } = await decoded(both);
  const plain = (await decoded(oggOpus(mono, { preSkip: OPUS_DELAY, length }))).samples;
  expect(samples[0]?.length).toBe(length);
  expect(samples[0]?.[9000]).toBeCloseTo((plain[0]?.[9000] as number) * 10 ** (-6 / 20), 5);
});

test('a damaged page is noticed, after what came before it', async () => {
  const file = Buffer.from(oggOpus(mono, { preSkip: OPUS_DELAY, length }));
  const at = Math.floor(file.length * 0.7);
  file[at] = (file[at] as number) ^ 0x10;
  const { samples, error } = await decoded(file);
  expect(error).toMatchObject({ code: 'ERR_PARAKEET_INVALID_AUDIO' });
  expect(samples[0]?.length).toBeGreaterThan(length / 3);
});

test("prism-media's demuxers find the same packets, as far as they go", async () => {
  const packetsOf = async (demuxer: NodeJS.ReadWriteStream, file: Uint8Array) => {
    const packets: Uint8Array[] = [];
    for await (const packet of Readable.from([file]).pipe(demuxer)) packets.push(packet as unknown as Buffer);
    return packets.map((packet) => Buffer.from(packet));
  };
  const ogg = await packetsOf(new prism.opus.OggDemuxer(), files[0]?.[1] as Uint8Array);
  expect(ogg).toEqual(mono.map((packet) => Buffer.from(packet)));
  const webm = await packetsOf(new prism.opus.WebmDemuxer(), files[3]?.[1] as Uint8Array);
  // It knows no block groups: the last packet is missing.
  expect(webm).toEqual(mono.slice(0, -1).map((packet) => Buffer.from(packet)));
});

test.each([
  [
    'Ogg of another codec',
    oggPage([Buffer.from('\x01vorbis and more bytes')], { serial: 1, granule: 0, flags: 2 }),
  ],
  [
    'Ogg/Opus of six channels',
    oggPage([opusHead(6, 312, { family: 1 })], { serial: 1, granule: 0, flags: 2 }),
  ],
  ['WebM of another codec', webmOpus(mono, { preSkip: 312, codec: 'A_VORBIS' })],
  ['WebM without tracks', Buffer.concat([element([0x1a, 0x45, 0xdf, 0xa3], new Uint8Array(20))])],
])('%s goes to ffmpeg, and without one the error says so', async (_name, file) => {
  const before = process.env.FFMPEG_PATH;
  process.env.FFMPEG_PATH = '/nowhere/ffmpeg';
  try {
    const { error } = await decoded(file);
    expect(error).toMatchObject({ code: 'ERR_PARAKEET_MISSING_DEPENDENCY' });
  } finally {
    if (before === undefined) delete process.env.FFMPEG_PATH;
    else process.env.FFMPEG_PATH = before;
  }
});

test('a recording as Opus is heard as it is as FLAC', async () => {
  const model = await loadModel(bundledModel());
  try {
    const recording = new URL('../../audio/jfk.flac', import.meta.url);
    const whole = await samplesOf(recording);
    const wide = joined(
      (await through([{ channels: [whole], sampleRate: 16_000 }], resample(48_000))).items,
    )[0] as Float32Array;
    const file = oggOpus(encodeOpus([wide]), { preSkip: OPUS_DELAY, length: wide.length - OPUS_DELAY });
    const said =
      'and so my fellow americans ask not what your country can do for you ask what you can do for your country';
    const wer = async (source: URL | Uint8Array) =>
      wordErrorRate([{ said, heard: (await model.transcribe(source)).text }]).wer;
    expect(await wer(file)).toBeLessThanOrEqual((await wer(recording)) + 5);
  } finally {
    await model.close();
  }
});
