// What fails natively is a ParakeetError wherever it comes out: at a factory, in a stage, in a call.
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { expect, test } from 'vitest';
import type { NativeModel } from '../../src/engine/addon.js';
import { fromNative } from '../../src/engine/native-error.js';
import { typedModel } from '../../src/engine/typed-native.js';
import { AbortedError, ArgumentError, ModelError, NativeError, ParakeetError } from '../../src/errors.js';
import { loadModel } from '../../src/load-model.js';
import { encode } from '../../src/transforms/encode.js';
import { logMel } from '../../src/transforms/log-mel.js';
import { tokenDecode } from '../../src/transforms/token-decode.js';
import { goldenFolder } from '../support/goldens.js';
import { expectNothingAliveAtTheEnd, nothingAlive } from '../support/nothing-alive.js';
import { drain } from '../support/streams.js';

expectNothingAliveAtTheEnd();

const raw = (code: string) => Object.assign(new Error('it broke'), { code });

test.each([
  ['ERR_PARAKEET_ABORTED', AbortedError],
  ['ERR_PARAKEET_INVALID_ARGUMENT', ArgumentError],
  ['ERR_PARAKEET_INVALID_WEIGHTS', ModelError],
  ['ERR_PARAKEET_ENGINE', NativeError],
  ['ERR_PARAKEET_CLOSED', ParakeetError],
  ['ERR_PARAKEET_INVALID_SNAPSHOT', ParakeetError],
])('%s has its class, its message and its cause', (code, Class) => {
  const error = raw(code);
  const typed = fromNative(error);
  expect(typed).toBeInstanceOf(Class);
  expect(typed).toMatchObject({ code, message: 'it broke', cause: error });
  expect(fromNative(typed)).toBe(typed);
});

test.each([new TypeError('A number was expected'), raw('EUNHEARDOF'), new RangeError('no memory')])(
  'a failure that the engine does not know (%s) has a code too',
  (error) => {
    const typed = fromNative(error);
    expect(typed).toBeInstanceOf(NativeError);
    expect(typed).toMatchObject({ code: 'ERR_PARAKEET_ENGINE', cause: error });
    expect(typed.message).toContain(error.message);
  },
);

test('every call of a model and of its sessions is covered, thrown or rejected', async () => {
  const fail = async () => {
    throw raw('ERR_PARAKEET_ENGINE');
  };
  const failNow = () => {
    throw raw('ERR_PARAKEET_ENGINE');
  };
  const state = { save: fail, load: fail };
  const session = {
    ...state,
    push: fail,
    finish: fail,
    step: fail,
    decode: fail,
    hearAgain: fail,
    setBoost: fail,
    close: fail,
  };
  const model = typedModel({
    logMel: fail,
    normalize: fail,
    encode: fail,
    decode: fail,
    transcribe: fail,
    recognizeMel: fail,
    createMel: () => session,
    createEncoder: () => ({ ...session, push: failNow, finish: failNow, flush: failNow }),
    createDecoder: () => session,
    close: fail,
  } as unknown as NativeModel);
  const calls = (object: object, prototype = object) =>
    Object.getOwnPropertyNames(prototype)
      .filter((name) => !name.startsWith('create') && !['constructor', 'native'].includes(name))
      .map((name) => [name, (object as Record<string, () => unknown>)[name]?.bind(object)] as const);
  const encoder = model.createEncoder({} as never);
  const all = [
    ...calls(model),
    ...calls(model.createMel()),
    ...calls(encoder, Object.getPrototypeOf(encoder)),
    ...calls(model.createDecoder({ head: 'tdt' })),
  ];
  expect(all.map(([name]) => name).sort()).toEqual(
    [
      ...['close', 'close', 'close', 'close', 'decode', 'decode', 'encode', 'finish', 'finish', 'logMel'],
      ...[
        'normalize',
        'push',
        'push',
        'step',
        'transcribe',
        'flush',
        'hearAgain',
        'setBoost',
        'recognizeMel',
      ],
      ...['save', 'save', 'save', 'load', 'load', 'load'],
    ].sort(),
  );
  for (const [name, call] of all) {
    const error = await (async () => call?.())().catch((reason: unknown) => reason);
    expect(error, name).toBeInstanceOf(NativeError);
  }
});

test('the stages of a closed model', async () => {
  const model = await loadModel(goldenFolder('tdt'), { threads: 1 });
  const running = logMel(model);
  await model.close();
  for (const make of [() => logMel(model), () => encode(model), () => tokenDecode(model)]) {
    expect(make).toThrow(expect.objectContaining({ name: 'ParakeetError', code: 'ERR_PARAKEET_CLOSED' }));
  }
  const source = Readable.from([{ channels: [new Float32Array(1600)], sampleRate: 16_000 }]);
  const [{ error }] = await Promise.all([drain(running), pipeline(source, running).catch(() => {})]);
  expect(error).toBeInstanceOf(ParakeetError);
  await nothingAlive();
});
