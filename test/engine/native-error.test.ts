// What fails in the addon is an error of this package's classes, whether a call throws it or its promise rejects: the addon makes it so
// itself, in every thread that loads it.
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { Worker } from 'node:worker_threads';
import { describe, expect, test } from 'vitest';
import type { NativeEncoder } from '../../src/engine/addon.js';
import { loadAddon } from '../../src/engine/load-addon.js';
import { nativeError } from '../../src/engine/native-error.js';
import { AbortedError, ArgumentError, ModelError, NativeError, ParakeetError } from '../../src/errors.js';
import { loadModel } from '../../src/load-model.js';
import type { Model } from '../../src/model.js';
import { encode } from '../../src/transforms/encode.js';
import { logMel } from '../../src/transforms/log-mel.js';
import { tokenDecode } from '../../src/transforms/token-decode.js';
import { goldenFolder } from '../support/goldens.js';
import { loadNativeGolden } from '../support/native-golden.js';
import { smallEncoder as options } from '../support/native-with.js';
import { expectNothingAliveAtTheEnd, nothingAlive } from '../support/nothing-alive.js';
import { drain } from '../support/streams.js';

expectNothingAliveAtTheEnd();

/** What a call throws, or its promise rejects with. The first is told apart: a method that returns a promise must not throw. */
async function failure(call: () => unknown): Promise<{ error: unknown; thrown: boolean }> {
  let result: unknown;
  try {
    result = call();
  } catch (error) {
    return { error, thrown: true };
  }
  return Promise.resolve(result).then(
    () => expect.unreachable('the call did not fail'),
    (error: unknown) => ({ error, thrown: false }),
  );
}

/** Runs `test` with a model that is closed afterwards. */
async function withModel(run: (model: Model) => Promise<void>): Promise<void> {
  const model = await loadModel(goldenFolder('tdt'), { threads: 1 });
  try {
    await run(model);
  } finally {
    await model.close();
  }
}

test.each([
  ['ERR_PARAKEET_ABORTED', AbortedError],
  ['ERR_PARAKEET_INVALID_ARGUMENT', ArgumentError],
  ['ERR_PARAKEET_INVALID_WEIGHTS', ModelError],
  ['ERR_PARAKEET_ENGINE', NativeError],
  ['ERR_PARAKEET_CLOSED', ParakeetError],
  ['ERR_PARAKEET_INVALID_SNAPSHOT', ParakeetError],
])('%s has its class and its message', (code, Class) => {
  const cause = new TypeError('A number was expected');
  expect(nativeError(code, 'it broke')).toBeInstanceOf(Class);
  expect(nativeError(code, 'it broke')).toMatchObject({ code, message: 'it broke' });
  expect(nativeError(code, 'it broke')).not.toHaveProperty('cause');
  expect(nativeError(code, 'it broke', cause)).toMatchObject({ cause });
});

describe('errors of the addon', () => {
  test('for wrong arguments, in every method', () =>
    withModel(async ({ native }) => {
      const mel = native.createMel(80);
      const encoder = native.createEncoder(options);
      const decoder = native.createDecoder({ head: 'tdt' });
      const all: [object, string[]][] = [
        [native, ['logMel', 'normalize', 'encode', 'decode', 'transcribe', 'recognizeMel']],
        [native, ['createEncoder', 'createDecoder']],
        [mel, ['push', 'finish', 'load']],
        [encoder, ['push', 'finish', 'flush', 'load']],
        [decoder, ['decode', 'hearAgain', 'load']],
        [loadAddon(), ['loadModel', 'cancel', 'setBatchFrames', 'productSpeed', 'makeErrorsWith']],
      ];
      const throwing = [
        'createEncoder',
        'createDecoder',
        'cancel',
        'setBatchFrames',
        'makeErrorsWith',
        'NativeEncoder.push',
        'NativeEncoder.finish',
        'NativeEncoder.flush',
      ];
      for (const [object, names] of all) {
        for (const name of names) {
          const call = (object as Record<string, (...args: unknown[]) => unknown>)[name]?.bind(object);
          const { error, thrown } = await failure(() => call?.(Symbol('wrong')));
          expect(error, name).toBeInstanceOf(NativeError);
          expect(error, name).toMatchObject({
            code: 'ERR_PARAKEET_ENGINE',
            message: expect.stringMatching(/^The engine failed: ./),
            cause: expect.any(Error),
          });
          const own = throwing.includes(name) || throwing.includes(`${object.constructor.name}.${name}`);
          expect(thrown, name).toBe(own);
        }
      }
      await Promise.all([mel.close(), encoder.close(), decoder.close()]);
    }));

  test('for arrays of another type or length', () =>
    withModel(async ({ native, info }) => {
      const encoder = native.createEncoder(options);
      const bytes = new Uint8Array(64) as unknown as Float32Array;
      for (const call of [() => native.logMel(bytes), () => encoder.push(bytes)])
        expect((await failure(call)).error).toMatchObject({ code: 'ERR_PARAKEET_ENGINE' });
      const cut = new Float32Array(info.features + 1);
      for (const call of [() => native.normalize(cut, 2), () => encoder.push(cut)])
        expect((await failure(call)).error).toBeInstanceOf(ArgumentError);
      await encoder.close();
    }));

  test('for tickets and encoders that are somebody else’s', () =>
    withModel(async ({ native }) => {
      const [encoder, decoder] = [native.createEncoder(options), native.createDecoder({ head: 'tdt' })];
      const unknown = await failure(() => decoder.decode(encoder, 7, false));
      expect(unknown.error).toBeInstanceOf(ArgumentError);
      expect(unknown.error).toMatchObject({ message: expect.stringContaining('7') });
      for (const wrong of [decoder, {}, native]) {
        const { error } = await failure(() => decoder.decode(wrong as unknown as NativeEncoder, 0, false));
        expect(error).toBeInstanceOf(NativeError);
        expect(error).toMatchObject({ message: expect.stringContaining('NativeEncoder') });
      }
      await Promise.all([encoder.close(), decoder.close()]);
    }));

  test('for snapshots that do not fit', () =>
    withModel(async ({ native }) => {
      for (const session of [native.createMel(80), native.createDecoder({ head: 'tdt' })]) {
        const { error } = await failure(() => session.load(new Uint8Array(5)));
        expect(error).toBeInstanceOf(ParakeetError);
        expect(error).toMatchObject({ code: 'ERR_PARAKEET_INVALID_SNAPSHOT' });
        await session.close();
      }
    }));

  test('for what is closed, and for what closing gives up', () =>
    withModel(async ({ native }) => {
      const mel = native.createMel(80);
      // Enough work that what comes behind it cannot be done before the close.
      const running = Promise.allSettled(
        Array.from({ length: 20 }, () => mel.push(new Float32Array(160_000))),
      );
      const late = failure(() => mel.push(new Float32Array(160)));
      await mel.close();
      await running;
      expect((await late).error).toBeInstanceOf(AbortedError);
      const after = await failure(() => mel.save());
      expect(after.error).toBeInstanceOf(ParakeetError);
      expect(['ERR_PARAKEET_ABORTED', 'ERR_PARAKEET_CLOSED']).toContain((after.error as ParakeetError).code);
    }));

  test('for weights that are not there', async () => {
    const { addon, native } = await loadNativeGolden('tdt');
    await native.close();
    const { error, thrown } = await failure(() =>
      addon.loadModel(
        {
          architecture: 'ctc',
          preprocessor: {
            sampleRate: 16_000,
            windowLength: 400,
            hop: 160,
            fftLength: 512,
            features: 80,
            preemphasis: 0.97,
            window: 'hann',
            normalize: true,
          },
          encoder: {
            layers: 1,
            dModel: 8,
            heads: 1,
            feedForward: 8,
            subsamplingFactor: 8,
            subsamplingChannels: 8,
            convKernel: 9,
            useBias: true,
            xscaling: false,
            causal: false,
          },
          vocabularySize: 4,
          durations: [],
          maxSymbols: 10,
        },
        [],
        { dtype: 'float32', threads: 1, job: 0 },
      ),
    );
    expect(error).toBeInstanceOf(ModelError);
    expect({ error, thrown }).toMatchObject({
      error: { code: 'ERR_PARAKEET_INVALID_WEIGHTS' },
      thrown: false,
    });
  });

  test('in a worker thread are made there, and those of this thread stay its own', async () => {
    const addon =
      process.env.PARAKEET_ADDON || new URL('../../build/Release/parakeet.node', import.meta.url).pathname;
    const worker = new Worker(
      `const { workerData, parentPort } = require('node:worker_threads');
       const addon = require(workerData);
       const said = [];
       const call = () => addon.loadModel().catch((error) => said.push([error.code, error.name, error.message]));
       call()
         .then(() => addon.makeErrorsWith((code, message) => Object.assign(new RangeError(message), { code, name: 'Own' })))
         .then(call)
         .then(() => parentPort.postMessage(said));`,
      { eval: true, workerData: addon },
    );
    const said = await new Promise<string[][]>((resolve, reject) => {
      worker.once('message', resolve);
      worker.once('error', reject);
    });
    await worker.terminate();
    expect(said.map(([code, name]) => [code, name])).toEqual([
      ['ERR_PARAKEET_ENGINE', 'Error'],
      ['ERR_PARAKEET_ENGINE', 'Own'],
    ]);
    const here = await failure(() => loadAddon().loadModel(undefined as never, [], undefined as never));
    expect(here.error).toBeInstanceOf(NativeError);
  });
});

test('the stages of a closed model', async () => {
  const model = await loadModel(goldenFolder('tdt'), { threads: 1 });
  const running = logMel(model);
  await model.close();
  for (const make of [() => logMel(model), () => encode(model), () => tokenDecode(model)]) {
    expect(make).toThrow(expect.objectContaining({ name: 'ClosedError', code: 'ERR_PARAKEET_CLOSED' }));
  }
  const source = Readable.from([{ channels: [new Float32Array(1600)], sampleRate: 16_000 }]);
  const [{ error }] = await Promise.all([drain(running), pipeline(source, running).catch(() => {})]);
  expect(error).toBeInstanceOf(ParakeetError);
  await nothingAlive();
});
