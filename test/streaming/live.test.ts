/**
 * What live streams can do beyond steps, with the bundled model and the real engine: flush, speech events, sleeping through pauses,
 * refined sentences, catching up.
 */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { wordErrorRate } from '../../bench/wer-metric.mjs';
import { bundledModel } from '../../src/bundled-model.js';
import type { ParakeetOptions } from '../../src/composition/options.js';
import type { ParakeetStream } from '../../src/composition/parakeet-stream.js';
import type { TranscriptEvent } from '../../src/events.js';
import { loadModel } from '../../src/load-model.js';
import type { Model } from '../../src/model.js';
import { parakeet } from '../../src/parakeet.js';
import { concat, samplesOf } from '../support/samples.js';
import { noise } from '../support/signals.js';
import { drain } from '../support/streams.js';

const RATE = 16_000;
let model: Model;
let jfk: Float32Array;
let emma: Float32Array;

beforeAll(async () => {
  model = await loadModel(bundledModel(), { dtype: 'float32' });
  jfk = await samplesOf('jfk.flac');
  emma = await samplesOf('bf_emma_06.flac');
});
afterAll(() => model.close());

const bytesOf = (samples: Float32Array) =>
  new Uint8Array(samples.slice().buffer, 0, samples.length * Float32Array.BYTES_PER_ELEMENT);

function line(options: ParakeetOptions = {}): ParakeetStream {
  return parakeet({ model, input: { format: 'f32le', sampleRate: RATE, channels: 1 }, ...options });
}

async function run(samples: Float32Array, options: ParakeetOptions = {}): Promise<TranscriptEvent[]> {
  const stream = line(options);
  stream.end(bytesOf(samples));
  const { items, error } = await drain(stream);
  expect(error).toBeUndefined();
  return items;
}

const wordsOf = (events: readonly TranscriptEvent[]) =>
  events
    .flatMap((event) => (event.type === 'token' ? [event.token.text] : []))
    .join('')
    .toLowerCase()
    .match(/[a-z']+/g) ?? [];
const typesOf = (events: readonly TranscriptEvent[]) => events.map((event) => event.type);

describe('flush()', () => {
  test('makes final what was written, closes the sentence, and what comes later is heard as well', async () => {
    const stream = line({ latency: 'accurate', utterances: true });
    const events: TranscriptEvent[] = [];
    stream.on('data', (event: TranscriptEvent) => events.push(event));
    stream.write(bytesOf(emma));
    await stream.flush();
    const flushed = [...events];
    const whole = await run(emma, { latency: 'accurate' });
    expect(wordsOf(flushed)).toEqual(wordsOf(whole));
    expect(typesOf(flushed)).toContain('sentence');
    expect(flushed.findLast((event) => event.type === 'endOfUtterance')).toMatchObject({ reason: 'flush' });
    const final = flushed.findLast((event) => event.type === 'progress');
    expect((final as { time: number }).time).toBeGreaterThan(emma.length / RATE - 0.12);

    stream.end(bytesOf(jfk));
    await new Promise((resolve) => stream.once('end', resolve));
    const later = wordsOf(events.slice(flushed.length));
    const alone = wordsOf(await run(jfk, { latency: 'accurate' }));
    expect(later.length).toBeGreaterThan(0.8 * alone.length);
    expect(later.slice(-4)).toEqual(alone.slice(-4));
    const starts = events.flatMap((event) => (event.type === 'token' ? [event.token.start] : []));
    expect(starts).toEqual(starts.toSorted((a, b) => a - b));
  });

  test('of a stream that is empty, is over, or was destroyed, resolves', async () => {
    const empty = line();
    empty.resume();
    await empty.flush();
    await empty.flush();
    empty.end();
    await new Promise((resolve) => empty.once('close', resolve));
    await empty.flush();
    const destroyed = line();
    destroyed.destroy();
    await destroyed.flush();
  });

  test('rejects when the stream is destroyed meanwhile', async () => {
    const stream = line();
    stream.on('error', () => {});
    stream.write(bytesOf(jfk));
    const flushed = stream.flush();
    setTimeout(() => stream.destroy(new Error('enough')), 5);
    await expect(flushed).rejects.toThrow('enough');
  });

  test('of a transcript that is fed by calls, the same', async () => {
    const live = model.transcribeStream({ latency: 'accurate' });
    await live.addAudio(emma);
    await live.flush();
    expect(live.draftTokens).toEqual([]);
    const words = (await model.transcribe(emma)).text.toLowerCase().match(/[a-z']+/g);
    expect(
      live.result.text
        .toLowerCase()
        .match(/[a-z']+/g)
        ?.at(-1),
    ).toBe(words?.at(-1));
    await live.close();
  });
});

describe('speech and silence', () => {
  const room = (seconds: number) => noise(seconds * RATE, 2e-4);

  test('events say where speech begins and ends', async () => {
    const events = await run(concat([room(5), emma, room(3)]));
    const changes = events.filter((event) => event.type === 'speechStart' || event.type === 'speechEnd');
    // The room counts as speech until it has proved to be the room.
    const [first, quiet, start] = changes;
    expect(first).toMatchObject({ type: 'speechStart', time: 0 });
    expect(quiet).toMatchObject({ type: 'speechEnd' });
    expect(start).toMatchObject({ type: 'speechStart' });
    expect((start as { time: number }).time).toBeGreaterThan(4.9);
    expect((start as { time: number }).time).toBeLessThan(5.6);
    const end = changes.at(-1) as { type: string; time: number };
    expect(end.type).toBe('speechEnd');
    expect(Math.abs(end.time - 5 - emma.length / RATE)).toBeLessThan(1);
  });

  test('with silence.gate, ten minutes of a quiet room cost next to nothing, and the words after it are heard', async () => {
    const samples = concat([jfk, room(600), emma]);
    const before = model.addon.batches().frames;
    const events = await run(samples, { silence: { gate: true } });
    const frames = model.addon.batches().frames - before;
    const spoken = ((jfk.length + emma.length) / RATE) * 12.5;
    // Each frame of speech is encoded 2.6 times (chunk 8, lookahead 13); 600 s would be 7500 more.
    expect(frames).toBeLessThan(2.7 * spoken + 200);
    const alone = [...wordsOf(await run(jfk)), ...wordsOf(await run(emma))];
    const words = wordsOf(events);
    expect(Math.abs(words.length - alone.length)).toBeLessThanOrEqual(3);
    expect(words.slice(-3)).toEqual(alone.slice(-3));
    const last = events.findLast((event) => event.type === 'token');
    expect((last as { token: { start: number } }).token.start).toBeGreaterThan(600 + jfk.length / RATE);
  });

  test('with silence.gate a stream is the same for any split', async () => {
    const samples = concat([emma, room(4), jfk.subarray(0, 3 * RATE), new Float32Array(2 * RATE), emma]);
    const tokens = (events: TranscriptEvent[]) =>
      events.flatMap((event) => (event.type === 'token' ? [event.token] : []));
    const expected = tokens(await run(samples, { silence: { gate: true }, latency: 'low' }));
    const stream = line({ silence: { gate: true }, latency: 'low' });
    const drained = drain(stream);
    for (let at = 0; at < samples.length; at += 4321) stream.write(bytesOf(samples.subarray(at, at + 4321)));
    stream.end();
    expect(tokens((await drained).items)).toEqual(expected);
  });
});

describe('refine', () => {
  test('the sentences are nearly as good as offline, where the tokens, which stay, are not', async () => {
    const speech = await samplesOf('librispeech-dev-clean_2412-153948-0001.flac');
    const plain = await run(speech, { latency: 'low' });
    const refined = await run(speech, { latency: 'low', refine: true, collect: true });
    expect(wordsOf(refined)).toEqual(wordsOf(plain));
    const sentences = refined.flatMap((event) => (event.type === 'sentence' ? [event.sentence] : []));
    expect(sentences.some((sentence) => sentence.revised)).toBe(true);
    const text = sentences.map((sentence) => sentence.text).join(' ');
    const said =
      'it will be seen that i did not succeed in my design and that however much i may have met with that was new and strange i have been unable to reap any pecuniary advantage';
    const wer = (heard: string) => wordErrorRate([{ said, heard }]).wer;
    const whole = await model.transcribe(speech, { decoding: { type: 'greedy' } });
    const { wer: offline } = wordErrorRate([{ said, heard: whole.text }]);
    expect(wer(text)).toBeLessThan(wer(wordsOf(refined).join(' ')));
    expect(wer(text)).toBeLessThanOrEqual(offline + 5);
    expect(refined.at(-1)).toMatchObject({ type: 'end', result: { text } });
    for (const { start, end, tokens, words } of sentences) {
      expect(tokens[0]?.start).toBe(start);
      expect(words.at(-1)?.end).toBeLessThanOrEqual(end);
    }
    expect(model.addon.counts().sessions).toBe(0);
  });
});

describe("lagPolicy 'growSteps'", () => {
  test('takes steps that wait together, says so, and hears the words', async () => {
    const stream = line({ latency: 'low', lagPolicy: 'growSteps' });
    stream.end(bytesOf(jfk));
    const { items } = await drain(stream);
    const end = items.at(-1) as Extract<TranscriptEvent, { type: 'end' }>;
    expect(end.stats.stepsGrown).toBeGreaterThan(5);
    const kept = await run(jfk, { latency: 'low' });
    const { stats } = kept.at(-1) as typeof end;
    expect(stats.stepsGrown).toBe(0);
    expect(end.stats.steps + end.stats.stepsGrown).toBe(stats.steps);
    expect(wordsOf(items).length).toBeGreaterThan(0.8 * wordsOf(kept).length);
  });
});
