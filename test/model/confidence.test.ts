// What the confidence of tokens is: the engine's measures against their formulas, and the calibration of a model's folder.
import { writeFileSync } from 'node:fs';
import path from 'node:path';
import { afterAll, afterEach, describe, expect, test } from 'vitest';
import type { ConfidenceMeasure } from '../../src/engine/addon.js';
import { loadModel } from '../../src/load-model.js';
import { MEASURES, probabilityOf } from '../../src/model/confidence.js';
import { decodeCtc, initialCtcState } from '../reference/ctc.js';
import { Matrix } from '../reference/matrix.js';
import { decodeTransducer, initialState } from '../reference/transducer.js';
import { ModelFolders } from '../support/model-folder.js';
import { loadNativeGolden, type NativeGolden } from '../support/native-golden.js';
import { frameTokens } from '../support/native-stream.js';
import { noise, testSignal } from '../support/signals.js';

const ROWS = 60;

const folders = new ModelFolders();
afterAll(() => folders.remove());

describe('a measure', () => {
  let golden: NativeGolden | undefined;
  afterEach(async () => {
    await golden?.native.close();
    golden = undefined;
  });

  /** Frames of every loudness, so that distributions are flat and peaked. */
  const frames = (columns: number) =>
    noise(ROWS * columns, 3, 5).map((value, i) => value * (1 + Math.sin(i / columns / 5)));

  test.each(['tdt', 'rnnt', 'ctc'] as const)('of %s is what its formula says', async (architecture) => {
    golden = await loadNativeGolden(architecture, 'float32');
    const { native, reference, head } = golden;
    const columns = reference.encoder.dModel;
    const encoded = frames(columns);
    const whole = new Matrix(ROWS, columns, encoded);
    const last = Number.POSITIVE_INFINITY;
    const seen: number[] = [];
    for (const measure of MEASURES) {
      const { tokens: expected } =
        head === 'ctc'
          ? decodeCtc(reference, whole, 0, initialCtcState(), true, last, measure)
          : decodeTransducer(reference, whole, 0, initialState(reference, 0), last, measure);
      const tokens = frameTokens(await native.decode(encoded, ROWS, { head, confidence: measure }, 0));
      expect(tokens.map(({ id }) => id)).toEqual(expected.map(({ id }) => id));
      expect(tokens.length).toBeGreaterThan(5);
      for (const [i, { confidence }] of tokens.entries())
        expect(confidence, measure).toBeCloseTo(expected[i]?.confidence ?? Number.NaN, 4);
      seen.push(...expected.map(({ confidence }) => confidence));
    }
    expect(Math.max(...seen) - Math.min(...seen)).toBeGreaterThan(0.2);
  });

  test.each(['tdt', 'rnnt'] as const)(
    'of a beam of %s is that of greedy decoding, as long as both choose alike',
    async (architecture) => {
      golden = await loadNativeGolden(architecture, 'float32');
      const { native, reference, head } = golden;
      const encoded = frames(reference.encoder.dModel);
      for (const search of ['frame', 'parakeet-mlx'] as const) {
        const beam = { size: 1, search, lengthPenalty: 0, patience: 1, durationReward: 0.7 };
        for (const measure of MEASURES) {
          const decode = async (by: object) =>
            frameTokens(await native.decode(encoded, ROWS, { head, confidence: measure, ...by }, 0));
          const greedy = await decode({});
          const searched = await decode({ beam });
          const other = greedy.findIndex(
            ({ id, start }, i) => searched[i]?.id !== id || searched[i]?.start !== start,
          );
          const alike = other < 0 ? greedy.length : other;
          expect(alike).toBeGreaterThan(0);
          for (const [i, { confidence }] of searched.slice(0, alike).entries())
            expect(confidence, measure).toBeCloseTo(greedy[i]?.confidence ?? Number.NaN, 4);
        }
      }
    },
  );
});

describe('a calibrated model', () => {
  const calibration = { measure: 'margin' as ConfidenceMeasure, scale: 0.5, offset: -1 };
  const folderWith = (content: unknown) => {
    const folder = folders.make({});
    writeFileSync(
      path.join(folder, 'confidence.json'),
      typeof content === 'string' ? content : JSON.stringify(content),
    );
    return folder;
  };

  test('gives probabilities, in every way to transcribe; a measure by name stays as it is', async () => {
    await using model = await loadModel(folderWith({ heads: { tdt: calibration } }), { threads: 1 });
    await using bare = await loadModel(folders.make({}), { threads: 1 });
    const samples = testSignal();
    const hear = async (by: typeof model, confidence?: 'calibrated' | ConfidenceMeasure) => {
      const decoding = { confidence };
      const live = by.live({ decoding });
      await live.addAudio(samples);
      const mel = await by.computeLogMel(samples);
      return [
        await by.transcribe(samples, { decoding }),
        await live.finish(),
        await by.generate(mel, { decoding }),
      ];
    };
    const measured = await hear(bare, 'margin');
    const calibrated = await hear(model);
    expect(await hear(model, 'margin')).toEqual(measured);
    expect(await hear(model, 'calibrated')).toEqual(calibrated);
    expect(await hear(bare)).toEqual(await hear(bare, 'entropy'));
    for (const [i, { tokens, sentences }] of calibrated.entries()) {
      expect(tokens.length).toBeGreaterThan(3);
      for (const [k, { confidence }] of tokens.entries())
        expect(confidence).toBeCloseTo(
          probabilityOf(calibration, measured[i]?.tokens[k]?.confidence ?? Number.NaN),
          6,
        );
      // A sentence has the mean of its words.
      for (const { words, confidence } of sentences.filter((one) => one.words.length > 0))
        expect(confidence).toBeCloseTo(
          words.reduce((sum, word) => sum + word.confidence, 0) / words.length,
          9,
        );
    }
    await expect(bare.transcribe(samples, { decoding: { confidence: 'calibrated' } })).rejects.toMatchObject({
      code: 'ERR_PARAKEET_INVALID_ARGUMENT',
      message: expect.stringContaining('models calibrate'),
    });
  });

  test.each([
    ['no JSON', '{'],
    ['nothing in it', {}],
    ['an unknown head', { heads: { lstm: calibration } }],
    ['an unknown measure', { heads: { tdt: { ...calibration, measure: 'luck' } } }],
    ['a scale that turns the order round', { heads: { tdt: { ...calibration, scale: -1 } } }],
    ['an offset that is no number', { heads: { tdt: { ...calibration, offset: '1' } } }],
  ])('with %s in its folder is refused', async (_name, content) => {
    await expect(loadModel(folderWith(content))).rejects.toMatchObject({
      code: 'ERR_PARAKEET_INVALID_CONFIG',
      message: expect.stringContaining('confidence.json'),
    });
  });
});
