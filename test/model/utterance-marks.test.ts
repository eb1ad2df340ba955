// `<EOU>` and `<EOB>` of a model's vocabulary: events in the place of text, in a stream, in whole recordings and by calls.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import type { Token, TranscriptEvent } from '../../src/events.js';
import { loadModel } from '../../src/load-model.js';
import { UtteranceMarks } from '../../src/model/utterance-marks.js';
import { Detokenizer } from '../../src/model/vocabulary.js';
import { parakeet } from '../../src/parakeet.js';
import { sentences } from '../../src/transforms/sentences.js';
import { randomCacheAware } from '../support/cache-aware.js';
import { testSignal } from '../support/signals.js';
import { through } from '../support/streams.js';

const root = mkdtempSync(path.join(tmpdir(), 'parakeet-marks-'));
afterAll(() => rmSync(root, { recursive: true, force: true }));

const VOCABULARY = ['▁yes', '▁no', '<EOU>', '<EOB>'];
const token = (id: number, start: number): Token => ({
  id,
  text: id < 2 ? ` ${VOCABULARY[id]?.slice(1)}` : '',
  start,
  end: start + 0.5,
  duration: 0.5,
  confidence: 1,
});

describe('marks', () => {
  test('stand for the end of what was said since the last one', () => {
    const marks = new UtteranceMarks(VOCABULARY);
    const events = [token(0, 1), token(1, 2), token(2, 3), token(0, 4), token(3, 5), token(2, 6)].map((one) =>
      marks.event(one),
    );
    expect(events).toEqual([
      undefined,
      undefined,
      { type: 'endOfUtterance', start: 1, end: 2.5, reason: 'model' },
      undefined,
      { type: 'backchannel', start: 4, end: 4.5 },
      { type: 'endOfUtterance', start: 6, end: 6.5, reason: 'model' },
    ]);
  });

  test('are no tokens of a model without them', () => {
    const marks = new UtteranceMarks(['▁a']);
    expect(marks.event(token(0, 1))).toBeUndefined();
    expect(marks.isMark(token(-1, 1))).toBe(false);
  });

  test('and the names of languages have no text', () => {
    const pieces = ['▁yes', '<EOU>', '<EOB>', '<en-US>', '<b>'];
    const text = new Detokenizer(pieces);
    expect(pieces.map((_, id) => text.push(id))).toEqual([' yes', '', '', '', '<b>']);
  });
});

test('the end of an utterance ends the open sentence before it, and the rules of endpointing begin anew', async () => {
  const mark: TranscriptEvent = { type: 'endOfUtterance', start: 1, end: 1.5, reason: 'model' };
  const input: TranscriptEvent[] = [
    { type: 'token', token: token(0, 1) },
    mark,
    { type: 'progress', time: 5 },
    { type: 'token', token: token(1, 6) },
    { type: 'progress', time: 9 },
  ];
  const { items: events } = await through(input, sentences({ utterances: { maxGap: 1 } }));
  expect(events.map((event) => (event.type === 'endOfUtterance' ? event.reason : event.type))).toEqual([
    'token',
    'sentence',
    'model',
    'progress',
    'token',
    'sentence',
    'silence',
    'progress',
  ]);
});

test('a model that has them sends the events and no such token', async () => {
  const folder = randomCacheAware(path.join(root, 'model'), { marks: true });
  await using model = await loadModel(folder, { dtype: 'float32', threads: 1 });
  const samples = testSignal();
  const bytes = Buffer.from(samples.buffer, samples.byteOffset, samples.byteLength);
  const [eou, eob] = ['<EOU>', '<EOB>'].map((piece) => model.info.vocabulary.indexOf(piece));
  for (const mode of ['live', 'file'] as const) {
    const stream = parakeet({ model, mode, input: { format: 'f32le', sampleRate: 16_000, channels: 1 } });
    stream.end(bytes);
    const found: TranscriptEvent[] = [];
    for await (const event of stream) found.push(event);
    const ends = found.filter((event) => event.type === 'endOfUtterance' && event.reason === 'model');
    expect(ends.length).toBeGreaterThan(0);
    expect(found.some((event) => event.type === 'backchannel')).toBe(true);
    const tokens = found.flatMap((event) =>
      event.type === 'token' ? [event.token] : event.type === 'draft' ? event.tokens : [],
    );
    expect(tokens.some(({ id }) => id === eou || id === eob)).toBe(false);
    expect(JSON.stringify(found)).not.toContain('<EO');
  }
  const live = model.live();
  await live.addAudio(samples);
  const { tokens } = await live.finish();
  expect(tokens.length).toBeGreaterThan(10);
  expect(tokens.some(({ id }) => id === eou || id === eob)).toBe(false);
});
