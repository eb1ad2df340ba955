/**
 * The stage that hears sentences again: what passes, in which order, and how long the sound is kept for it. Where a sentence is cut is
 * tested in refiner.test.ts, what is heard with the engine.
 */
import { Readable } from 'node:stream';
import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, test } from 'vitest';
import type { Sentence, Token, TranscriptEvent } from '../../src/events.js';
import { splitSentences } from '../../src/text/sentence-splitter.js';
import { encode } from '../../src/transforms/encode.js';
import { refine } from '../../src/transforms/refine.js';
import { fakeModel } from '../support/fake-native.js';
import { drain } from '../support/streams.js';

const token = (id: number, text: string, frame: number): Token => ({
  id,
  text,
  start: frame * 0.08,
  end: (frame + 1) * 0.08,
  duration: 0.08,
  confidence: 0.5,
});
/** A sentence of the vocabulary's words from the frame given. */
const sentence = (frame: number): Sentence =>
  splitSentences([token(0, ' zero', frame), token(10, '.', frame + 1)])[0] as Sentence;

/** A model that hears `one.` wherever it listens again; `asked` are the frames. */
function hearing(delay = 0) {
  const model = fakeModel();
  const asked: [number, number][] = [];
  let hears = true;
  const { createDecoder } = model.native;
  model.native.createDecoder = (decoding) => {
    const decoder = createDecoder(decoding);
    decoder.hearAgain = async (_encoder, from, until) => {
      asked.push([from, until]);
      await sleep(delay);
      const at = until - 27;
      const ids = hears ? [1, 10] : [];
      return {
        ids: Int32Array.from(ids),
        starts: Int32Array.from(ids, (_, i) => at + i),
        durations: Int32Array.from(ids, () => 1),
        confidences: Float32Array.from(ids, () => 1),
      };
    };
    return decoder;
  };
  return { model, asked, deafen: () => (hears = false) };
}

const options = { chunk: 2, lookahead: 1 };
const stats = {} as Extract<TranscriptEvent, { type: 'end' }>['stats'];

describe('a refined stream', () => {
  test('has the better sentences in their places; all else passes in its order', async () => {
    const { model, asked } = hearing(2);
    const encoder = encode(model, options);
    const [first, second] = [sentence(10), sentence(50)];
    const events: TranscriptEvent[] = [
      { type: 'token', token: first.tokens[0] as Token },
      { type: 'sentence', sentence: first },
      { type: 'endOfUtterance', start: 0.8, end: 0.96, reason: 'punctuation' },
      { type: 'progress', time: 3 },
      { type: 'sentence', sentence: second },
      { type: 'end', stats },
    ];
    const { items, error } = await drain(Readable.from(events).pipe(refine(model, encoder)));
    expect(error).toBeUndefined();
    expect(items.map(({ type }) => type)).toEqual(events.map(({ type }) => type));
    const told = items.flatMap((event) => (event.type === 'sentence' ? [event.sentence] : []));
    expect(told).toMatchObject([
      { text: 'one.', revised: true, start: 0.8 },
      { text: 'one.', revised: true, start: 4 },
    ]);
    expect(asked).toHaveLength(2);
    encoder.destroy();
  });

  test('keeps the sentences of which nothing is heard', async () => {
    const { model, deafen } = hearing();
    deafen();
    const encoder = encode(model, options);
    const one = sentence(10);
    const events: TranscriptEvent[] = [
      { type: 'sentence', sentence: one },
      { type: 'end', stats },
    ];
    const { items } = await drain(Readable.from(events).pipe(refine(model, encoder)));
    expect(items).toEqual(events);
    encoder.destroy();
  });

  test('has its sound until the end has passed, though the input is over', async () => {
    const { model } = hearing();
    const encoder = encode(model, options);
    encoder.resume().end();
    const stage = refine(model, encoder);
    await sleep(20);
    expect(encoder.closed).toBe(false);
    stage.end({ type: 'end', stats });
    await Promise.all([drain(stage), new Promise((resolve) => encoder.once('close', resolve))]);
    expect(encoder.errored).toBeNull();
  });

  test.each(['it is destroyed', 'its input ends without an end event'])(
    'lets go of the sound when %s',
    async (how) => {
      const { model } = hearing();
      const encoder = encode(model, options);
      encoder.resume().end();
      const stage = refine(model, encoder);
      const closed = new Promise((resolve) => encoder.once('close', resolve));
      if (how === 'it is destroyed') stage.destroy();
      else stage.resume().end();
      await closed;
      expect(encoder.errored).toBeNull();
      await new Promise<void>((resolve) => (stage.closed ? resolve() : stage.once('close', resolve)));
      expect(model.counts.open).toBe(0);
    },
  );
});
