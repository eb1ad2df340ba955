/** A stream hears what an offline pass hears. That the engine computes exactly the same is in test/streaming/exact.test.ts. */
import { createReadStream } from 'node:fs';
import { expect, test } from 'vitest';
import { loadModel, parakeet, type Token } from '../../src/index.js';
import { samplesOf } from '../support/samples.js';
import { keep } from './keep.js';

keep('stream-is-offline');

test("a stream with mode: 'file' gives the tokens of one pass over the recording's log-mel frames", async () => {
  const file = new URL('../audio/bf_emma_06.flac', import.meta.url);
  await using model = await loadModel();
  const streamed: Token[] = [];
  for await (const event of createReadStream(file).pipe(parakeet({ model, mode: 'file' }))) {
    if (event.type === 'token') streamed.push(event.token);
  }
  const mel = await model.computeLogMel(await samplesOf('bf_emma_06.flac'), 0.8);
  const { tokens } = await model.generate(mel);
  expect(streamed.length).toBeGreaterThan(5);
  expect(streamed.map(({ text, start }) => [text, start])).toEqual(
    tokens.map(({ text, start }) => [text, start]),
  );
});
