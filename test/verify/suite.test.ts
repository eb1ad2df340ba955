/** What ships to verify with is what the reference computes, and the recordings are the suite's own. */
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { beforeAll, expect, test } from 'vitest';
import { bundledModel } from '../../src/bundled-model.js';
import { readSuite, type Suite, samplesOf } from '../../src/verify/suite.js';
import { decodeAll } from '../reference/decode.js';
import { encode } from '../reference/encoder.js';
import { logMel, normalize, statistics } from '../reference/mel.js';
import { readReferenceModel } from '../reference/model.js';
import { maxDifference } from '../support/goldens.js';

let suite: Suite;
beforeAll(async () => {
  suite = await readSuite();
});

test('the arrays and tokens of the first recording are the reference’s', async () => {
  const model = readReferenceModel(bundledModel());
  const [recording] = suite.recordings;
  const samples = await samplesOf(recording as Suite['recordings'][number], model.mel.sampleRate);
  const mel = logMel(samples, model.mel);
  const encoded = encode(model, normalize(mel, statistics(mel, mel.rows, false)), [-1, -1]);
  const { goldens } = suite;
  // Stored in float32; another version of Node may round a logarithm's last bit in another way.
  expect(maxDifference(mel.data, goldens.logMel)).toBeLessThan(1e-6);
  expect(maxDifference(encoded.data, goldens.encoded)).toBeLessThan(1e-5);
  const tokens = decodeAll(model, encoded, 'tdt');
  expect(tokens.map(({ id }) => id)).toEqual(goldens.tokens[0]?.ids);
  const confidences = tokens.map(({ confidence }) => confidence);
  expect(maxDifference(confidences, goldens.tokens[0]?.confidences ?? [])).toBeLessThan(1e-6);
});

test('the recordings are those of test/audio, and each has tokens', () => {
  expect(suite.recordings).toHaveLength(5);
  for (const [i, { name, file, said }] of suite.recordings.entries()) {
    const original = fileURLToPath(new URL(`../audio/${name}`, import.meta.url));
    expect(readFileSync(file).equals(readFileSync(original))).toBe(true);
    expect(said).not.toBe('');
    const { ids, confidences } = suite.goldens.tokens[i] ?? { ids: [], confidences: [] };
    expect(ids.length).toBeGreaterThan(5);
    expect(confidences).toHaveLength(ids.length);
  }
});
