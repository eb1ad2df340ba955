// A model that is told the language: its frames against the plain reference, its streams, and the option.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { NativeAttention } from '../../src/engine/addon.js';
import { loadModel } from '../../src/load-model.js';
import { convertModel } from '../../src/model/convert.js';
import { inLanguage } from '../../src/model/language.js';
import type { Model } from '../../src/model.js';
import { encode } from '../reference/encoder.js';
import { linear, Matrix } from '../reference/matrix.js';
import { readReferenceModel, vector, weight } from '../reference/model.js';
import {
  cacheAwareGoldens,
  cacheAwareOptions,
  confidences,
  randomCacheAware,
  streamTokens,
  wholeTokens,
} from '../support/cache-aware.js';
import { maxDifference } from '../support/goldens.js';
import { placed } from '../support/native-stream.js';
import { noise, testSignal } from '../support/signals.js';

const root = mkdtempSync(path.join(tmpdir(), 'parakeet-language-'));
const PROMPTS = { 'en-US': 0, 'de-DE': 3, auto: 5 };
const CONTEXT: NativeAttention = [8, 3];
const audio = testSignal().slice(0, 60_000);

let folder: string;
let model: Model;
beforeAll(async () => {
  folder = randomCacheAware(path.join(root, 'model'), { prompts: PROMPTS });
  model = await loadModel(folder, { dtype: 'float32', threads: 1 });
});
afterAll(async () => {
  await model.close();
  rmSync(root, { recursive: true, force: true });
});

describe('a model that is told the language', () => {
  test('has the languages of its configuration', () => {
    expect(model.info.prompts).toEqual(PROMPTS);
  });

  test.each(Object.entries(PROMPTS))('hears frames in %s as the reference does', async (_name, prompt) => {
    const { features, dModel } = model.info;
    const data = noise(150 * features, 2);
    const reference = readReferenceModel(folder);
    const frames = encode(reference, new Matrix(150, features, Float64Array.from(data)), CONTEXT);
    const told = new Matrix(frames.rows, dModel + 6);
    for (let t = 0; t < frames.rows; t++) {
      for (let c = 0; c < dModel; c++) told.set(t, c, frames.get(t, c));
      told.set(t, dModel + prompt, 1);
    }
    const layer = (x: Matrix, index: number) =>
      linear(
        x,
        weight(reference, `prompt_kernel.${index}.weight`),
        vector(reference, `prompt_kernel.${index}.bias`),
      );
    const expected = layer(
      layer(told, 0).map((value) => Math.max(0, value)),
      2,
    );
    const encoded = await model.native.encode(data, 150, [...CONTEXT, prompt], 0);
    expect([encoded.rows, encoded.columns]).toEqual([expected.rows, expected.columns]);
    expect(maxDifference(encoded.data, expected.data)).toBeLessThan(1e-4);
  });

  test('streams each in its own language, in one batch, as it hears the whole signal', async () => {
    const streams = Object.values(PROMPTS).map((prompt) => ({
      options: cacheAwareOptions(CONTEXT, { context: [...CONTEXT, prompt] }),
      prompt,
    }));
    const together = await Promise.all(
      streams.map(({ options }) => streamTokens(model, audio, options, [4000])),
    );
    const texts = new Set<string>();
    for (const [i, { prompt }] of streams.entries()) {
      const whole = await wholeTokens(model, audio, [...CONTEXT, prompt]);
      const tokens = together[i]?.tokens ?? [];
      expect(placed(tokens)).toEqual(placed(whole));
      expect(maxDifference(confidences(tokens), confidences(whole))).toBeLessThan(1e-5);
      texts.add(String(placed(whole)));
    }
    // The language makes a difference.
    expect(texts.size).toBe(3);
  });

  test('takes the option in every call, and finds out by itself without it', async () => {
    const ids = async (language?: string) => {
      const live = model.live({ language });
      await live.addAudio(audio);
      return (await live.finish()).tokens.map(({ id }) => id);
    };
    expect(await ids()).toEqual(await ids('auto'));
    expect(await ids()).not.toEqual(await ids('de-DE'));
    const whole = async (language?: string) =>
      (await model.transcribe(audio, { language })).tokens.map(({ id }) => id);
    expect(await whole()).toEqual(await whole('auto'));
    expect(await whole()).not.toEqual(await whole('en-US'));
    const mel = await model.computeLogMel(audio);
    const [one, other] = [
      await model.encodeLogMel(mel, { language: 'en-US' }),
      await model.encodeLogMel(mel, { language: 'de-DE' }),
    ];
    expect(maxDifference(one.data, other.data)).toBeGreaterThan(0.01);
  });

  test('names its languages when it is told another one', async () => {
    expect(() => model.live({ language: 'fr-FR' })).toThrow(
      "Expected one of en-US, de-DE, auto for language but received 'fr-FR' of type string",
    );
    await expect(model.transcribe(audio, { language: '' })).rejects.toThrow('the name of a language');
    expect(() => model.live({ language: 'toString' })).toThrow('Expected one of');
  });

  test('without a way to find out must be told', () => {
    const info = { prompts: { 'en-US': 0 } };
    expect(() => inLanguage(info, undefined, CONTEXT)).toThrow('Expected one of en-US for language');
    expect(inLanguage(info, 'en-US', CONTEXT)).toEqual([8, 3, 0]);
  });

  test('is converted with its languages', async () => {
    const out = path.join(root, 'converted');
    await convertModel(folder, out, { dtype: 'int8' });
    await using own = await loadModel(out);
    expect(own.info).toMatchObject({
      dtype: 'int8',
      prompts: PROMPTS,
      contexts: [
        [8, 0],
        [8, 1],
        [8, 3],
      ],
    });
    expect((await own.transcribe(audio)).tokens.length).toBeGreaterThan(5);
  });
});

test('a model that knows its languages is told none', async () => {
  await using own = await loadModel(cacheAwareGoldens);
  expect(() => own.live({ language: 'en-US' })).toThrow('no value for a model that is not told its language');
});
