/**
 * `parakeet-stream/livekit` with the classes of @livekit/agents and frames of @livekit/rtc-node, as an agent uses them.
 */
import { initializeLogger, stt } from '@livekit/agents';
import { AudioFrame } from '@livekit/rtc-node';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { ParakeetStream } from '../../src/composition/parakeet-stream.js';
import { STT } from '../../src/livekit/index.js';
import { loadModel } from '../../src/load-model.js';
import type { Model } from '../../src/model.js';
import { samplesOf } from '../support/samples.js';

const { SpeechEventType } = stt;
initializeLogger({ pretty: false, level: 'silent' });

let model: Model;
const speech = new Map<number, Int16Array>();
beforeAll(async () => {
  model = await loadModel();
  for (const rate of [16_000, 48_000]) speech.set(rate, toShorts(await samplesOf('af_sky_10.flac', rate)));
});
afterAll(() => model.close());

const toShorts = (samples: Float32Array) => Int16Array.from(samples, (x) => Math.round(x * 32_767));

/** The recording in frames of 10 ms, as a room's track gives them, with silence behind it. */
function framesOf(rate: number, channels = 1, silence = 0): AudioFrame[] {
  const mono = speech.get(rate) as Int16Array;
  const size = rate / 100;
  const frames: AudioFrame[] = [];
  for (let at = 0; at < mono.length + silence * rate; at += size) {
    const data = new Int16Array(size * channels);
    for (let i = 0; i < data.length; i++) data[i] = mono[at + Math.floor(i / channels)] ?? 0;
    frames.push(new AudioFrame(data, rate, channels, size));
  }
  return frames;
}

async function eventsOf(stream: stt.SpeechStream): Promise<stt.SpeechEvent[]> {
  const events: stt.SpeechEvent[] = [];
  for await (const event of stream) events.push(event);
  return events;
}

async function hear(owner: stt.STT, frames: readonly AudioFrame[]): Promise<stt.SpeechEvent[]> {
  const stream = owner.stream();
  for (const frame of frames) stream.pushFrame(frame);
  stream.endInput();
  return await eventsOf(stream);
}

const textOf = (events: readonly stt.SpeechEvent[]) =>
  events
    .filter(({ type }) => type === SpeechEventType.FINAL_TRANSCRIPT)
    .map(({ alternatives }) => alternatives?.[0].text)
    .join(' ');
/** What the library itself hears, live. */
async function expectedText(): Promise<string> {
  const bytes = Buffer.from((speech.get(16_000) as Int16Array).buffer);
  const { text } = await model.transcribe(bytes, {
    mode: 'live',
    input: { format: 's16le', sampleRate: 16_000 },
    utterances: true,
  });
  return text;
}

describe('a stream', () => {
  test('gives start, interim and final transcripts, end and usage, with the text of parakeet()', async () => {
    const owner = new STT({ model });
    const metrics: number[] = [];
    owner.on('metrics_collected', ({ audioDurationMs }) => metrics.push(audioDurationMs));
    const events = await hear(owner, framesOf(16_000, 1, 3));
    const types = new Set(events.map(({ type }) => type));
    expect(types).toEqual(
      new Set([
        SpeechEventType.START_OF_SPEECH,
        SpeechEventType.INTERIM_TRANSCRIPT,
        SpeechEventType.FINAL_TRANSCRIPT,
        SpeechEventType.END_OF_SPEECH,
        SpeechEventType.RECOGNITION_USAGE,
      ]),
    );
    expect(events[0]?.type).toBe(SpeechEventType.START_OF_SPEECH);
    expect(textOf(events)).toBe(await expectedText());
    const ends = events.filter(({ type }) => type === SpeechEventType.END_OF_SPEECH);
    expect(ends.map(({ alternatives }) => alternatives?.[0].text).join(' ')).toBe(textOf(events));
    const seconds = framesOf(16_000, 1, 3).length / 100;
    expect(metrics.reduce((sum, one) => sum + one, 0) / 1000).toBeCloseTo(seconds, 1);
  });

  test('has words with times, in the language that was given', async () => {
    const events = await hear(new STT({ model, language: 'en-GB' }), framesOf(16_000));
    const final = events.find(({ type }) => type === SpeechEventType.FINAL_TRANSCRIPT);
    const [data] = final?.alternatives ?? [];
    expect(data?.language).toBe('en-GB');
    expect(data?.words?.map(({ text }) => text).join(' ')).toBe(data?.text);
    for (const { startTime = -1, endTime = -1 } of data?.words ?? [])
      expect(endTime).toBeGreaterThanOrEqual(startTime);
    expect(data?.confidence).toBeGreaterThan(0);
  });

  test('takes any rate and number of channels, also when they change', async () => {
    const owner = new STT({ model });
    const text = textOf(await hear(owner, framesOf(48_000, 2)));
    expect(text.length).toBeGreaterThan(20);
    const changed = await hear(owner, [...framesOf(48_000, 2), ...framesOf(16_000)]);
    expect(textOf(changed).startsWith(text)).toBe(true);
    expect(textOf(changed).length).toBeGreaterThan(1.8 * text.length);
    const starts = changed.flatMap(({ type, alternatives }) =>
      type === SpeechEventType.FINAL_TRANSCRIPT ? [alternatives?.[0].startTime ?? -1] : [],
    );
    expect(starts).toEqual(starts.toSorted((a, b) => a - b));
    expect(starts.at(-1)).toBeGreaterThan(framesOf(48_000).length / 100);
  });

  test('makes everything final with flush(), and goes on', async () => {
    const stream = new STT({ model }).stream();
    for (const frame of framesOf(16_000)) stream.pushFrame(frame);
    stream.flush();
    const heard: stt.SpeechEvent[] = [];
    for await (const event of stream) {
      heard.push(event);
      if (event.type === SpeechEventType.END_OF_SPEECH) break;
    }
    // Not the end of the input: the speech ended with the flush.
    expect(textOf(heard).length).toBeGreaterThan(20);
    for (const frame of framesOf(16_000)) stream.pushFrame(frame);
    stream.endInput();
    expect(textOf(await eventsOf(stream)).length).toBeGreaterThan(20);
  });

  test('of one room hears the same beside others', async () => {
    const owner = new STT({ model });
    const frames = framesOf(16_000);
    const alone = textOf(await hear(owner, frames));
    const together = await Promise.all([1, 2, 3].map(() => hear(owner, frames)));
    expect(together.map(textOf)).toEqual([alone, alone, alone]);
  });

  test('that is closed in the middle ends, and reports no error', async () => {
    const owner = new STT({ model });
    const errors: unknown[] = [];
    owner.on('error', (error) => errors.push(error));
    const stream = owner.stream();
    for (const frame of framesOf(16_000)) stream.pushFrame(frame);
    for await (const { type } of stream) if (type === SpeechEventType.INTERIM_TRANSCRIPT) break;
    stream.close();
    await eventsOf(stream);
    expect(errors).toEqual([]);
  });

  test('that fails reports the error of the engine once, and ends', async () => {
    const owner = new STT({ model: 'no/such/folder' });
    const errors: Parameters<stt.STTCallbacks['error']>[0][] = [];
    owner.on('error', (error) => errors.push(error));
    const events = await hear(owner, framesOf(16_000));
    expect(events).toEqual([]);
    expect(errors).toHaveLength(1);
    expect(errors[0]?.error).toMatchObject({ code: 'ERR_PARAKEET_MODEL_NOT_FOUND' });
  });

  test('works behind the FallbackAdapter', async () => {
    const adapter = new stt.FallbackAdapter({ sttInstances: [new STT({ model })] });
    const events = await hear(adapter, framesOf(16_000));
    expect(textOf(events)).toBe(await expectedText());
  });
});

describe('the class', () => {
  test('recognizes a whole utterance at once', async () => {
    const { type, alternatives } = await new STT({ model }).recognize(framesOf(16_000));
    expect(type).toBe(SpeechEventType.FINAL_TRANSCRIPT);
    const bytes = Buffer.from((speech.get(16_000) as Int16Array).buffer);
    const whole = await model.transcribe(bytes, { input: { format: 's16le', sampleRate: 16_000 } });
    expect(alternatives?.[0].text).toBe(whole.text);
  });

  test('loads the model once for all rooms, and frees it', async () => {
    const owner = new STT();
    await owner.prewarm();
    const [one, two] = await Promise.all([hear(owner, framesOf(16_000)), hear(owner, framesOf(16_000))]);
    expect(textOf(one)).toBe(textOf(two));
    await owner.close();
    expect(() => owner.stream()).toThrow(expect.objectContaining({ code: 'ERR_PARAKEET_CLOSED' }));
    await expect(owner.prewarm()).rejects.toMatchObject({ code: 'ERR_PARAKEET_CLOSED' });
  });

  test('boosts the key terms of the session that the model can spell, beside those of its options', async () => {
    const owner = new STT({ model, decoding: { boost: [{ phrase: 'start', weight: 1 }] } });
    owner._updateSessionKeyterms(['GPT-4 ☃', 'sign']);
    const spy = vi.spyOn(ParakeetStream.prototype, 'setBoost');
    const stream = owner.stream();
    for (const frame of framesOf(16_000)) stream.pushFrame(frame);
    for await (const { type } of stream) if (type === SpeechEventType.START_OF_SPEECH) break;
    owner._updateSessionKeyterms(['Helsinki', '']);
    await vi.waitFor(() => expect(spy).toHaveBeenCalled());
    expect(spy.mock.calls).toEqual([[[{ phrase: 'start', weight: 1 }, { phrase: 'Helsinki' }]]]);
    stream.endInput();
    expect(textOf(await eventsOf(stream)).length).toBeGreaterThan(20);
    spy.mockRestore();
  });

  test.each([
    [{ latency: 'soon' }, /latency/],
    [{ language: 7 }, /language/],
    [{ mode: 'file' }, /mode/],
    [{ model: 3 }, /model/],
  ])('refuses %j', (options, message) => {
    expect(() => new STT(options as never)).toThrow(
      expect.objectContaining({
        code: 'ERR_PARAKEET_INVALID_ARGUMENT',
        message: expect.stringMatching(message),
      }),
    );
  });
});
