// model.transcribeStream: the same tokens as the stages', however the audio comes; what is final stays; every way of ending.
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import type { NativeEncoderOptions } from '../../src/engine/addon.js';
import { AbortedError, ArgumentError, AudioError, ParakeetError } from '../../src/errors.js';
import type { AudioChunk, Token } from '../../src/events.js';
import type { TranscribeStreamOptions } from '../../src/live/open-live.js';
import { loadModel } from '../../src/load-model.js';
import { Model } from '../../src/model.js';
import { encode } from '../../src/transforms/encode.js';
import { logMel } from '../../src/transforms/log-mel.js';
import { tokenDecode } from '../../src/transforms/token-decode.js';
import { goldenFolder } from '../support/goldens.js';
import { nativeWith } from '../support/native-with.js';
import { counts, expectNothingAliveAtTheEnd } from '../support/nothing-alive.js';
import { rounded } from '../support/rounded.js';
import { testSignal } from '../support/signals.js';

expectNothingAliveAtTheEnd();

let model: Model;
beforeAll(async () => {
  model = await loadModel(goldenFolder('tdt'), { threads: 1 });
});
afterAll(() => model.close());

const samples = testSignal();
const OPTIONS: TranscribeStreamOptions = { latency: 'low', emissionDelay: 100 };

/** The tokens that the stages give, piped by hand. */
async function staged({ emissionDelay, latency }: TranscribeStreamOptions): Promise<Token[]> {
  const tokens: Token[] = [];
  const chunks = function* (): Generator<AudioChunk> {
    for (let at = 0; at < samples.length; at += 1600)
      yield { channels: [samples.slice(at, at + 1600)], sampleRate: 16_000 };
  };
  const decoder = tokenDecode(model);
  const running = pipeline(
    Readable.from(chunks()),
    logMel(model),
    encode(model, { emissionDelay, latency }),
    decoder,
  );
  for await (const event of decoder) if (event.type === 'token') tokens.push(event.token);
  await running;
  return tokens;
}

const failure = async (promise: Promise<unknown>) => {
  const error = await promise.then(
    () => undefined,
    (reason: unknown) => reason,
  );
  expect(error).toBeInstanceOf(ParakeetError);
  return error as ParakeetError;
};

test('an open stream keeps nothing of the calls that were answered, however long it runs', async () => {
  await using live = model.transcribeStream(OPTIONS);
  for (let at = 0; at < samples.length; at += 160) await live.addAudio(samples.subarray(at, at + 160));
  expect(counts()).toMatchObject({ sessions: 3, calls: 0 });
});

const noSessions = () => expect(counts().sessions).toBe(0);

describe('tokens', () => {
  let expected: Token[];
  beforeAll(async () => {
    expected = await staged(OPTIONS);
    expect(expected.length).toBeGreaterThan(10);
  });

  test('are those of the stages, for any split', async () => {
    const splits = fc.array(fc.integer({ min: 0, max: 40_000 }), { minLength: 1, maxLength: 6 });
    await fc.assert(
      fc.asyncProperty(splits, async (sizes) => {
        await using live = model.transcribeStream(OPTIONS);
        for (let at = 0, i = 0; at < samples.length; i++) {
          const size = sizes[i % sizes.length] || (i % 2) * 7000;
          await live.addAudio(samples.subarray(at, at + size));
          at += size;
        }
        const { tokens } = await live.finish();
        expect(tokens).toEqual(expected);
        expect(live.finalizedTokens).toEqual(expected);
        expect(live.draftTokens).toEqual([]);
      }),
      { numRuns: 8, seed: 3, examples: [[[200_000]]] },
    );
  });

  test('are the same when calls do not wait, and when the caller reuses its array', async () => {
    await using live = model.transcribeStream(OPTIONS);
    const buffer = new Float32Array(5000);
    const calls: Promise<void>[] = [];
    for (let at = 0; at < samples.length; at += buffer.length) {
      const part = samples.subarray(at, at + buffer.length);
      buffer.set(part);
      calls.push(live.addAudio(buffer.subarray(0, part.length)));
    }
    const { tokens } = await live.finish();
    await Promise.all(calls);
    expect(tokens).toEqual(expected);
  });

  test('that are final stay, drafts follow them, and the result is both', async () => {
    await using live = model.transcribeStream(OPTIONS);
    let before: readonly Token[] = [];
    let drafts = 0;
    for (let at = 0; at < samples.length; at += 8000) {
      await live.addAudio(samples.subarray(at, at + 8000));
      const now = [...live.finalizedTokens];
      expect(now.slice(0, before.length)).toEqual(before);
      before = now;
      drafts += live.draftTokens.length;
      const { tokens, text, sentences } = live.result;
      expect(tokens).toEqual([...now, ...live.draftTokens]);
      expect(sentences.flatMap((sentence) => sentence.tokens)).toEqual(tokens);
      expect(text).toBe(
        tokens
          .map((token) => token.text)
          .join('')
          .trim(),
      );
    }
    expect(before.length).toBeGreaterThan(5);
    expect(drafts).toBeGreaterThan(5);
    expect((await live.finish()).tokens.slice(0, before.length)).toEqual(before);
  });

  test('of nothing are none', async () => {
    await using live = model.transcribeStream();
    await live.addAudio(new Float32Array(0));
    expect(await live.finish()).toEqual({ text: '', sentences: [], tokens: [] });
  });
});

describe('options', () => {
  /** What the native encoder is asked for. */
  const asked = async (options: TranscribeStreamOptions): Promise<NativeEncoderOptions> => {
    const spy = vi.fn(model.native.createEncoder.bind(model.native));
    const watched = new Model(
      nativeWith(model.native, { createEncoder: spy }),
      model.info,
      model.addon,
      model.identity,
    );
    await watched.transcribeStream(options).close();
    return spy.mock.calls[0]?.[0] as NativeEncoderOptions;
  };

  test('by default are the reference’s: contextSize [256, 256], depth 1', async () => {
    const lookahead = 256 + (model.info.convKernel - 1) / 2;
    expect(await asked({})).toMatchObject({ context: [256, 256], cache: 256, lookahead });
    expect(await asked({ depth: 2 })).toMatchObject({ context: [256, 256], lookahead: 2 * lookahead });
  });

  test('of latency, lookahead or left take its place', async () => {
    for (const options of [{ latency: 'low' as const }, { lookahead: 5 }, { left: 64 }])
      expect((await asked(options)).context[1]).toBe(-1);
    expect(await asked({ contextSize: [8, 2] })).toMatchObject({ context: [8, 2], cache: 8 });
  });

  test('keepOriginalAttention and decoding are accepted, as in the reference', async () => {
    const options = {
      contextSize: [16, 4],
      keepOriginalAttention: true,
      decoding: { type: 'greedy' },
    } as const;
    expect(await asked(options)).toMatchObject({ context: [-1, -1], cache: 16 });
    await using live = model.transcribeStream(options);
    await live.addAudio(samples);
    expect((await live.finish()).tokens.length).toBeGreaterThan(0);
  });

  test('with flushSilence and emissionDelay of 0 are taken as they are', async () => {
    expect(await asked({ emissionDelay: 0 })).toMatchObject({ emissionDelay: 0 });
    await using live = model.transcribeStream({ ...OPTIONS, flushSilence: 0 });
    await live.addAudio(samples);
    await live.finish();
  });

  test.each([
    [{ contextSize: [1] }, /contextSize/],
    [{ contextSize: [1, 1], lookahead: 3 }, /lookahead/],
    [{ depth: 0 }, /depth/],
    [{ decoding: { beamSize: 2 } }, /type: 'beam'/],
    [{ decoding: { head: 'ctc' } }, /decoding.head/],
    [{ decoding: { boost: [{ phrase: '' }] } }, /decoding\.boost\[0\].phrase/],
    [{ flushSilence: -1 }, /flushSilence/],
    [{ drafts: true }, /drafts/],
    [{ maxWords: 0.5 }, /maxWords/],
    [{ signal: {} }, /signal/],
  ])('%j are refused', (options, said) => {
    expect(() => model.transcribeStream(options as TranscribeStreamOptions)).toThrow(ArgumentError);
    expect(() => model.transcribeStream(options as TranscribeStreamOptions)).toThrow(said);
    noSessions();
  });
});

describe('audio', () => {
  test.each([[[0.1]], [new Float64Array(4)], [new Uint8Array(4)], [undefined]])(
    'of %j is refused',
    async (audio) => {
      await using live = model.transcribeStream(OPTIONS);
      expect(await failure(live.addAudio(audio as never))).toBeInstanceOf(ArgumentError);
      await live.addAudio(samples.subarray(0, 100));
    },
  );

  test('with NaN is refused, and the stream goes on without it', async () => {
    await using live = model.transcribeStream(OPTIONS);
    const error = await failure(live.addAudio(Float32Array.of(0, Number.NaN)));
    expect(error).toBeInstanceOf(AudioError);
    await live.addAudio(samples);
    expect((await live.finish()).tokens).toEqual(await staged(OPTIONS));
  });
});

describe('the end', () => {
  test('finish frees the native state, and nothing can be added after it', async () => {
    const live = model.transcribeStream(OPTIONS);
    await live.addAudio(samples.subarray(0, 32_000));
    const result = await live.finish();
    noSessions();
    expect(live.result).toEqual(result);
    expect(await failure(live.addAudio(samples))).toMatchObject({ code: 'ERR_PARAKEET_CLOSED' });
    expect(await failure(live.finish())).toMatchObject({
      code: 'ERR_PARAKEET_CLOSED',
      message: 'Expected an open transcript but it is finished',
    });
    await live.close();
  });

  test('close in the middle rejects what is pending and leaves no session', async () => {
    const live = model.transcribeStream(OPTIONS);
    const pending = [live.addAudio(samples), live.addAudio(samples), live.finish()].map(failure);
    await new Promise((resolve) => setTimeout(resolve, 3));
    await live.close();
    noSessions();
    for (const error of await Promise.all(pending)) expect(error).toBeInstanceOf(AbortedError);
    expect(await failure(live.addAudio(samples))).toMatchObject({ code: 'ERR_PARAKEET_CLOSED' });
    await live.close();
  });

  test('await using closes', async () => {
    {
      await using live = model.transcribeStream(OPTIONS);
      await live.addAudio(samples.subarray(0, 32_000));
      expect(counts().sessions).toBe(3);
    }
    noSessions();
  });

  test('a signal closes, and is the reason of what it rejects', async () => {
    const aborter = new AbortController();
    const live = model.transcribeStream({ ...OPTIONS, signal: aborter.signal });
    const pending = failure(live.addAudio(samples));
    aborter.abort(new Error('enough'));
    for (const error of [
      await pending,
      await failure(live.addAudio(samples)),
      await failure(live.finish()),
    ]) {
      expect(error).toBeInstanceOf(AbortedError);
      expect(error.cause).toMatchObject({ message: 'enough' });
    }
    await live.close();
    noSessions();
  });

  test('a signal that was aborted before gives a closed stream', async () => {
    const live = model.transcribeStream({ signal: AbortSignal.abort() });
    expect(await failure(live.addAudio(samples))).toBeInstanceOf(AbortedError);
    await live.close();
    noSessions();
  });

  test('a signal that lives long keeps no listener of streams that are over', async () => {
    const { signal } = new AbortController();
    const add = vi.spyOn(signal, 'addEventListener');
    const remove = vi.spyOn(signal, 'removeEventListener');
    await model.transcribeStream({ signal }).close();
    await model.transcribeStream({ signal }).finish();
    expect(add).toHaveBeenCalledTimes(2);
    const removed = remove.mock.calls.map(([, listener]) => listener);
    expect(removed).toEqual(expect.arrayContaining(add.mock.calls.map(([, listener]) => listener)));
  });

  test('a failure of the engine ends the stream with a typed error', async () => {
    let steps = 0;
    const broken = new Model(
      nativeWith(model.native, {
        createEncoder: (options) => {
          const encoder = model.native.createEncoder(options);
          const step = encoder.step.bind(encoder);
          const failing: typeof step = (frames) =>
            ++steps > 2 ? Promise.reject(new Error('out of memory')) : step(frames);
          Object.defineProperty(encoder, 'step', { value: failing });
          return encoder;
        },
        createDecoder: (decoding) => {
          const decoder = model.native.createDecoder(decoding);
          const decode = () => Promise.resolve({ final: none(), draft: none(), computeSeconds: 0 });
          Object.defineProperty(decoder, 'decode', { value: decode });
          return decoder;
        },
      }),
      model.info,
      model.addon,
      model.identity,
    );
    const live = broken.transcribeStream(OPTIONS);
    await expect(live.addAudio(samples)).rejects.toThrow('out of memory');
    noSessions();
    expect(await failure(live.addAudio(samples))).toMatchObject({
      code: 'ERR_PARAKEET_CLOSED',
      message: expect.stringContaining('closed after a failure'),
    });
  });

  test('closing the model ends its streams', async () => {
    const other = await loadModel(goldenFolder('tdt'), { threads: 1 });
    const live = other.transcribeStream(OPTIONS);
    const pending = failure(live.addAudio(samples));
    await other.close();
    expect(['ERR_PARAKEET_ABORTED', 'ERR_PARAKEET_CLOSED']).toContain((await pending).code);
    await live.close();
    noSessions();
  });
});

test('two streams of one model do not disturb each other', async () => {
  const expected = await staged(OPTIONS);
  const run = async (size: number) => {
    await using live = model.transcribeStream(OPTIONS);
    for (let at = 0; at < samples.length; at += size) await live.addAudio(samples.subarray(at, at + size));
    return (await live.finish()).tokens;
  };
  const [a, b] = await Promise.all([run(3000), run(17_000)]);
  expect(rounded(a)).toEqual(rounded(expected));
  expect(rounded(b)).toEqual(rounded(expected));
});

function none() {
  return {
    ids: new Int32Array(0),
    starts: new Int32Array(0),
    durations: new Int32Array(0),
    confidences: new Float32Array(0),
  };
}
