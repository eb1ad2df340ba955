/** The options of language models, and what streams with them promise: bad files are refused, finals stay, snapshots fit only their own. */
import { appendFileSync, copyFileSync, readFileSync, truncateSync, writeFileSync } from 'node:fs';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { loadAddon } from '../../src/engine/load-addon.js';
import type { DecodingOptions, Model } from '../../src/index.js';
import { loadModel } from '../../src/index.js';
import { checkDecoding, resolveDecoding } from '../../src/model/decoding.js';
import { goldenFolder } from '../support/goldens.js';
import { LanguageModelFolder } from '../support/language-model.js';
import { testSignal } from '../support/signals.js';

setFlagsFromString('--expose-gc');
const collectGarbage = runInNewContext('gc') as () => void;

const folder = new LanguageModelFolder();
afterAll(() => folder.remove());
const samples = testSignal();
let model: Model;
let one: string;
let other: string;
beforeAll(async () => {
  model = await loadModel(goldenFolder('tdt'), { threads: 1 });
  one = await folder.make(model.info.vocabulary, 5);
  other = await folder.make(model.info.vocabulary, 11, 4);
});
afterAll(() => model.close());

const thrown = (call: () => unknown): unknown => {
  try {
    return call();
  } catch (error) {
    return error;
  }
};

describe('options', () => {
  const argument = (message: RegExp) =>
    expect.objectContaining({
      code: 'ERR_PARAKEET_INVALID_ARGUMENT',
      message: expect.stringMatching(message),
    });

  test.each<[unknown, RegExp]>([
    [{ lm: 3 }, /a path, a list of .* for decoding\.lm /],
    [{ lm: [] }, /1 to 4 language models/],
    [{ lm: Array.from({ length: 5 }, () => ({ path: 'x.lm' })) }, /1 to 4 language models/],
    [{ lm: [{ path: 'x.lm', wait: 2 }] }, /only path, weight/],
    [{ lm: [{ path: 7 }] }, /a path for decoding\.lm\[0\]\.path/],
    [{ lm: [{ path: 'x.lm', weight: 0 }] }, /decoding\.lm\[0\]\.weight/],
    [{ lm: 'x.lm', lmWeight: -1 }, /decoding\.lmWeight/],
    [{ lm: 'x.lm', tokenBonus: Number.NaN }, /decoding\.tokenBonus/],
    [{ lmWeight: 0.3 }, /decoding\.lm beside it for decoding\.lmWeight/],
    [{ lm: false, tokenBonus: 1 }, /decoding\.lm beside it/],
    [{ type: 'beam', search: 'best' }, /'frame', 'parakeet-mlx'/],
    [
      { type: 'beam', search: 'frame', patience: 2 },
      /search: 'parakeet-mlx' beside it for decoding\.patience/,
    ],
  ])('%j is a mistake', (decoding, message) => {
    expect(thrown(() => checkDecoding(decoding as DecodingOptions))).toEqual(argument(message));
  });

  test('weights depend on the search; shares have the sum 1; streams with one file share it', () => {
    const resolve = (decoding: DecodingOptions) => resolveDecoding(model.info, decoding).lm;
    const beam = resolve({ type: 'beam', lm: [{ path: one, weight: 3 }, { path: other }] });
    expect(beam).toMatchObject({ weight: 0.4, tokenBonus: 0.5, internalWeight: 0.1 });
    expect(beam?.models.map(({ share }) => share)).toEqual([0.75, 0.25]);
    expect(resolve({ lm: one, lmWeight: 0.7 })).toMatchObject({
      weight: 0.7,
      tokenBonus: 0,
      internalWeight: 0,
    });
    expect(resolve({ type: 'beam', durationReward: 0.3, lm: one })).toMatchObject({ weight: 0.1 });
    expect(resolve({ type: 'beam', lm: one })?.models[0]?.model).toBe(beam?.models[0]?.model);
    expect(resolve({ lm: false })).toBeNull();
  });

  test("parakeet-mlx's search is the transducers', and its options imply it", () => {
    const searchOf = (decoding: DecodingOptions, architecture: 'tdt' | 'rnnt' | 'ctc' = 'tdt') =>
      resolveDecoding({ ...model.info, architecture }, { type: 'beam', ...decoding }).beam;
    expect(searchOf({})).toMatchObject({ search: 'frame', lengthPenalty: 0 });
    expect(searchOf({}, 'rnnt')).toMatchObject({ search: 'frame', lengthPenalty: 1 });
    expect(searchOf({ patience: 2 })).toMatchObject({
      search: 'parakeet-mlx',
      lengthPenalty: 1,
      durationReward: 0.7,
    });
    expect(searchOf({ search: 'parakeet-mlx' }, 'rnnt')).toMatchObject({ search: 'parakeet-mlx' });
    expect(thrown(() => searchOf({ search: 'parakeet-mlx' }, 'ctc'))).toEqual(
      argument(/'frame' for the head/),
    );
  });
});

test('stays open as long as its speech model, for streams that come one after the other', async () => {
  const addon = loadAddon();
  const { openLanguageModel } = addon;
  let times = 0;
  // No spy: it would hold what it has seen.
  addon.openLanguageModel = (...values) => {
    times++;
    return openLanguageModel.apply(addon, values);
  };
  const file = await folder.make(model.info.vocabulary, 7);
  try {
    for (let i = 0; i < 3; i++) {
      resolveDecoding(model.info, { lm: file });
      // A WeakRef holds its object until the turn is over.
      await new Promise((resolve) => setTimeout(resolve, 0));
      collectGarbage();
    }
    expect(times).toBe(1);
    copyFileSync(other, file);
    resolveDecoding(model.info, { lm: file });
    expect(times).toBe(2);
  } finally {
    addon.openLanguageModel = openLanguageModel;
  }
});

describe('a file that is no language model of this vocabulary', () => {
  const refused = (lm: string | true) => thrown(() => resolveDecoding(model.info, { type: 'beam', lm }));
  const invalid = (message: RegExp) =>
    expect.objectContaining({
      code: 'ERR_PARAKEET_INVALID_LANGUAGE_MODEL',
      message: expect.stringMatching(message),
    });

  test('is refused with what is wrong', () => {
    const file = (name: string, change: (path: string) => void) => {
      copyFileSync(one, folder.file(name));
      change(folder.file(name));
      return folder.file(name);
    };
    const edited = (at: number, value: number) => (path: string) => {
      const bytes = readFileSync(path);
      bytes[at] = value;
      writeFileSync(path, bytes);
    };
    expect(refused(file('cut', (path) => truncateSync(path, 1000)))).toEqual(invalid(/cut or altered/));
    expect(refused(file('empty', (path) => truncateSync(path, 0)))).toEqual(invalid(/is empty/));
    expect(refused(file('short', (path) => truncateSync(path, 9)))).toEqual(invalid(/too short/));
    expect(refused(file('longer', (path) => appendFileSync(path, 'more')))).toEqual(
      invalid(/cut or altered/),
    );
    expect(refused(file('bit', edited(500, 77)))).toEqual(invalid(/checksum/));
    expect(refused(file('foreign', edited(0, 0x52)))).toEqual(invalid(/begins as something else/));
    expect(refused(file('later', edited(8, 2)))).toEqual(invalid(/format version 2/));
    expect(refused(file('high', edited(12, 7)))).toEqual(invalid(/order is 7/));
    const vocabulary = model.info.vocabulary.map((piece, i) => (i === 3 ? `${piece}x` : piece));
    expect(thrown(() => resolveDecoding({ ...model.info, vocabulary }, { lm: one }))).toEqual(
      invalid(/another vocabulary/),
    );
  });

  test('is not there, or the model has none of its own', () => {
    const missing = expect.objectContaining({ code: 'ERR_PARAKEET_MODEL_NOT_FOUND' });
    expect(refused(folder.file('none.lm'))).toEqual(missing);
    expect(refused(true)).toEqual(missing);
  });
});

describe.each<[string, DecodingOptions]>([
  ['a frame-synchronous beam', { type: 'beam', beamSize: 3 }],
  ["parakeet-mlx's beam", { type: 'beam', beamSize: 3, search: 'parakeet-mlx' }],
  ['greedy decoding', { type: 'greedy' }],
])('a stream with %s and language models', (_, search) => {
  const decoding = (): DecodingOptions => ({
    ...search,
    lm: [{ path: one }, { path: other, weight: 2 }],
    lmWeight: 1,
  });
  const options = () => ({ chunk: 3, lookahead: 2, left: 8, decoding: decoding() });

  async function run(pushes: number[], from = 0) {
    await using live = model.transcribeStream(options());
    const finals: number[] = [];
    for (let at = from, i = 0; at < samples.length; i++) {
      const size = pushes[i % pushes.length] as number;
      await live.addAudio(samples.subarray(at, at + size));
      at += size;
      const ids = live.finalizedTokens.map(({ id }) => id);
      // What is final stays.
      expect(ids.slice(0, finals.length)).toEqual(finals);
      finals.splice(0, finals.length, ...ids);
    }
    return (await live.finish()).tokens;
  }

  test('gives the same tokens for any pushes, what is final stays, and the language models matter', async () => {
    const whole = await run([samples.length]);
    expect(whole.length).toBeGreaterThan(5);
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.integer({ min: 500, max: 20_000 }), { minLength: 1, maxLength: 5 }),
        async (pushes) => {
          expect(await run(pushes)).toEqual(whole);
        },
      ),
      { numRuns: 5 },
    );
    const live = model.transcribeStream({ ...options(), decoding: search });
    await live.addAudio(samples);
    expect((await live.finish()).tokens.map(({ id }) => id)).not.toEqual(whole.map(({ id }) => id));
  });

  test('is gone on from a snapshot with the same tokens, but not with another language model in the file', async () => {
    const live = model.transcribeStream(options());
    await live.addAudio(samples.subarray(0, 30_000));
    const snapshot = await live.snapshot();
    await live.addAudio(samples.subarray(30_000));
    const { tokens } = await live.finish();
    const again = model.transcribeStream({ from: snapshot });
    await again.addAudio(samples.subarray(30_000));
    expect((await again.finish()).tokens).toEqual(tokens);
    const kept = readFileSync(one);
    try {
      copyFileSync(await folder.make(model.info.vocabulary, 13, 4), one);
      const wrong = model.transcribeStream({ from: snapshot });
      await expect(wrong.addAudio(samples.subarray(30_000))).rejects.toMatchObject({
        code: 'ERR_PARAKEET_INVALID_SNAPSHOT',
        message: expect.stringMatching(/same language model/),
      });
      await wrong.close();
    } finally {
      writeFileSync(one, kept);
    }
  });
});
