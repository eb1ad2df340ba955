/**
 * Damage in the middle of a file: silence of the right length stands for what is lost, a `gap` tells it, the rest is heard at its
 * times, and the failure comes last. For any split of the bytes.
 */
import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { TranscriptEvent } from '../../src/events.js';
import { bundledModel } from '../../src/bundled-model.js';
import { loadModel } from '../../src/load-model.js';
import { parakeet } from '../../src/parakeet.js';
import { decode } from '../../src/transforms/decode.js';
import { oggOpus, webmOpus } from '../support/containers.js';
import { encodeOpus, OPUS_DELAY } from '../support/opus.js';
import { drain, joined, pieces, through } from '../support/streams.js';
import { sine, wavFile } from '../support/wav-file.js';

const length = 4 * 48_000;
const tone = Float32Array.from({ length: length + 960 }, (_, i) =>
  i < length ? 0.4 * Math.sin(i * i * 1e-6) : 0,
);
const packets = encodeOpus([tone]);
const speech = readFileSync(new URL('../audio/jfk.flac', import.meta.url));

interface Case {
  file: Uint8Array;
  /** Bytes that are damaged, from where on. */
  damaged: [at: number, bytes: number];
  /** The most seconds that may be lost. */
  most: number;
  /** How far the samples may lie from those of the intact file, behind the damage and some time to settle. */
  tolerance?: number;
}
const cases: Record<string, Case> = {
  FLAC: { file: speech, damaged: [speech.length >> 1, 40], most: 0.3 },
  'FLAC, the head of a frame': {
    file: speech,
    damaged: [speech.indexOf(Buffer.from([0xff, 0xf8]), 90_000), 2],
    most: 0.3,
  },
  'Ogg/Opus': {
    file: oggOpus(packets, { preSkip: OPUS_DELAY, length }),
    damaged: [20_000, 30],
    most: 0.3,
    tolerance: 0.05,
  },
  'WebM/Opus': {
    file: webmOpus(packets, { preSkip: OPUS_DELAY }),
    damaged: [320_000, 500],
    most: 0.3,
    tolerance: 0.05,
  },
  MP3: {
    file: readFileSync(new URL('../fixtures/chirp.mp3', import.meta.url)),
    damaged: [9000, 700],
    most: 0.3,
    tolerance: 0.05,
  },
};

async function run(bytes: Uint8Array, sizes: number[] = [1000]) {
  const parts: Uint8Array[] = [];
  for (let at = 0, i = 0; at < bytes.length; i++) {
    const size = sizes[i % sizes.length] as number;
    parts.push(bytes.subarray(at, at + size));
    at += size;
  }
  const stage = decode();
  const gaps: { start: number; end: number }[] = [];
  stage.on('gap', (gap) => gaps.push(gap));
  const { items, error } = await through(parts, stage);
  return { samples: joined(items)[0] as Float32Array, rate: items[0]?.sampleRate ?? 1, gaps, error };
}

function damage({ file, damaged: [at, bytes] }: Case): Buffer {
  const copy = Buffer.from(file);
  for (let i = at; i < at + bytes; i++) copy[i] = 0x55 ^ (i & 1);
  return copy;
}

describe.each(Object.entries(cases))('%s', (_name, given) => {
  test('the rest is heard at its times, the gap is told, the failure comes last', async () => {
    const whole = await run(given.file);
    const { samples, rate, gaps, error } = await run(damage(given));
    expect(samples.length).toBe(whole.samples.length);
    expect(gaps).toHaveLength(1);
    const [gap] = gaps as [{ start: number; end: number }];
    expect(gap.end).toBeGreaterThan(gap.start);
    expect(gap.end - gap.start).toBeLessThanOrEqual(given.most);
    expect(error).toMatchObject({ code: 'ERR_PARAKEET_INVALID_AUDIO' });
    expect(error?.message).toMatch(/damaged in one place, at \d+\.\d+ s/);
    const [begin, end] = [Math.round(gap.start * rate), Math.round(gap.end * rate)];
    expect(samples.subarray(begin, end).every((value) => value === 0)).toBe(true);
    // Where packets have no sum of their own, the last one before may be damaged too.
    const intact = given.tolerance ? begin - 0.1 * rate : begin;
    expect(samples.subarray(0, intact)).toEqual(whole.samples.subarray(0, intact));
    // A decoder that predicts takes a moment to come back to itself.
    const settled = end + Math.round(given.tolerance ? 0.3 * rate : 0);
    for (let i = settled; i < samples.length; i++) {
      const distance = Math.abs((samples[i] as number) - (whole.samples[i] as number));
      if (distance > (given.tolerance ?? 0)) expect.unreachable(`${distance} off at ${i / rate} s`);
    }
  });

  test('the same for any split', async () => {
    const bytes = damage(given);
    const whole = await run(bytes, [bytes.length]);
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.integer({ min: 1, max: 5000 }), { minLength: 1, maxLength: 6 }),
        async (sizes) => {
          const { samples, gaps, error } = await run(bytes, sizes);
          expect(samples).toEqual(whole.samples);
          expect(gaps).toEqual(whole.gaps);
          expect(error?.message).toBe(whole.error?.message);
        },
      ),
      { numRuns: 3 },
    );
  });
});

test('two places in a FLAC are two gaps', async () => {
  const bytes = Buffer.from(speech);
  bytes.fill(0x55, 60_000, 60_050).fill(0x55, 120_000, 120_050);
  const { gaps, error, samples } = await run(bytes);
  expect(gaps).toHaveLength(2);
  expect(samples).toHaveLength(176_000);
  expect(error?.message).toMatch(/2 places, the first at/);
});

test('frames that were cut out of a FLAC leave their time', async () => {
  const at = (from: number) => speech.indexOf(Buffer.from([0xff, 0xf8]), from);
  const [begin, end] = [at(60_000), at(70_000)];
  const { gaps, samples, error } = await run(
    Buffer.concat([speech.subarray(0, begin), speech.subarray(end)]),
  );
  expect(samples).toHaveLength(176_000);
  expect(gaps).toHaveLength(1);
  expect(error?.message).toMatch(/damaged/);
});

test('an Opus packet that cannot be decoded is silence of its length', async () => {
  const bad = packets.map((packet, i) =>
    i === 50 ? Uint8Array.from([packet[0] as number | 3, 0xff, 0xff]) : packet,
  );
  bad[50] = Uint8Array.of((packets[50]?.[0] as number) | 3, 0x3f);
  const { samples, gaps, error } = await run(oggOpus(bad, { preSkip: OPUS_DELAY, length }));
  expect(samples).toHaveLength(length);
  expect(gaps).toHaveLength(1);
  expect(gaps[0]?.end).toBeCloseTo((gaps[0]?.start ?? 0) + 0.02, 6);
  expect(error?.message).toMatch(/Opus packet/);
});

test.each([
  ['later', 0x10],
  ['earlier', 0],
])('a WebM block whose time is damaged to be %s moves nothing that comes behind it', async (_name, high) => {
  const file = webmOpus(packets, { preSkip: OPUS_DELAY });
  const whole = await run(file);
  const bytes = Buffer.from(file);
  // The block of 3.00 s: the high byte of its time, behind the track's number.
  const at = bytes.indexOf(Buffer.from([0x82, 3000 >> 8, 3000 & 0xff]));
  bytes[at + 1] = high;
  const { samples, error } = await run(bytes);
  expect(samples).toEqual(whole.samples);
  expect(error?.message).toMatch(/damaged in one place, at 2\.99\d s: a block's time/);
});

test('samples that are no numbers are silence, and told where', async () => {
  const samples = Float32Array.from(sine(440, 1, 16_000));
  samples.fill(Number.NaN, 4000, 4400);
  samples[9000] = Number.POSITIVE_INFINITY;
  const file = wavFile([sine(440, 1, 16_000), samples], { format: 'float', bits: 32 });
  for (const size of [1, 777, file.length]) {
    const { gaps, error, samples: heard } = await run(file, [size]);
    expect(heard).toHaveLength(16_000);
    expect(gaps).toEqual([
      { start: expect.closeTo(0.25, 9), end: expect.closeTo(0.275, 9) },
      { start: expect.closeTo(0.5625, 9), end: expect.closeTo(9001 / 16_000, 9) },
    ]);
    expect(error?.message).toMatch(/2 places, the first at 0\.250 s: a sample is NaN in channel 1/);
  }
});

test('what is no audio of its encoding at all ends soon', async () => {
  let state = 1;
  const noise = Buffer.alloc(1 << 20).map(() => {
    state = (state * 48_271) % 0x7fffffff;
    return state >> 8;
  });
  const { items, error } = await through(
    pieces(noise, 10_000),
    decode({ format: 'f32le', sampleRate: 16_000 }),
  );
  expect(error?.message).toMatch(/Check the format option/);
  expect(joined(items)[0]?.length ?? 0).toBeLessThan(20_000);
});

test.each(['live', 'file'] as const)(
  "with mode '%s' the words behind the damage come at their times, with a gap event in its place",
  async (mode) => {
    const model = await loadModel(bundledModel());
    try {
      const hear = async (bytes: Uint8Array, size: number) => {
        const stream = parakeet({ model, mode });
        for (const piece of pieces(bytes, size)) stream.write(piece);
        stream.end();
        return drain<TranscriptEvent>(stream);
      };
      const given = cases.FLAC as Case;
      const tokens = (events: TranscriptEvent[]) =>
        events.flatMap((event) => (event.type === 'token' ? [event.token] : []));
      const whole = await hear(given.file, 10_000);
      const broken = await hear(damage(given), 10_000);
      expect(broken.error).toMatchObject({ code: 'ERR_PARAKEET_INVALID_AUDIO' });
      const [gap] = broken.items.filter((event) => event.type === 'gap');
      expect(gap).toMatchObject({ start: expect.closeTo(5.3, 0), end: expect.closeTo(5.4, 0) });
      const last = (events: TranscriptEvent[]) =>
        tokens(events)
          .slice(-3)
          .map(({ text, start }) => [text, Math.round(start * 5)]);
      expect(last(broken.items)).toEqual(last(whole.items));
      const other = await hear(damage(given), 777);
      const order = (events: TranscriptEvent[]) =>
        events.flatMap((event) =>
          event.type === 'token' ? [event.token.text] : event.type === 'gap' ? ['gap'] : [],
        );
      expect(order(other.items)).toEqual(order(broken.items));
    } finally {
      await model.close();
    }
  },
);
