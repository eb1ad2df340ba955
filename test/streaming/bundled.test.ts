/**
 * The bundled model through `parakeet()`, on real recordings, fed as fast as it is taken: what a user of a live stream relies on.
 * Not how well it hears (bench/wer.mjs), save for the last word. Some 60 s of audio in all.
 */
import { readFileSync } from 'node:fs';
import { Readable } from 'node:stream';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { bundledModel } from '../../src/bundled-model.js';
import type { TranscriptEvent } from '../../src/events.js';
import { loadModel } from '../../src/load-model.js';
import type { Model } from '../../src/model.js';
import { parakeet } from '../../src/parakeet.js';
import { samplesOf } from '../support/samples.js';
import { noise, surrounded } from '../support/signals.js';
import { drain, pieces } from '../support/streams.js';

const RATE = 16_000;
const folder = fileURLToPath(new URL('../audio/', import.meta.url));
const recordings = readFileSync(`${folder}transcripts.tsv`, 'utf8')
  .trim()
  .split('\n')
  .slice(1)
  .map((line) => line.split('\t') as [file: string, seconds: string, transcript: string]);

let model: Model;
beforeAll(async () => {
  model = await loadModel(bundledModel());
});
afterAll(() => model.close());

async function stream(samples: Float32Array): Promise<TranscriptEvent[]> {
  const bytes = new Uint8Array(samples.buffer, samples.byteOffset, samples.byteLength);
  const line = parakeet({ model, input: { format: 'f32le', sampleRate: RATE, channels: 1 }, collect: true });
  const source = Readable.from(pieces(bytes, 20_000));
  source.pipe(line);
  const { items, error } = await drain(line);
  expect(error).toBeUndefined();
  return items;
}

const textOf = (events: TranscriptEvent[]) =>
  events.flatMap((event) => (event.type === 'token' ? [event.token.text] : [])).join('');
const lastWord = (text: string) => text.toLowerCase().match(/[a-z']+(?=[^a-z']*$)/)?.[0] ?? '';

/** The recording up to its last sound: what comes after its last 10 ms that are a tenth as loud as its loudest is cut off. */
function cutAfterLastSound(samples: Float32Array): Float32Array {
  const piece = RATE / 100;
  const loudness = Array.from({ length: Math.floor(samples.length / piece) }, (_, i) =>
    samples.subarray(i * piece, (i + 1) * piece).reduce((sum, sample) => sum + sample * sample, 0),
  );
  const limit = 0.01 * Math.max(...loudness);
  return samples.slice(0, (loudness.findLastIndex((energy) => energy >= limit) + 1) * piece);
}

let rightLastWords = 0;

describe.each(recordings)('%s, cut right after its last sound', (file, _seconds, transcript) => {
  let samples: Float32Array;
  let events: TranscriptEvent[];
  beforeAll(async () => {
    samples = cutAfterLastSound(await samplesOf(file));
    events = await stream(samples);
  });

  test('what is final stays: tokens come in order, none begins before what progress has promised', () => {
    let progress = -1;
    let start = 0;
    for (const event of events) {
      if (event.type === 'progress') {
        expect(event.time).toBeGreaterThan(progress);
        progress = event.time;
      }
      if (event.type === 'token') {
        expect(event.token.start).toBeGreaterThanOrEqual(Math.max(start, progress));
        expect(event.token.end).toBeLessThanOrEqual(samples.length / RATE);
        start = event.token.start;
      }
    }
    expect(textOf(events).length).toBeGreaterThan(5);
    const sentences = events.flatMap((event) => (event.type === 'sentence' ? event.sentence.tokens : []));
    expect(sentences.map((token) => token.text).join('')).toBe(textOf(events));
    expect(events.at(-1)).toMatchObject({ type: 'end', result: { text: textOf(events).trim() } });
  });

  test('the last word is there', async () => {
    const { text } = await model.transcribe(surrounded(samples, 0, RATE));
    expect(textOf(events).length).toBeGreaterThan(0.8 * text.length);
    // The small model mishears some words; what it hears with a second to spare it must also hear without.
    if (lastWord(text) !== lastWord(transcript)) return;
    rightLastWords++;
    expect(lastWord(textOf(events))).toBe(lastWord(text));
  });
});

test('most recordings had a last word to test', () => {
  expect(rightLastWords).toBeGreaterThanOrEqual(5);
});

describe('no words out of nothing', () => {
  const length = 2.5 * RATE;
  const tone = Float32Array.from({ length }, (_, i) => 0.1 * Math.sin((2 * Math.PI * 440 * i) / RATE));
  test.each<[string, Float32Array]>([
    ['digital silence', new Float32Array(length)],
    ['low noise', noise(length, 1e-3 * Math.sqrt(3))],
    ['a constant', new Float32Array(length).fill(0.1)],
    ['a tone', tone],
  ])('%s, offline and streamed', async (_name, samples) => {
    expect((await model.transcribe(samples)).text).toBe('');
    expect(textOf(await stream(samples))).toBe('');
  });
});

test('ten minutes of digital silence before speech leave its words as they are', async () => {
  const samples = await samplesOf('af_sky_10.flac');
  const tokensOf = (events: TranscriptEvent[]) =>
    events.flatMap((event) => (event.type === 'token' ? [event.token] : []));
  const early = tokensOf(await stream(samples));
  const late = tokensOf(await stream(surrounded(samples, 600 * RATE, 0)));
  expect(early.length).toBeGreaterThan(4);
  expect(late.map((token) => [token.text, token.confidence])).toEqual(
    early.map((token) => [token.text, token.confidence]),
  );
  late.forEach((token, i) => {
    expect(token.start).toBeCloseTo(600 + (early[i]?.start as number));
  });
});
