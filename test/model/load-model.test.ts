// From a name to a model: what names mean, what is refused, what an abort leaves, and that nothing in a file can crash the engine.
import { readFileSync } from 'node:fs';
import path from 'node:path';
import fc from 'fast-check';
import { afterAll, afterEach, describe, expect, test, vi } from 'vitest';
import { bundledModel } from '../../src/bundled-model.js';
import { AbortedError, ArgumentError, ModelError, ParakeetError } from '../../src/errors.js';
import { loadModel } from '../../src/load-model.js';
import type { Model } from '../../src/model.js';
import { ARCHITECTURES, goldenArray, goldenFolder, readGolden } from '../support/goldens.js';
import { halved, ModelFolders, readConfigOf, readWeightsOf } from '../support/model-folder.js';
import { counts, expectNothingAliveAtTheEnd, nothingAlive } from '../support/nothing-alive.js';

expectNothingAliveAtTheEnd();
const folders = new ModelFolders();
afterAll(() => folders.remove());
afterEach(() => {
  vi.unstubAllEnvs();
});

const THREADS = { threads: 1 };

describe('a name', () => {
  test.each(ARCHITECTURES)('of a folder with a %s model loads it', async (architecture) => {
    await using model = await loadModel(goldenFolder(architecture), THREADS);
    expect(model.info).toMatchObject({ architecture, sampleRate: 16_000, hop: 160, subsamplingFactor: 8 });
    expect(counts()).toMatchObject({ models: 1, sessions: 0 });
  });

  test('may be left out: PARAKEET_MODEL says', async () => {
    vi.stubEnv('PARAKEET_MODEL', goldenFolder('ctc'));
    await using model = await loadModel(undefined, THREADS);
    expect(model.info.architecture).toBe('ctc');
  });

  test('may be left out: the bundled model, also when PARAKEET_MODEL is empty', async () => {
    vi.stubEnv('PARAKEET_MODEL', '');
    await using model = await loadModel(undefined, THREADS);
    const config = JSON.parse(readFileSync(path.join(bundledModel(), 'config.json'), 'utf8'));
    expect(model.info.layers).toBe(config.encoder.n_layers);
  });

  test.each([
    '/no/such/folder',
    './none',
    'one',
    'a/b/c',
    '',
    'a b/c',
    goldenFolder('ctc').concat('/config.json'),
  ])('%j, neither folder nor repository id', async (name) => {
    const error = await loadModel(name).catch((reason: unknown) => reason);
    expect(error).toBeInstanceOf(ModelError);
    expect(error).toMatchObject({ code: 'ERR_PARAKEET_MODEL_NOT_FOUND' });
    expect((error as Error).message).toContain(`'${name}', which is none of them`);
  });

  test.each([['config.json'], ['model.safetensors']])('of a folder without %s', async (missing) => {
    const folder = folders.make({ [missing === 'config.json' ? 'config' : 'weights']: null });
    await expect(loadModel(folder)).rejects.toMatchObject({
      code: 'ERR_PARAKEET_MODEL_NOT_FOUND',
      message: `Expected ${missing} in the model folder ${folder} but found none (looked for config.json with model.safetensors or model.safetensors.index.json)`,
    });
  });

  test.each(['{', '', '{"a":1}\u0000', '['])('of a folder whose config.json is %j', async (config) => {
    const folder = folders.make({ config });
    await expect(loadModel(folder)).rejects.toMatchObject({
      code: 'ERR_PARAKEET_INVALID_CONFIG',
      message: expect.stringContaining(`Expected JSON in ${path.join(folder, 'config.json')}`),
    });
  });

  test('that is no text', async () => {
    await expect(loadModel(42 as unknown as string)).rejects.toBeInstanceOf(ArgumentError);
  });
});

test.each([
  [{ dtype: 'float64' }, /dtype/],
  [{ device: 'tpu' }, /device/],
  [{ threads: 0 }, /threads/],
  [{ signal: 'now' }, /signal/],
  [{ treads: 2 }, /treads/],
])('the options %j are refused', async (options, said) => {
  const error = await loadModel(goldenFolder('tdt'), options as object).catch((reason: unknown) => reason);
  expect(error).toBeInstanceOf(ArgumentError);
  expect((error as Error).message).toMatch(said);
});

describe('an abort', () => {
  test('before, with the reason as its cause', async () => {
    const signal = AbortSignal.abort(new Error('changed my mind'));
    const error = await loadModel(goldenFolder('tdt'), { signal }).catch((reason: unknown) => reason);
    expect(error).toBeInstanceOf(AbortedError);
    expect((error as Error).cause).toMatchObject({ message: 'changed my mind' });
    await nothingAlive();
  });

  test('at any moment of loading leaves no model', async () => {
    for (const delay of [0, 0, 1, 2, 5, 10, 20, 40, 80]) {
      const aborter = new AbortController();
      const loading = loadModel(bundledModel(), { signal: aborter.signal });
      setTimeout(() => aborter.abort(), delay);
      const outcome = await loading.catch((reason: unknown) => reason as Error);
      if (outcome instanceof Error) expect(outcome).toBeInstanceOf(AbortedError);
      else await outcome.close();
      await nothingAlive();
    }
  });
});

describe('weights in half the bytes', () => {
  const { data: features, shape } = goldenArray(readGolden('tdt', 'short'), 'features');
  const frames = shape[0] as number;
  const hear = async (model: Model) => {
    const encoded = await model.native.encode(features, frames, [-1, -1], 0);
    const tokens = await model.native.decode(encoded.data, encoded.rows, { head: 'tdt' }, 0);
    return { encoded: encoded.data, ids: [...tokens.ids] };
  };

  test.each([
    ['F16', 0.02, 0.9],
    ['BF16', 0.15, 0.6],
  ] as const)('%s', async (type, tolerance, agreement) => {
    await using whole = await loadModel(goldenFolder('tdt'), THREADS);
    await using half = await loadModel(
      folders.make({ weights: halved(readWeightsOf('tdt'), type) }),
      THREADS,
    );
    const [a, b] = [await hear(whole), await hear(half)];
    const difference = Math.sqrt(
      a.encoded.reduce((sum, x, i) => sum + (x - (b.encoded[i] as number)) ** 2, 0) / a.encoded.length,
    );
    expect(difference).toBeGreaterThan(0);
    expect(difference).toBeLessThan(tolerance);
    const same = a.ids.filter((id) => b.ids.includes(id)).length;
    expect(same / a.ids.length).toBeGreaterThanOrEqual(agreement);
    expect(Math.abs(b.ids.length - a.ids.length)).toBeLessThanOrEqual(a.ids.length / 4);
  });
});

describe('whatever is in the files, loading works or fails with a typed error', () => {
  const outcomeOf = async (folder: string) => {
    try {
      await using model = await loadModel(folder, THREADS);
      // What loads must run, too.
      await model
        .transcribe(new Float32Array(8000).map((_, i) => Math.sin(i / 9) / 4))
        .catch((error: unknown) => {
          if (!(error instanceof ParakeetError)) throw error;
        });
    } catch (error) {
      if (!(error instanceof ParakeetError)) throw error;
    }
  };
  const weights = readFileSync(path.join(goldenFolder('tdt'), 'model.safetensors'));
  const config = Buffer.from(JSON.stringify(readConfigOf('tdt')));
  const headerEnd = 8 + Number(weights.readBigUInt64LE(0));
  const flips = (length: number) =>
    fc.array(fc.tuple(fc.nat(length - 1), fc.integer({ min: 1, max: 255 })), { minLength: 1, maxLength: 4 });
  const flipped = (file: Buffer, changes: [number, number][]) => {
    const out = Buffer.from(file);
    for (const [at, mask] of changes) out[at] = (out[at] as number) ^ mask;
    return out;
  };

  test('flipped bytes of the weights’ header', async () => {
    await fc.assert(
      fc.asyncProperty(flips(headerEnd), (changes) =>
        outcomeOf(folders.make({ weights: flipped(weights, changes) })),
      ),
      { numRuns: 150, seed: 4 },
    );
  });

  test('flipped bytes of config.json', async () => {
    await fc.assert(
      fc.asyncProperty(flips(config.length), (changes) =>
        outcomeOf(folders.make({ config: flipped(config, changes) })),
      ),
      { numRuns: 150, seed: 5 },
    );
  });

  test('other digits in either', async () => {
    const digits = (file: Buffer, end: number) =>
      Array.from({ length: end }, (_, at) => at).filter((at) =>
        /\d/.test(String.fromCharCode(file[at] as number)),
      );
    const [inConfig, inHeader] = [digits(config, config.length), digits(weights, headerEnd)];
    const digit = fc.integer({ min: 0x30, max: 0x39 });
    const place = fc.oneof(
      fc.record({ config: fc.constantFrom(...inConfig), digit }),
      fc.record({ header: fc.constantFrom(...inHeader), digit }),
    );
    await fc.assert(
      fc.asyncProperty(place, (change) => {
        const isConfig = 'config' in change;
        const out = Buffer.from(isConfig ? config : weights);
        out[isConfig ? change.config : change.header] = change.digit;
        return outcomeOf(folders.make(isConfig ? { config: out } : { weights: out }));
      }),
      { numRuns: 150, seed: 6 },
    );
  });

  test('files cut anywhere', async () => {
    await fc.assert(
      fc.asyncProperty(fc.nat(weights.length - 1), fc.nat(config.length - 1), fc.boolean(), (w, c, which) =>
        outcomeOf(
          folders.make(which ? { weights: weights.subarray(0, w) } : { config: config.subarray(0, c) }),
        ),
      ),
      { numRuns: 60, seed: 7 },
    );
  });
});
