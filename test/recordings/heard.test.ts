/** What a recording gave before it failed is not lost: it travels with the error. */
import { readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { AbortedError, AudioError } from '../../src/errors.js';
import { loadModel } from '../../src/load-model.js';
import { Model } from '../../src/model.js';
import { nativeWith } from '../support/native-with.js';

const recording = fileURLToPath(new URL('../audio/am_michael_05.flac', import.meta.url));
let model: Model;
beforeAll(async () => {
  model = await loadModel();
});
afterAll(() => model.close());

test('a recording that is cut short', async () => {
  const bytes = await readFile(recording);
  const error = await model.transcribe(bytes.subarray(0, bytes.length * 0.7)).catch((e: unknown) => e);
  expect(error).toBeInstanceOf(AudioError);
  const { heard } = error as AudioError;
  const { text } = await model.transcribe(bytes);
  expect(heard?.text.slice(0, 12)).toBe(text.slice(0, 12));
});

test('an abort leaves the windows that are done', async () => {
  const aborter = new AbortController();
  let windows = 0;
  const native = nativeWith(model.native, {
    transcribe: (...args) => {
      if (++windows === 2) aborter.abort();
      return model.native.transcribe(...args);
    },
  });
  const watched = new Model(native, model.info, model.addon, model.identity);
  const options = { windows: { duration: 1.6, overlap: 0.4 }, signal: aborter.signal };
  const error = await watched.transcribe(recording, options).catch((e: unknown) => e);
  expect(error).toBeInstanceOf(AbortedError);
  expect((error as AbortedError).heard?.tokens.length).toBeGreaterThan(0);
});
