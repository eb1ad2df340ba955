// `speakers: 'channels'`: each channel of one recording as it would be transcribed alone, in one transcript. With the arithmetic model for
// order, errors and back-pressure, whose words count the frames of sound; with the bundled one for real recordings.
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { Readable, Writable } from 'node:stream';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { AbortedError, ArgumentError, AudioError } from '../../src/errors.js';
import type { StreamStats, Token, TranscriptEvent } from '../../src/events.js';
import { loadModel } from '../../src/load-model.js';
import type { Model } from '../../src/model.js';
import { parakeet } from '../../src/parakeet.js';
import { jsonWriter } from '../../src/sinks/json-writer.js';
import { srtWriter } from '../../src/sinks/srt-writer.js';
import { teeWriter } from '../../src/sinks/tee-writer.js';
import { vttWriter } from '../../src/sinks/vtt-writer.js';
import { transcribe } from '../../src/transcribe.js';
import { fakeModel, loud } from '../support/fake-native.js';
import { expectNothingAliveAtTheEnd } from '../support/nothing-alive.js';
import { concat, samplesOf } from '../support/samples.js';
import { drain, pieces } from '../support/streams.js';
import { wavFile } from '../support/wav-file.js';

expectNothingAliveAtTheEnd();

const RATE = 16_000;
const silence = (seconds: number) => new Float32Array(Math.round(seconds * RATE));
/** All as long as the longest, with silence behind. */
function padded(...channels: Float32Array[]): Float32Array[] {
  const length = Math.max(...channels.map((one) => one.length));
  return channels.map((one) => concat([one, new Float32Array(length - one.length)]));
}
const live = { mode: 'live', latency: { chunk: 0.16, lookahead: 0.24 } } as const;
/** Without confidences, whose last bits depend on what else the engine does. */
const placesOf = (tokens: readonly Token[]) =>
  tokens.map(({ id, text, start, end }) => ({ id, text, start, end }));

async function eventsOf(wav: Uint8Array, options: Parameters<typeof parakeet>[0] = {}) {
  const stream = Readable.from(pieces(wav, 7001)).pipe(
    parakeet({ model: fakeModel(), latency: live.latency, ...options }),
  );
  return drain<TranscriptEvent>(stream);
}
const tokensOf = (events: readonly TranscriptEvent[], speaker?: string) =>
  events.flatMap((event) => (event.type === 'token' && event.speaker === speaker ? [event.token] : []));

describe('the events', () => {
  test('of each channel are those of the channel alone, in the order of time, for any channels', async () => {
    const part = fc.record({ sound: fc.boolean(), tenths: fc.integer({ min: 1, max: 15 }) });
    const channel = fc
      .array(part, { maxLength: 6 })
      .map((parts) => concat(parts.map(({ sound, tenths }) => (sound ? loud : silence)(tenths / 10))));
    await fc.assert(
      fc.asyncProperty(fc.array(channel, { minLength: 1, maxLength: 4 }), async (channels) => {
        const all = padded(...channels);
        const { items, error } = await eventsOf(wavFile(all), { speakers: 'channels' });
        expect(error).toBeUndefined();
        for (const [index, samples] of all.entries()) {
          const alone = await eventsOf(wavFile([samples]));
          expect(tokensOf(items, `channel ${index + 1}`)).toEqual(tokensOf(alone.items));
        }
        expectOrder(items);
        expect(items.filter(({ type }) => type === 'end')).toHaveLength(1);
        expect(items.at(-1)?.type).toBe('end');
      }),
      { numRuns: 10 },
    );
  });

  test('of a silent channel are none but that it is over', async () => {
    const { items } = await eventsOf(wavFile(padded(loud(2), silence(1))), { speakers: 'channels' });
    const second = items.filter((event) => 'speaker' in event && event.speaker === 'channel 2');
    expect(second.map(({ type }) => type)).toEqual(['left']);
    expect(tokensOf(items, 'channel 1').length).toBeGreaterThan(10);
  });

  test('have the names that were given, and one `end` with the cost of all', async () => {
    const speakers = { channels: ['Anna', 'Ben'] };
    const { items } = await eventsOf(wavFile(padded(loud(2), loud(1))), { speakers, offset: 100 });
    expect(new Set(items.flatMap((event) => ('speaker' in event ? [event.speaker] : [])))).toEqual(
      new Set(['Anna', 'Ben']),
    );
    expect(tokensOf(items, 'Ben')[0]?.start).toBeGreaterThanOrEqual(100);
    expect((items.at(-1) as { stats: StreamStats }).stats.audioSeconds).toBe(4);
  });

  test('of mono audio are those of one speaker', async () => {
    const { items } = await eventsOf(wavFile([loud(1)]), { speakers: 'channels' });
    expect(tokensOf(items, 'channel 1')).toEqual(tokensOf((await eventsOf(wavFile([loud(1)]))).items));
  });

  test('of an empty recording are only the end', async () => {
    const { items, error } = await eventsOf(wavFile([[], []]), { speakers: 'channels' });
    expect(error).toBeUndefined();
    expect(items.map(({ type }) => type)).toEqual(['end']);
  });

  test('flush() makes all channels final that far, and the stream goes on', async () => {
    const [first = silence(1), second = silence(1)] = padded(loud(1), loud(0.5));
    const both = await flushed([first, second], 'channels');
    const [one, two] = [await flushed([first]), await flushed([second])];
    for (const when of ['flushed', 'ended'] as const) {
      expect(tokensOf(both[when], 'channel 1')).toEqual(tokensOf(one[when]));
      expect(tokensOf(both[when], 'channel 2')).toEqual(tokensOf(two[when]));
    }
    expect(tokensOf(both.flushed, 'channel 1').length).toBeGreaterThan(10);
    expect(tokensOf(both.ended, 'channel 1').length).toBeGreaterThan(20);
  });
});

/** Twice the same sound with a flush between: the events before and after it. */
async function flushed(channels: Float32Array[], speakers?: 'channels') {
  const input = { format: 'f32le', sampleRate: RATE, channels: channels.length } as const;
  const bytes = wavFile(channels, { format: 'float', bits: 32 }).subarray(44);
  const stream = parakeet({ model: fakeModel(), latency: live.latency, input, speakers });
  const ended: TranscriptEvent[] = [];
  stream.on('data', (event: TranscriptEvent) => ended.push(event));
  stream.write(bytes);
  await stream.flush();
  await new Promise((resolve) => setImmediate(resolve));
  const before = [...ended];
  stream.end(bytes);
  await new Promise((resolve) => stream.once('close', resolve));
  return { flushed: before, ended };
}

describe('errors', () => {
  test('a file that is cut short: all channels are final that far, then it fails', async () => {
    const wav = wavFile(padded(loud(3), loud(3)));
    const { items, error } = await eventsOf(wav.subarray(0, wav.length / 2), { speakers: 'channels' });
    expect(error).toBeInstanceOf(AudioError);
    for (const speaker of ['channel 1', 'channel 2'])
      expect(tokensOf(items, speaker).at(-1)?.end).toBeGreaterThan(1.3);
    expect(items.filter(({ type }) => type === 'left')).toHaveLength(2);
  });

  test('of `transcribe` tell what was heard, by speaker', async () => {
    const wav = wavFile(padded(loud(3), loud(3)));
    const failure = await transcribe([wav.subarray(0, wav.length / 2)], {
      ...live,
      model: fakeModel(),
      speakers: 'channels',
    }).catch((error: unknown) => error as AudioError);
    expect(failure).toMatchObject({ code: 'ERR_PARAKEET_INVALID_AUDIO' });
    const { heard } = failure as AudioError;
    expect(new Set(heard?.sentences.map(({ speaker }) => speaker))).toEqual(
      new Set(['channel 1', 'channel 2']),
    );
  });

  test('another number of names than of channels', async () => {
    const speakers = { channels: ['Anna', 'Ben', 'Cleo'] };
    const { items, error } = await eventsOf(wavFile([loud(1), loud(1)]), { speakers });
    expect(error).toBeInstanceOf(ArgumentError);
    expect(error?.message).toMatch(/3 for audio of 2 channels/);
    expect(items).toEqual([]);
  });

  test('more than 16 channels', async () => {
    const wav = wavFile(Array.from({ length: 17 }, () => loud(0.2)));
    const { error } = await eventsOf(wav, { speakers: 'channels' });
    expect(error).toMatchObject({ code: 'ERR_PARAKEET_UNSUPPORTED_FORMAT' });
  });

  test('options that the model does not support', async () => {
    const { error } = await eventsOf(wavFile([loud(1)]), { speakers: 'channels', language: 'de-DE' });
    expect(error).toBeInstanceOf(ArgumentError);
  });

  test.each(['mel', 'step', 'decode'] as const)(
    'the engine fails in one channel (%s): all of it is closed',
    async (fail) => {
      const model = fakeModel({ fail, faultAfter: 5 });
      const { error } = await eventsOf(wavFile([loud(3), loud(3)]), { model, speakers: 'channels' });
      expect(error?.message).toMatch(/fake/);
      await vi.waitFor(() => expect(model.counts.open).toBe(0));
    },
  );

  test('a draft model that fails during flush(): it settles, and all channels are final', async () => {
    const draftModel = fakeModel({ contexts: [[70, 1]], fail: 'decode', faultAfter: 4 });
    const input = { format: 'f32le', sampleRate: RATE, channels: 2 } as const;
    const model = fakeModel();
    const stream = parakeet({ model, draftModel, input, latency: live.latency, speakers: 'channels' });
    const done = drain<TranscriptEvent>(stream);
    stream.write(wavFile(padded(loud(2), loud(1)), { format: 'float', bits: 32 }).subarray(44));
    await stream.flush().catch(() => {});
    stream.end();
    const { items, error } = await done;
    expect(error?.message).toMatch(/fake decode/);
    expect(items.filter(({ type }) => type === 'left')).toHaveLength(2);
    await vi.waitFor(() => expect([model.counts.open, draftModel.counts.open]).toEqual([0, 0]));
  });

  test('a draft model that fails in one channel: all end, although the source does not', async () => {
    const draftModel = fakeModel({ contexts: [[70, 1]], fail: 'decode', faultAfter: 4 });
    const input = { format: 'f32le', sampleRate: RATE, channels: 2 } as const;
    const model = fakeModel();
    const stream = parakeet({ model, draftModel, input, latency: live.latency, speakers: 'channels' });
    const done = drain<TranscriptEvent>(stream);
    const bytes = wavFile(padded(loud(2), loud(1)), { format: 'float', bits: 32 }).subarray(44);
    let ended = false;
    const over = done.finally(() => {
      ended = true;
    });
    for (const piece of pieces(bytes, 6400)) {
      if (ended) break;
      stream.write(piece);
      await new Promise((resolve) => setTimeout(resolve, 2));
    }
    const { items, error } = await over;
    expect(error?.message).toMatch(/fake decode/);
    expect(items.filter(({ type }) => type === 'left')).toHaveLength(2);
    await vi.waitFor(() => expect([model.counts.open, draftModel.counts.open]).toEqual([0, 0]));
  }, 10_000);

  test('an abort stops all channels', async () => {
    const model = fakeModel({ hang: 'step', faultAfter: 3 });
    const aborter = new AbortController();
    const done = eventsOf(wavFile([loud(3), loud(3)]), {
      model,
      speakers: 'channels',
      signal: aborter.signal,
    });
    await model.hanging;
    aborter.abort();
    expect((await done).error).toBeInstanceOf(AbortedError);
    await vi.waitFor(() => expect(model.counts.open).toBe(0));
  });
});

test('a reader that does not read stops the source, and no channel runs ahead', async () => {
  const model = fakeModel();
  let read = 0;
  async function* source() {
    for (const piece of pieces(wavFile([loud(60), silence(60)]), 16_000)) {
      read += piece.length;
      yield piece;
    }
  }
  const stream = Readable.from(source()).pipe(
    parakeet({ model, latency: live.latency, speakers: 'channels' }),
  );
  await new Promise((resolve) => stream.once('readable', resolve));
  let before = -1;
  while (before !== read + model.counts.samples) {
    before = read + model.counts.samples;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  expect(read / (4 * RATE)).toBeLessThan(10);
  const { items, error } = await drain<TranscriptEvent>(stream);
  expect(error).toBeUndefined();
  expect(tokensOf(items, 'channel 1').length).toBeGreaterThan(700);
});

describe('real recordings', () => {
  let model: Model;
  let folder = '';
  let channels: Float32Array[] = [];
  beforeAll(async () => {
    folder = mkdtempSync(path.join(tmpdir(), 'parakeet-channels-'));
    model = await loadModel();
    channels = padded(await samplesOf('am_michael_05.flac'), await samplesOf('af_sky_10.flac'), silence(1));
  }, 60_000);
  afterAll(async () => {
    await model.close();
    rmSync(folder, { recursive: true });
  });

  test.each(['file', 'live'] as const)(
    'have the words and times of each channel alone (%s)',
    async (mode) => {
      const events: TranscriptEvent[] = [];
      const sink = new Writable({
        objectMode: true,
        write: (event: TranscriptEvent, _, callback) => {
          events.push(event);
          callback();
        },
      });
      const result = await transcribe(wavFile(channels), { model, mode, speakers: 'channels', sink });
      for (const [index, samples] of channels.entries()) {
        const speaker = `channel ${index + 1}`;
        const alone = await model.transcribe(wavFile([samples]), { mode });
        expect(placesOf(tokensOf(events, speaker))).toEqual(placesOf(alone.tokens));
        const spoken = result.sentences.filter((sentence) => sentence.speaker === speaker);
        expect(spoken.map(({ text, start, end }) => [text, start, end])).toEqual(
          alone.sentences.map(({ text, start, end }) => [text, start, end]),
        );
      }
      expectOrder(events);
      expect(result.sentences.length).toBeGreaterThan(1);
      expect(result.text).toBe(result.sentences.map(({ text }) => text).join(' '));
    },
  );

  test('samples in memory are one speaker', async () => {
    const [samples = silence(1)] = channels;
    const result = await model.transcribe(samples, { speakers: { channels: ['Michael'] } });
    expect(result.sentences.map(({ speaker }) => speaker)).toEqual(result.sentences.map(() => 'Michael'));
    expect(result.text).toBe((await model.transcribe(samples)).text);
  });

  test('SRT, VTT and JSON name the speakers', async () => {
    const target = (name: string) => path.join(folder, name);
    const sink = teeWriter(
      srtWriter(target('a.srt')),
      vttWriter(target('a.vtt')),
      jsonWriter(target('a.json')),
    );
    const [first = silence(1), second = silence(1)] = channels;
    const turns = padded(first, concat([silence(5), second]));
    await transcribe(wavFile(turns), { model, speakers: { channels: ['Anna', 'Ben'] }, sink });
    const text = (name: string) => readFileSync(target(name), 'utf8');
    expect(text('a.srt')).toMatch(/^1\n00:00:00,\d{3} --> .*\nAnna: I was/);
    expect(text('a.srt')).toMatch(/\n00:00:05,\d{3} --> .*\nBen: He/);
    expect(text('a.vtt')).toMatch(/\n<v Anna>I was/);
    expect(text('a.vtt')).toMatch(/\n<v Ben>He/);
    const { sentences } = JSON.parse(text('a.json')) as { sentences: { speaker: string }[] };
    expect(new Set(sentences.map(({ speaker }) => speaker))).toEqual(new Set(['Anna', 'Ben']));
    expect(sentences.at(-1)?.speaker).toBe('Ben');
  });
});

/** What a reader of the merged stream relies on: starts and progress in order, and nothing final before it. */
function expectOrder(events: readonly TranscriptEvent[]): void {
  let [start, time] = [0, 0];
  const over = new Set<string>();
  for (const event of events) {
    if ('speaker' in event && event.speaker !== undefined) {
      expect(over).not.toContain(event.speaker);
      if (event.type === 'left') over.add(event.speaker);
    }
    if (event.type === 'progress') {
      expect(event.time).toBeGreaterThan(time);
      time = event.time;
    }
    if (event.type === 'token') {
      expect(event.token.start).toBeGreaterThanOrEqual(start);
      expect(event.token.start).toBeGreaterThanOrEqual(time);
      start = event.token.start;
    }
  }
}
