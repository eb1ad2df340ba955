/**
 * Where speech begins and ends is told at once: with the push that decides it, whatever the encoder is doing, the same for any split and any
 * options, and before the words.
 */
import { once } from 'node:events';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { bundledModel } from '../../src/bundled-model.js';
import type { ParakeetOptions } from '../../src/composition/options.js';
import type { ParakeetStream } from '../../src/composition/parakeet-stream.js';
import type { SpeechEndEvent, SpeechStartEvent, TranscriptEvent } from '../../src/events.js';
import { movableStream, moveStream } from '../../src/live/movable.js';
import { loadModel } from '../../src/load-model.js';
import type { Model } from '../../src/model.js';
import { parakeet } from '../../src/parakeet.js';
import { encode, logMel, tokenDecode } from '../../src/stages.js';
import { fakeModel, loud } from '../support/fake-native.js';
import { concat, samplesOf } from '../support/samples.js';
import { noise } from '../support/signals.js';
import { isSpeech } from '../support/speech.js';
import { drain, through } from '../support/streams.js';

const RATE = 16_000;
const input = { format: 'f32le', sampleRate: RATE, channels: 1 } as const;
const bytesOf = (samples: Float32Array) => new Uint8Array(samples.slice().buffer);
const pause = (seconds: number) => new Float32Array(seconds * RATE);

/** Bytes in pieces of these sizes, over and over; samples may be torn. */
function* split(bytes: Uint8Array, sizes: readonly number[]): Generator<Uint8Array> {
  for (let at = 0, i = 0; at < bytes.length; i++) {
    const size = sizes[i % sizes.length] as number;
    yield bytes.slice(at, at + size);
    at += size;
  }
}

async function run(bytes: Iterable<Uint8Array>, options: ParakeetOptions): Promise<TranscriptEvent[]> {
  const stream = parakeet({ input, ...options });
  const reading = drain(stream);
  for (const piece of bytes) if (!stream.write(piece)) await once(stream, 'drain');
  stream.end();
  const { items, error } = await reading;
  expect(error).toBeUndefined();
  return items;
}

describe('with the engine', () => {
  let model: Model;
  let sound: Float32Array;
  /** What one push of the whole sound gives. */
  let wanted: (SpeechStartEvent | SpeechEndEvent)[];
  beforeAll(async () => {
    model = await loadModel(bundledModel());
    const room = (seconds: number, seed: number) => noise(seconds * RATE, 2e-4, seed);
    sound = concat([room(2, 1), await samplesOf('bf_emma_06.flac'), room(2, 2), await samplesOf('jfk.flac')]);
    wanted = (await run([bytesOf(sound)], { model })).filter(isSpeech);
    expect(wanted.length).toBeGreaterThan(4);
  });
  afterAll(() => model.close());

  const anyOptions = fc.record({
    latency: fc.constantFrom('low' as const, 'balanced' as const, 'accurate' as const),
    silence: fc.record({ gate: fc.boolean() }),
    lagPolicy: fc.constantFrom('keep' as const, 'growSteps' as const),
    drafts: fc.boolean(),
  });

  test('the same for any split and any options, in turn, and before the words', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.integer({ min: 300, max: 100_000 }), { minLength: 1, maxLength: 5 }),
        anyOptions,
        fc.boolean(),
        async (sizes, options, twoModels) => {
          const drafting = twoModels && options.drafts ? { draftModel: model } : {};
          const events = await run(split(bytesOf(sound), sizes), { model, ...options, ...drafting });
          expect(events.filter(isSpeech)).toEqual(wanted);
          let told = 0;
          for (const event of events) {
            if (isSpeech(event)) told++;
            if (event.type !== 'progress') continue;
            // Whatever is final has been seen, and with it the frames after a start that decide it.
            const due = wanted.filter(
              ({ type, time }) => time + (type === 'speechStart' ? 0.04 : 0.8) < event.time,
            );
            expect(told).toBeGreaterThanOrEqual(due.length);
          }
        },
      ),
      { numRuns: 8 },
    );
  });

  test('from stages that are put together by hand, the same', async () => {
    const chunks = [...split(bytesOf(sound), [4 * 1600])].map((bytes) => ({
      channels: [new Float32Array(bytes.buffer)],
      sampleRate: RATE,
    }));
    const line = through(chunks, logMel(model));
    const { items, error } = await line;
    expect(error).toBeUndefined();
    const tickets = encode(model);
    const decoded = drain(tickets.pipe(tokenDecode(model)));
    for (const item of items) if (!tickets.write(item)) await once(tickets, 'drain');
    tickets.end();
    expect((await decoded).items.filter(isSpeech)).toEqual(wanted);
  });

  test('each channel has its own', async () => {
    const both = new Float32Array(2 * sound.length);
    sound.forEach((value, i) => {
      both[2 * i] = value;
    });
    const events = await run([bytesOf(both)], {
      model,
      input: { ...input, channels: 2 },
      speakers: { channels: ['Anna', 'Ben'] },
    });
    expect(events.filter(isSpeech)).toEqual(wanted.map((event) => ({ ...event, speaker: 'Anna' })));
  });

  test('a movable stream tells each once, wherever it is moved', async () => {
    const bytes = Buffer.from(Int16Array.from(sound, (value) => Math.round(value * 32_767)).buffer);
    const all = await drain(movableStream(model, { sampleRate: RATE }).end(bytes));
    const whole = all.items.filter(isSpeech);
    expect(whole.length).toBe(wanted.length);
    const seconds = (time: number) => 2 * Math.round(time * RATE);
    // Around the places where one is decided.
    const starts = whole.filter(({ type }) => type === 'speechStart');
    for (const cut of starts.flatMap(({ time }) => [
      seconds(time + 0.015),
      seconds(time + 0.03),
      seconds(time + 0.05),
    ])) {
      const first = movableStream(model, { sampleRate: RATE });
      const before: TranscriptEvent[] = [];
      first.on('data', (event: TranscriptEvent) => before.push(event));
      first.write(bytes.subarray(0, cut));
      const { bytes: snapshot, soundFrom } = await first.snapshot();
      await new Promise(setImmediate);
      first.destroy();
      const after = await drain(moveStream(model, snapshot).end(bytes.subarray(soundFrom)));
      expect([...before, ...after.items].filter(isSpeech)).toEqual(whole);
    }
  });
});

describe('while a step of the encoder runs', () => {
  const sound = concat([loud(3), pause(2), loud(1)]);

  /** Pushes 20 ms at a time, until so many of these events have come. */
  async function until(count: number, stream: ParakeetStream, samples: Float32Array): Promise<number[]> {
    const times: number[] = [];
    stream.on('data', (event: TranscriptEvent) => {
      if (event.type === 'speechStart') times.push(event.time);
    });
    stream.on('error', () => {});
    for (const piece of split(bytesOf(samples), [4 * 320])) {
      stream.write(Buffer.from(piece));
      await new Promise(setImmediate);
    }
    for (let turns = 0; times.length < count && turns < 1000; turns++) await new Promise(setImmediate);
    return times;
  }

  test.each<[string, Parameters<typeof fakeModel>[0], ParakeetOptions]>([
    ['hangs', { hang: 'step' }, {}],
    ['decodes for ever', { hang: 'decode' }, {}],
    ['of a cache-aware model hangs', { hang: 'step', contexts: [[70, 1]] }, {}],
    ['hangs and the gate is on', { hang: 'step' }, { silence: { gate: true } }],
  ])('that %s, a voice is heard', async (_, fault, options) => {
    const model = fakeModel({ ...fault, speech: true });
    const stream = parakeet({ model, input, latency: 'low', ...options });
    // The first step is due after half a second at most.
    expect(await until(1, stream, sound.subarray(0, RATE))).toEqual([0]);
    stream.destroy();
  });

  test('the next voice is heard as well, as long as a step may take', async () => {
    const model = fakeModel({ hang: 'step', faultAfter: 70, speech: true });
    const stream = parakeet({ model, input, latency: 'low', silence: { hangover: 0.1 } });
    const short = concat([loud(1.4), pause(0.2), loud(0.1)]);
    expect(await until(2, stream, short)).toEqual([0, 1.6]);
    stream.destroy();
  });
});
