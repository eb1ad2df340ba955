// A recording that fits into one window is transcribed without streams: its result and its progress are those of the stream.
import { Writable } from 'node:stream';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { TranscribeOptions, TranscriptProgress } from '../../src/composition/transcribe-source.js';
import { ArgumentError, ClosedError } from '../../src/errors.js';
import { loadModel } from '../../src/load-model.js';
import type { Model } from '../../src/model.js';
import { goldenArray, goldenFolder, readGolden } from '../support/goldens.js';
import { expectNothingAliveAtTheEnd } from '../support/nothing-alive.js';

expectNothingAliveAtTheEnd();

let model: Model;
beforeAll(async () => {
  model = await loadModel(goldenFolder('tdt'), { threads: 1 });
});
afterAll(() => model.close());

const samples = goldenArray(readGolden('tdt', 'long'), 'audio').data;

async function told(part: Float32Array, options: TranscribeOptions) {
  const progress: TranscriptProgress[] = [];
  const result = await model.transcribe(part, { ...options, onProgress: (one) => progress.push(one) });
  return { result, progress };
}

/** With a sink, it is a stream. */
const discard = () => new Writable({ objectMode: true, write: (_event, _encoding, callback) => callback() });

test.each<[string, TranscribeOptions]>([
  ['nothing', {}],
  ['short sentences', { sentences: { maxDuration: 1, maxWords: 2 } }],
  ['utterances', { utterances: { maxGap: 0.2 } }],
  ['an offset and an excerpt', { offset: 100, input: { start: 1.234, duration: 3.21 } }],
  ['a beam', { decoding: { type: 'beam' } }],
  ['a boosted phrase', { decoding: { boost: [{ phrase: 'aabh', weight: 4 }] } }],
  ['nothing to collect', { collect: false }],
  ['a wider window', { windows: { duration: 600 }, silence: { flush: 1, emissionDelay: 8 } }],
  ['several windows', { windows: { duration: 4, overlap: 1 } }],
  ['written numbers', { text: 'written' }],
  ['speakers', { speakers: { channels: ['Anna'] } }],
])('the same as the stream: %s', async (_, options) => {
  const alone = await told(samples, options);
  const streamed = await told(samples, { ...options, sink: discard() });
  expect(alone).toEqual(streamed);
  if (options.collect !== false) expect(alone.result.tokens.length).toBeGreaterThan(3);
  expect(alone.progress.length).toBeGreaterThan(0);
});

test.each([0, 1, 1279, 1280])('%i samples', async (count) => {
  const part = samples.subarray(50_000, 50_000 + count);
  expect(await told(part, {})).toEqual(await told(part, { sink: discard() }));
});

test('what is called with the progress may throw: the recording fails with it', async () => {
  const fails = model.transcribe(samples, {
    onProgress: () => {
      throw new Error('no screen');
    },
  });
  await expect(fails).rejects.toThrow('no screen');
});

test('an option that the model refuses', async () => {
  await expect(model.transcribe(samples, { decoding: { head: 'ctc' } })).rejects.toThrow(ArgumentError);
});

test('a model that is closed', async () => {
  const own = await loadModel(goldenFolder('tdt'), { threads: 1 });
  await own.close();
  await expect(own.transcribe(samples)).rejects.toThrow(ClosedError);
});
