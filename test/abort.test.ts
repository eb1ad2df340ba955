/** Signals: one that was aborted before leaves nothing behind, and one that many share makes Node warn of nothing. */
import type { Stream } from 'node:stream';
import { finished } from 'node:stream/promises';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { onAbort } from '../src/abort.js';
import * as library from '../src/index.js';
import type { Model } from '../src/model.js';
import * as stages from '../src/stages.js';
import { goldenFolder } from './support/goldens.js';
import { counts, nothingAlive } from './support/nothing-alive.js';

let model: Model;
beforeAll(async () => {
  model = await library.loadModel(goldenFolder('tdt-ctc'));
});
afterAll(async () => {
  await model.close();
  await nothingAlive();
});

const { decode, resample, logMel, encode, tokenDecode, tdtDecode, ctcDecode, sentences } = stages;
const { parakeet, merge, mic } = library;
const makers: [string, (signal: AbortSignal) => Stream][] = [
  ['decode', (signal) => decode({ signal })],
  ['resample', (signal) => resample(16_000, { signal })],
  ['logMel', (signal) => logMel(model, { signal })],
  ['encode', (signal) => encode(model, { signal })],
  ['tokenDecode', (signal) => tokenDecode(model, { signal })],
  ['tdtDecode', (signal) => tdtDecode(model, { signal })],
  ['ctcDecode', (signal) => ctcDecode(model, { signal })],
  ['sentences', (signal) => sentences({ signal })],
  ['parakeet', (signal) => parakeet({ model, signal })],
  ["parakeet in mode 'file'", (signal) => parakeet({ model, mode: 'file', signal })],
  ['merge', (signal) => merge({}, { signal })],
  [
    'mic',
    (signal) =>
      mic({
        signal,
        library: {
          Microphone: { open: () => Promise.reject(new Error('no device')) },
          inputDevices: () => [],
        },
      }),
  ],
];

describe.each(makers)('%s with a signal', (_, make) => {
  test('that was aborted already ends with an AbortedError and leaves no session', async () => {
    const stream = make(AbortSignal.abort(new Error('too late')));
    await expect(finished(stream as never)).rejects.toMatchObject({ code: 'ERR_PARAKEET_ABORTED' });
    await expect.poll(() => counts().sessions).toBe(0);
  });
});

test('a transcribeStream with an aborted signal leaves no session', async () => {
  const live = model.transcribeStream({ signal: AbortSignal.abort() });
  await expect(live.addAudio(new Float32Array(100))).rejects.toMatchObject({ code: 'ERR_PARAKEET_ABORTED' });
  await expect.poll(() => counts().sessions).toBe(0);
});

test('forty jobs and streams on one signal make Node warn of no leak, and all hear of it', async () => {
  const warnings: string[] = [];
  const warned = (warning: Error) => warnings.push(warning.name);
  process.on('warning', warned);
  const aborter = new AbortController();
  const { signal } = aborter;
  const samples = new Float32Array(16_000 * 10).map((_, i) => Math.sin(i / 5));
  const work: Promise<unknown>[] = [];
  for (let i = 0; i < 20; i++) {
    work.push(model.transcribe(samples, { signal }));
    work.push(finished(parakeet({ model, signal })));
  }
  aborter.abort();
  const ends = await Promise.allSettled(work);
  const codes = ends.map((end) =>
    end.status === 'rejected' ? (end.reason as { code: string }).code : 'done',
  );
  expect(new Set(codes)).toEqual(new Set(['ERR_PARAKEET_ABORTED']));
  process.off('warning', warned);
  expect(warnings).toEqual([]);
});

test('a callback that was taken back is not called; the others are, once', () => {
  const aborter = new AbortController();
  const called: string[] = [];
  const forget = onAbort(aborter.signal, () => called.push('a'));
  onAbort(aborter.signal, () => called.push('b'));
  onAbort(aborter.signal, () => called.push('b'));
  forget();
  aborter.abort();
  aborter.abort();
  expect(called).toEqual(['b', 'b']);
});
