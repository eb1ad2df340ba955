// Long recordings: seams that lose nothing, batches that change nothing, memory that does not grow, an abort that is quick.
import path from 'node:path';
import { Readable } from 'node:stream';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { readRecordings, readSamples } from '../../bench/recordings.mjs';
import { plainWords, wordErrorRate } from '../../bench/wer-metric.mjs';
import type { NativePart } from '../../src/engine/addon.js';
import { AbortedError } from '../../src/errors.js';
import type { TranscriptResult } from '../../src/events.js';
import { loadModel } from '../../src/load-model.js';
import type { Model } from '../../src/model.js';
import { parakeet } from '../../src/parakeet.js';
import { goldenArray, goldenFolder, readGolden } from '../support/goldens.js';
import { counts, expectNothingAliveAtTheEnd } from '../support/nothing-alive.js';
import { concat } from '../support/samples.js';
import { noise } from '../support/signals.js';

expectNothingAliveAtTheEnd();

const RATE = 16_000;
const PAUSE = RATE / 2;

/** What tests compare of a result: batches may round confidences otherwise. */
const placed = ({ tokens }: TranscriptResult) => tokens.map(({ id, start, end }) => ({ id, start, end }));

describe('with the bundled model', () => {
  let model: Model;
  const recordings: { said: string; samples: Float32Array; heard: string }[] = [];
  beforeAll(async () => {
    model = await loadModel(undefined, { dtype: 'float32' });
    const folder = path.join(fileURLToPath(new URL('..', import.meta.url)), 'audio');
    for (const { file, said } of readRecordings(folder)) {
      const samples = await readSamples(file, RATE);
      recordings.push({ said, samples, heard: (await model.transcribe(samples)).text });
    }
  });
  afterAll(() => model.close());

  test('two minutes of recordings in windows are heard as well as each by itself', async () => {
    // Every round in another order, so that seams fall everywhere.
    const order = [1, 2, 3].flatMap((step) => recordings.map((_, i) => (i * step) % recordings.length));
    const parts = order.map((index) => recordings[index] as (typeof recordings)[number]);
    const joined = new Float32Array(parts.reduce((sum, { samples }) => sum + samples.length + PAUSE, 0));
    const ends: number[] = [];
    let at = 0;
    for (const { samples } of parts) {
      joined.set(samples, at);
      at += samples.length + PAUSE;
      ends.push(at / RATE);
    }
    expect(at / RATE).toBeGreaterThan(120);
    const { text, tokens } = await model.transcribe(joined, { windows: { duration: 20, overlap: 5 } });

    const own = wordErrorRate(parts).wer;
    const whole = wordErrorRate([{ said: parts.map(({ said }) => said).join(' '), heard: text }]).wer;
    expect(whole).toBeLessThan(own + 2);
    tokens.forEach((token, i) => {
      expect(token.start).toBeGreaterThanOrEqual(tokens[i - 1]?.start ?? 0);
    });
    // No seam takes away words, or says them twice: each recording has about as many as by itself.
    parts.forEach(({ heard }, i) => {
      const [from, until] = [ends[i - 1] ?? 0, ends[i] as number];
      const said = tokens.filter(({ start }) => start >= from && start < until).map((token) => token.text);
      expect(Math.abs(plainWords(said.join('')).length - plainWords(heard).length)).toBeLessThanOrEqual(3);
    });
  });

  test('mels at once give what each gives alone, in one batch', async () => {
    const mels = [];
    for (const { samples } of recordings.slice(-3)) mels.push(await model.computeLogMel(samples));
    const alone = [];
    for (const mel of mels) alone.push(await model.generate(mel));
    const before = model.addon.batches();
    // What comes while the engine is busy waits together: with all recordings in one, for longer than a test may be held up.
    const busy = model.transcribe(concat([1, 2].flatMap(() => recordings.map(({ samples }) => samples))));
    await vi.waitFor(() => expect(counts().queued).toBeGreaterThan(0), { interval: 1, timeout: 10_000 });
    const together = await model.generate(mels);
    await busy;
    const after = model.addon.batches();
    expect(after.recordings - before.recordings).toBe(4);
    expect(after.recordingBatches - before.recordingBatches).toBeLessThanOrEqual(2);
    expect(together.map(placed)).toEqual(alone.map(placed));
    expect(together.flatMap(placed).length).toBeGreaterThan(20);
  });

  test('who gives up leaves the batch, and the others hear what they would', async () => {
    const short = recordings.slice(-3).map(({ samples }) => samples);
    const alone = [];
    for (const samples of short) alone.push(await model.transcribe(samples));
    const aborter = new AbortController();
    const results = short.map((samples, i) =>
      model.transcribe(samples, i === 1 ? { signal: aborter.signal } : {}).catch((error: unknown) => error),
    );
    await vi.waitFor(() => expect(counts().queued).toBeGreaterThan(0), { interval: 1, timeout: 10_000 });
    aborter.abort();
    const [first, second, third] = await Promise.all(results);
    expect(second).toBeInstanceOf(AbortedError);
    expect(placed(first as TranscriptResult)).toEqual(placed(alone[0] as TranscriptResult));
    expect(placed(third as TranscriptResult)).toEqual(placed(alone[2] as TranscriptResult));
  });

  // Fifteen minutes take half a minute here, each layer of them seconds: only a kernel that gives up by itself is in time.
  test.each<[string, { left: number; right: number } | undefined, NativePart | undefined]>([
    ['at once', undefined, undefined],
    ['in the subsampling', { left: 10.24, right: 10.24 }, 'mel'],
    ['in a layer, with local attention', { left: 10.24, right: 10.24 }, 'feedForward'],
    ['in a layer, with full attention', undefined, 'feedForward'],
  ])(
    'an abort of one pass over 15 minutes ends it long before it would have ended: %s',
    async (_, attention, done) => {
      const aborter = new AbortController();
      model.addon.profile(true);
      const running = model
        .transcribe(noise(RATE * 900, 0.1), {
          windows: { duration: Number.POSITIVE_INFINITY, attention },
          signal: aborter.signal,
        })
        .catch((error: unknown) => error);
      await vi.waitFor(() => expect(counts().queued).toBeGreaterThan(0), { interval: 2, timeout: 20_000 });
      const seconds = () => Object.values(model.addon.profile()).reduce((sum, part) => sum + part, 0);
      if (done)
        await vi.waitFor(() => expect(model.addon.profile()[done]).toBeGreaterThan(0), {
          interval: 2,
          timeout: 60_000,
        });
      const before = seconds();
      aborter.abort();
      expect(await running).toBeInstanceOf(AbortedError);
      // Seconds of CPU: a whole pass costs some forty.
      expect(seconds() - before).toBeLessThan(6);
      model.addon.profile(false);
    },
  );

  test('what was given up leaves no trace in what is heard next', async () => {
    const [{ samples }] = recordings as [(typeof recordings)[number]];
    const other = await loadModel(undefined, { dtype: 'float32' });
    try {
      const expected = await model.transcribe(samples);
      const signal = AbortSignal.timeout(150);
      await other
        .transcribe(noise(RATE * 60, 0.1), { windows: { duration: Number.POSITIVE_INFINITY }, signal })
        .catch(() => {});
      expect(placed(await other.transcribe(samples))).toEqual(placed(expected));
    } finally {
      await other.close();
    }
  });
});

describe('with a golden model', () => {
  let model: Model;
  beforeAll(async () => {
    // float32: what is compared differs by rounding only.
    model = await loadModel(goldenFolder('tdt'), { dtype: 'float32', threads: 1 });
  });
  afterAll(() => model.close());
  const samples = goldenArray(readGolden('tdt', 'long'), 'audio').data;

  test('one pass over more frames than are subsampled or decoded at once is what it was', async () => {
    // Twice the band and more on both sides: what lies beyond it does not matter.
    const long = new Float32Array(RATE * 100);
    for (let at = 0; at < long.length; at += samples.length) {
      long.set(samples.subarray(0, Math.min(samples.length, long.length - at)), at);
    }
    const mel = await model.computeLogMel(long);
    const { data, frames, width } = await model.encodeLogMel(mel, {
      attention: { left: 0.64, right: 0.64 },
      normalize: false,
    });
    expect(frames).toBe(Math.ceil(mel.frames / model.info.subsamplingFactor));
    // A cut in the middle of it, heard by itself, has the same frames away from its own edges.
    const { features } = mel;
    const [first, count, edge] = [490, 60, 25];
    const factor = model.info.subsamplingFactor;
    const cut = await model.encodeLogMel(
      {
        data: mel.data.slice(first * factor * features, (first + count) * factor * features),
        frames: count * factor,
        features,
      },
      { attention: { left: 0.64, right: 0.64 }, normalize: false },
    );
    for (let i = edge * width; i < (count - edge) * width; i++) {
      expect(Math.abs((cut.data[i] as number) - (data[first * width + i] as number))).toBeLessThan(1e-3);
    }
  });

  test('memory does not grow with a stream that is heard in windows', async () => {
    const second = new Uint8Array(samples.slice(0, RATE).buffer);
    const minutes = 12;
    function* sound() {
      for (let i = 0; i < minutes * 60; i++) yield second;
    }
    const line = Readable.from(sound(), { objectMode: false, highWaterMark: 1 << 16 }).pipe(
      parakeet({
        model,
        mode: 'file',
        windows: { duration: 10 },
        input: { format: 'f32le', sampleRate: RATE, channels: 1 },
      }),
    );
    let early = 0;
    let late = 0;
    for await (const event of line) {
      if (event.type !== 'progress') continue;
      const memory = process.memoryUsage.rss() / 2 ** 20;
      if (event.time < (minutes * 60) / 3) early = Math.max(early, memory);
      else late = Math.max(late, memory);
    }
    expect(early).toBeGreaterThan(0);
    // Eight minutes of samples are 29 MiB, and nothing that holds them holds them once.
    expect(late - early).toBeLessThan(25);
  });
});
