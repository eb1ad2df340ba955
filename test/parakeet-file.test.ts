// parakeet({ mode: 'file' }): what model.transcribe hears, as events, window by window.
import { Readable } from 'node:stream';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import type { ParakeetOptions } from '../src/composition/options.js';
import { ArgumentError } from '../src/errors.js';
import type { TranscriptEvent } from '../src/events.js';
import { loadModel } from '../src/load-model.js';
import type { Model } from '../src/model.js';
import { parakeet } from '../src/parakeet.js';
import { fakeModel } from './support/fake-native.js';
import { goldenArray, goldenFolder, readGolden } from './support/goldens.js';
import { counts, expectNothingAliveAtTheEnd } from './support/nothing-alive.js';
import { wavFile } from './support/wav-file.js';

expectNothingAliveAtTheEnd();

let model: Model;
beforeAll(async () => {
  model = await loadModel(goldenFolder('tdt'), { threads: 1 });
});
afterAll(() => model.close());

const samples = goldenArray(readGolden('tdt', 'long'), 'audio').data.map(
  (x) => Math.round(x * 32_767) / 32_768,
);
const wav = wavFile([samples]);
const windows = { windows: { duration: 4, overlap: 1 }, silence: { emissionDelay: 8 } };

async function eventsOf(options: ParakeetOptions, bytes: Uint8Array = wav): Promise<TranscriptEvent[]> {
  const events: TranscriptEvent[] = [];
  const pieces = Array.from({ length: Math.ceil(bytes.length / 5000) }, (_, i) =>
    bytes.subarray(i * 5000, (i + 1) * 5000),
  );
  const line = Readable.from(pieces).pipe(parakeet({ model, mode: 'file', ...options }));
  for await (const event of line) events.push(event);
  return events;
}

describe('the events', () => {
  test('hold what model.transcribe gives, in order, with progress between the windows', async () => {
    const expected = await model.transcribe(samples, windows);
    const events = await eventsOf({ ...windows, collect: true });
    expect(expected.tokens.length).toBeGreaterThan(5);
    expect(events.flatMap((one) => (one.type === 'token' ? [one.token] : []))).toEqual(expected.tokens);
    const end = events.at(-1);
    expect(end).toMatchObject({ type: 'end', result: expected });
    if (end?.type !== 'end') return;
    expect(end.stats.audioSeconds).toBeCloseTo(samples.length / 16_000, 6);
    // Windows begin every three seconds; the last one is heard at the end.
    expect(end.stats.steps).toBe(Math.ceil((samples.length / 16_000 - 1) / 3));
    expect(end.stats.computeSeconds).toBeGreaterThan(0);
    const times = events.flatMap((one) => (one.type === 'progress' ? [one.time] : []));
    expect(times.length).toBe(end.stats.steps);
    expect(times).toEqual([...times].sort((a, b) => a - b));
    let progress = 0;
    for (const event of events) {
      if (event.type === 'progress') progress = event.time;
      if (event.type === 'token') expect(event.token.start).toBeGreaterThanOrEqual(progress);
      expect(event.type).not.toBe('draft');
    }
  });

  test('one window for all comes at the end', async () => {
    const expected = await model.transcribe(samples, {
      windows: { duration: Number.POSITIVE_INFINITY },
      silence: { emissionDelay: 8 },
    });
    const events = await eventsOf({
      windows: { duration: Number.POSITIVE_INFINITY },
      silence: { emissionDelay: 8 },
      collect: true,
    });
    expect(events.at(-1)).toMatchObject({ type: 'end', result: expected });
  });

  test('no sound, no text', async () => {
    const events = await eventsOf({}, wavFile([[]]));
    expect(events.map(({ type }) => type)).toEqual(['end']);
  });

  test('flush() makes final what was written, and the stream goes on', async () => {
    const line = parakeet({
      model,
      mode: 'file',
      input: { format: 'f32le', sampleRate: 16_000, channels: 1 },
    });
    const events: TranscriptEvent[] = [];
    line.on('data', (event: TranscriptEvent) => events.push(event));
    const bytes = new Uint8Array(samples.slice().buffer);
    line.write(bytes);
    await line.flush();
    const first = events.filter(({ type }) => type === 'token').length;
    expect(first).toBeGreaterThan(5);
    expect(events.findLast(({ type }) => type === 'progress')).toMatchObject({
      time: expect.closeTo(samples.length / 16_000, 1),
    });
    line.end(bytes);
    await new Promise((resolve) => line.on('close', resolve));
    const starts = events.flatMap((one) => (one.type === 'token' ? [one.token.start] : []));
    expect(starts.length).toBeGreaterThan(first);
    expect(starts).toEqual([...starts].sort((a, b) => a - b));
  });
});

describe('its ends', () => {
  test('a file that is cut short leaves what was heard', async () => {
    const events: TranscriptEvent[] = [];
    const line = Readable.from([wav.subarray(0, wav.length - 1)]).pipe(
      parakeet({ model, mode: 'file', ...windows }),
    );
    const reading = (async () => {
      for await (const event of line) events.push(event);
    })();
    await expect(reading).rejects.toMatchObject({ code: 'ERR_PARAKEET_INVALID_AUDIO' });
    expect(events.some(({ type }) => type === 'token')).toBe(true);
  });

  test('destroy gives up the window that is heard', async () => {
    // A window that takes the engine longer than a look at its queue.
    const times = Math.ceil((400 * 16_000) / samples.length);
    const minutes = Array.from({ length: times }).flatMap(() => [...samples]);
    const line = parakeet({ model, mode: 'file', windows: { duration: 300 } });
    line.on('error', () => {});
    line.write(wavFile([minutes]));
    await vi.waitFor(() => expect(counts().queued).toBeGreaterThan(0), { interval: 1, timeout: 5000 });
    line.destroy();
    await new Promise((resolve) => line.on('close', resolve));
    await vi.waitFor(() => expect(counts().queued).toBe(0), { interval: 1, timeout: 1000 });
  });

  test('an abort is the stream’s error', async () => {
    const aborter = new AbortController();
    const line = Readable.from([wav]).pipe(parakeet({ model, mode: 'file', signal: aborter.signal }));
    const reading = (async () => {
      for await (const _ of line);
    })();
    aborter.abort();
    await expect(reading).rejects.toMatchObject({ name: 'AbortError' });
  });
});

test.each<[object, RegExp]>([
  [{ mode: 'fast' }, /'live', 'file' for mode/],
  [{ mode: 'file', latency: 'low' }, /no value with mode 'file' for latency/],
  [{ mode: 'file', normalization: 'none' }, /for normalization/],
  [{ mode: 'file', drafts: true }, /for drafts/],
  [{ mode: 'file', refine: true }, /for refine/],
  [{ mode: 'file', windows: { duration: 10, overlap: 10 } }, /windows\.overlap/],
  [{ mode: 'file', windows: { attention: { left: 1 } } }, /windows\.attention\.right/],
  [{ windows: { duration: 10 } }, /no value with mode 'live' for windows/],
  [{ mode: 'file', silence: { gate: true } }, /no value with mode 'file' for silence\.gate/],
])('the options %j are refused', (options, said) => {
  expect(() => parakeet(options)).toThrow(ArgumentError);
  expect(() => parakeet(options)).toThrow(said);
});

test('a model that is not loadModel’s is refused', () => {
  expect(() => parakeet({ model: fakeModel(), mode: 'file' })).toThrow(ArgumentError);
});
