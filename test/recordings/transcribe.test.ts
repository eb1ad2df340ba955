// model.transcribe: every kind of source, windows, what is refused, and what an abort leaves.
import { createReadStream } from 'node:fs';
import { Readable } from 'node:stream';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import type { TranscribeOptions, TranscriptProgress } from '../../src/composition/transcribe-source.js';
import { AbortedError, ArgumentError, AudioError, ParakeetError } from '../../src/errors.js';
import type { TranscriptResult } from '../../src/events.js';
import { loadModel } from '../../src/load-model.js';
import { Model } from '../../src/model.js';
import type { AudioSource } from '../../src/sources/audio-source.js';
import { transcribe } from '../../src/transcribe.js';
import { goldenArray, goldenFolder, readGolden } from '../support/goldens.js';
import { nativeWith } from '../support/native-with.js';
import { counts, expectNothingAliveAtTheEnd, nothingAlive } from '../support/nothing-alive.js';
import { concat, samplesOf } from '../support/samples.js';
import { noise } from '../support/signals.js';
import { wavFile } from '../support/wav-file.js';

expectNothingAliveAtTheEnd();

const audio = (name: string) => fileURLToPath(new URL(`../audio/${name}`, import.meta.url));
const EMPTY = { text: '', sentences: [], tokens: [] };

describe('with a golden model', () => {
  let model: Model;
  beforeAll(async () => {
    model = await loadModel(goldenFolder('tdt'), { threads: 1 });
  });
  afterAll(() => model.close());

  // As 16-bit samples, so that a WAV file holds exactly these.
  const samples = goldenArray(readGolden('tdt', 'long'), 'audio').data.map(
    (x) => Math.round(x * 32_767) / 32_768,
  );
  const wav = wavFile([samples]);
  const options: TranscribeOptions = { silence: { emissionDelay: 8 } };

  describe('every source gives the same', () => {
    let expected: TranscriptResult;
    beforeAll(async () => {
      expected = await model.transcribe(samples, options);
      expect(expected.tokens.length).toBeGreaterThan(5);
    });
    const sources: [string, () => Parameters<Model['transcribe']>[0]][] = [
      ['bytes', () => wav],
      ['a plain Uint8Array', () => new Uint8Array(wav)],
      ['a Readable', () => Readable.from([wav.subarray(0, 1001), wav.subarray(1001)])],
      ['a web stream', () => Readable.toWeb(Readable.from([wav])) as ReadableStream<Uint8Array> as never],
      ['an iterable', () => [wav.subarray(0, 7), wav.subarray(7)]],
      [
        'an async generator',
        () =>
          (async function* () {
            for (let at = 0; at < wav.length; at += 60_001) yield wav.subarray(at, at + 60_001);
          })(),
      ],
    ];
    test.each(sources)('%s', async (_, make) => {
      expect(await model.transcribe(make(), options)).toEqual(expected);
    });

    test('raw PCM that is named', async () => {
      const result = await model.transcribe(wav.subarray(44), {
        ...options,
        input: { format: 's16le', sampleRate: 16_000 },
      });
      expect(result).toEqual(expected);
    });

    test('samples in whatever array they lie', async () => {
      const wider = new Float32Array(samples.length + 20);
      wider.set(samples, 13);
      expect(await model.transcribe(wider.subarray(13, 13 + samples.length), options)).toEqual(expected);
    });
  });

  test('a path, a URL and a stream of a file give the same', async () => {
    const file = audio('af_sky_10.flac');
    const byPath = await model.transcribe(file, options);
    expect(await model.transcribe(pathToFileURL(file), options)).toEqual(byPath);
    expect(await model.transcribe(createReadStream(file, { highWaterMark: 777 }), options)).toEqual(byPath);
  });

  test.each([
    ['no samples', new Float32Array(0)],
    ['no bytes', new Uint8Array(0)],
    ['an ended stream', Readable.from([])],
    ['a WAV file without audio', wavFile([[]])],
    ['digital silence', new Float32Array(48_000)],
    ['one sample', Float32Array.of(0.5)],
  ])('%s give an empty transcript', async (_, source) => {
    const result = await model.transcribe(source, { silence: { emissionDelay: 0, flush: 0 } });
    expect(result).toEqual(EMPTY);
  });

  test('tokens are the golden ones with local attention as well', async () => {
    const whole = await model.transcribe(samples, options);
    const local = await model.transcribe(samples, {
      ...options,
      windows: { attention: { left: 0.64, right: 0.16 } },
    });
    const wide = await model.transcribe(samples, {
      ...options,
      windows: { attention: { left: 800, right: 800 } },
    });
    expect(wide.tokens.map(({ id }) => id)).toEqual(whole.tokens.map(({ id }) => id));
    expect(local.tokens.map(({ id }) => id)).not.toEqual(whole.tokens.map(({ id }) => id));
  });

  test('tokens lie in order within the recording', async () => {
    const { tokens, sentences } = await model.transcribe(samples, {
      ...options,
      windows: { duration: 4, overlap: 1 },
    });
    const duration = samples.length / 16_000;
    tokens.forEach((token, i) => {
      expect(token.start).toBeGreaterThanOrEqual(tokens[i - 1]?.start ?? 0);
      expect(token.end).toBeLessThanOrEqual(duration);
      expect(token.end - token.start).toBeCloseTo(token.duration, 9);
    });
    // Control tokens at the end, which random weights like, belong to no sentence: they have no text.
    const spoken = tokens.slice(0, tokens.findLastIndex(({ text }) => text !== '') + 1);
    expect(sentences.flatMap((sentence) => sentence.tokens)).toEqual(spoken);
  });

  const refused: [TranscribeOptions | object, RegExp][] = [
    [{ windows: { duration: 10, overlap: 10 } }, /less than windows\.duration \(10 s\) for windows\.overlap/],
    [{ windows: { duration: 10, overlap: 20 } }, /windows\.overlap/],
    [{ windows: { duration: -1 } }, /windows\.duration/],
    [{ windows: { duration: null } }, /windows\.duration/],
    [{ windows: { duration: Number.NaN } }, /windows\.duration/],
    [{ windows: { attention: [1] } }, /windows\.attention/],
    [{ windows: { attention: { left: 1, right: -2 } } }, /windows\.attention\.right/],
    [{ windows: { attention: { left: 1, right: 1e12 } } }, /windows\.attention\.right/],
    [{ silence: { flush: 11 } }, /silence\.flush/],
    [{ silence: { emissionDelay: -0.5 } }, /silence\.emissionDelay/],
    [{ silence: { emissionDelay: 1e12 } }, /silence\.emissionDelay/],
    [{ decoding: { type: 'best' } as never }, /decoding.type/],
    [{ sentences: { maxWords: 0 } }, /sentences\.maxWords/],
    [{ input: { format: 's16le' } }, /input\.sampleRate/],
    [{ input: { format: 'mp3' } }, /input\.format/],
    [{ input: { sampleRate: 44_100 } }, /input\.sampleRate/],
    [{ signal: 1 }, /signal/],
    [{ chunkDurations: 3 }, /chunkDurations/],
  ];
  test.each(refused)('the options %j are refused', async (bad, said) => {
    const error = await model.transcribe(samples, bad).catch((reason: unknown) => reason);
    expect(error).toBeInstanceOf(ArgumentError);
    expect((error as Error).message).toMatch(said);
  });

  test.each([
    ['a number', 7],
    ['null', null],
    ['an object', {}],
    ['a list of numbers', [1, 2, 3]],
    ['samples of another type', new Int16Array(1000)],
    ['a stream of text', Readable.from(['a', 'b'])],
  ])('%s is no recording', async (_, source) => {
    const error = await model.transcribe(source as never).catch((reason: unknown) => reason);
    expect(error).toBeInstanceOf(ArgumentError);
    expect((error as Error).message).toMatch(/Expected .*bytes/);
  });

  const nan = Float32Array.from(samples);
  nan[96_000] = Number.NaN;
  const withRateZero = Buffer.from(wav);
  withRateZero.writeUInt32LE(0, 24);
  test.each([
    ['NaN', nan, /sample 96000 \(6.000 s\) is NaN/, 'ERR_PARAKEET_INVALID_AUDIO'],
    [
      'infinity',
      Float32Array.of(0, Number.NEGATIVE_INFINITY),
      /sample 1 .* is -Infinity/,
      'ERR_PARAKEET_INVALID_AUDIO',
    ],
    [
      'NaN in a file',
      wavFile([[0, Number.NaN, 0]], { format: 'float', bits: 32 }),
      /NaN/,
      'ERR_PARAKEET_INVALID_AUDIO',
    ],
    ['an odd byte', wav.subarray(0, wav.length - 1), /./, 'ERR_PARAKEET_INVALID_AUDIO'],
    ['a rate of 0', withRateZero, /rate/, 'ERR_PARAKEET_INVALID_AUDIO'],
    [
      'a text file',
      Buffer.from('To be, or not to be: that is the question'),
      /text/,
      'ERR_PARAKEET_UNSUPPORTED_FORMAT',
    ],
  ])('%s is an AudioError', async (_, source, said, code) => {
    const error = await model.transcribe(source, options).catch((reason: unknown) => reason);
    expect(error).toBeInstanceOf(AudioError);
    expect(error).toMatchObject({ code, message: expect.stringMatching(said) });
  });

  test('a file that is not there is the system’s error', async () => {
    await expect(model.transcribe('/no/such/file.wav')).rejects.toMatchObject({ code: 'ENOENT' });
  });

  test('a source that fails is the recording’s failure, with its own error', async () => {
    const source = Readable.from(
      (async function* () {
        yield wav.subarray(0, 10_000);
        throw new Error('the cable was pulled');
      })(),
    );
    await expect(model.transcribe(source, options)).rejects.toThrow('the cable was pulled');
  });

  test('progress grows to the whole', async () => {
    const file = audio('af_sky_10.flac');
    const progressOf = async (source: AudioSource) => {
      const seen: TranscriptProgress[] = [];
      const windows = { duration: 1, overlap: 0.2 };
      await model.transcribe(source, { windows, onProgress: (one) => seen.push(one) });
      return seen;
    };
    for (const [source, duration] of [
      [file, 2.4],
      [noise(40_000, 0.1), 2.5],
    ] as const) {
      const seen = await progressOf(source);
      expect(seen.length).toBeGreaterThan(2);
      expect(seen.at(-1)?.seconds).toBeCloseTo(duration, 6);
      const times = seen.map(({ seconds }) => seconds);
      expect(times).toEqual([...times].sort((a, b) => a - b));
    }
    for (const { duration } of await progressOf(file)) expect(duration).toBe(2.4);
  });

  test('what onProgress throws rejects', async () => {
    const onProgress = () => {
      throw new Error('no bar');
    };
    await expect(model.transcribe(wav, { onProgress })).rejects.toThrow('no bar');
    await expect(model.transcribe(samples, { onProgress })).rejects.toThrow('no bar');
  });

  test('transcribe() is the same function, with the model as an option; live, it is what parakeet() gives', async () => {
    expect(await transcribe(wav, { ...options, model })).toEqual(await model.transcribe(wav, options));
    const live = { mode: 'live', latency: 'low' } as const;
    expect(await transcribe(wav, { ...live, model })).toEqual(await model.transcribe(wav, live));
    const cut = wav.subarray(0, wav.length - 1);
    const failures = await Promise.all(
      [transcribe(cut, { model }), model.transcribe(cut)].map((result) =>
        result.catch((error: unknown) => error),
      ),
    );
    expect(failures[0]).toBeInstanceOf(AudioError);
    expect((failures[0] as AudioError).heard?.tokens.length).toBeGreaterThan(0);
    expect(failures[0]).toEqual(failures[1]);
  });

  test('a model as an option of model.transcribe is refused: it would be ignored', async () => {
    await expect(model.transcribe(wav, { model } as object)).rejects.toMatchObject({
      code: 'ERR_PARAKEET_INVALID_ARGUMENT',
      message: expect.stringContaining("'model'"),
    });
  });

  test('many at once do not disturb each other', async () => {
    const alone = await model.transcribe(samples, options);
    const all = await Promise.all(Array.from({ length: 4 }, () => model.transcribe(wav, options)));
    // Together they are other products: the last bits of a confidence may differ.
    const placed = ({ tokens }: TranscriptResult) => tokens.map(({ id, start, end }) => ({ id, start, end }));
    for (const result of all) {
      expect(placed(result)).toEqual(placed(alone));
      result.tokens.forEach(({ confidence }, i) => {
        expect(confidence).toBeCloseTo(alone.tokens[i]?.confidence ?? -1, 4);
      });
    }
  });

  test('a signal that lives long keeps no listener', async () => {
    const { signal } = new AbortController();
    const add = vi.spyOn(signal, 'addEventListener');
    const remove = vi.spyOn(signal, 'removeEventListener');
    await model.transcribe(samples.subarray(0, 16_000), { signal });
    await model.transcribe(wav.subarray(0, 44 + 32_000), { signal }).catch(() => {});
    expect(remove.mock.calls.length).toBeGreaterThanOrEqual(add.mock.calls.length);
  });

  test('a closed model says so', async () => {
    const other = await loadModel(goldenFolder('ctc'), { threads: 1 });
    await other.close();
    await other.close();
    const error = await other.transcribe(samples).catch((reason: unknown) => reason);
    expect(error).toBeInstanceOf(ParakeetError);
    expect(error).toMatchObject({ code: 'ERR_PARAKEET_CLOSED' });
    expect(() => other.transcribeStream()).toThrow(ParakeetError);
    expect(counts()).toMatchObject({ models: 1, sessions: 0 });
  });
});

describe('with the bundled model', () => {
  let model: Model;
  beforeAll(async () => {
    model = await loadModel();
  });
  afterAll(async () => {
    await model.close();
    await nothingAlive();
  });
  const words = ({ text }: TranscriptResult) => text.toLowerCase().match(/[a-z']+/g) ?? [];

  test('windows of 6 s hear nearly the same words as one pass over 14 s', async () => {
    const names = ['librispeech-dev-clean_2412-153948-0000.flac', 'af_sky_10.flac'];
    const samples = concat(await Promise.all(names.map((name) => samplesOf(name, model.sampleRate))));
    expect(samples.length / model.sampleRate).toBeGreaterThan(13.5);
    const whole = words(await model.transcribe(samples, { windows: { duration: Number.POSITIVE_INFINITY } }));
    const cut = words(await model.transcribe(samples, { windows: { duration: 6, overlap: 2 } }));
    expect(whole.length).toBeGreaterThan(25);
    expect(distance(whole, cut) / whole.length).toBeLessThan(0.2);
    // A seam neither loses nor doubles a sentence.
    expect(Math.abs(whole.length - cut.length)).toBeLessThanOrEqual(3);
  });

  test.each(['samples', 'bytes'])(
    'an abort in the middle of %s ends it with its work undone',
    async (kind) => {
      const long = noise(16_000 * 60, 0.1);
      const source = kind === 'samples' ? long : wavFile([long]);
      const aborter = new AbortController();
      let busy = 0;
      let done = 0;
      const native = nativeWith(model.native, {
        transcribe: async (...args) => {
          busy++;
          try {
            const tokens = await model.native.transcribe(...args);
            done++;
            return tokens;
          } finally {
            busy--;
          }
        },
      });
      const running = new Model(native, model.info, model.addon, model.identity).transcribe(source, {
        windows: { duration: 20, overlap: 0 },
        signal: aborter.signal,
      });
      await vi.waitFor(() => expect(counts().queued).toBeGreaterThan(0), { interval: 2, timeout: 10_000 });
      aborter.abort(new Error('enough'));
      const error = await running.catch((reason: unknown) => reason);
      // The engine has given up its work by then, and has finished none of it.
      expect({ busy, done }).toEqual({ busy: 0, done: 0 });
      expect(error).toBeInstanceOf(AbortedError);
      expect((error as Error).cause).toMatchObject({ message: 'enough' });
      await vi.waitFor(() => expect(counts()).toEqual({ models: 1, sessions: 0, queued: 0, calls: 0 }), {
        timeout: 10_000,
        interval: 5,
      });
    },
  );

  test('closing the model in the middle ends it with an error', async () => {
    const other = await loadModel();
    const running = other.transcribe(noise(16_000 * 60, 0.1), {
      windows: { duration: Number.POSITIVE_INFINITY },
    });
    const failed = running.catch((reason: unknown) => reason);
    // The model's own work: what else the engine has queued may be another's.
    await vi.waitFor(() => expect(other.jobs.size).toBeGreaterThan(0), { interval: 2, timeout: 10_000 });
    await other.close();
    expect(await failed).toBeInstanceOf(AbortedError);
  });

  test('an abort before does nothing at all', async () => {
    const source = Readable.from([Buffer.from('x')]);
    const error = await model
      .transcribe(source, { signal: AbortSignal.abort() })
      .catch((reason: unknown) => reason);
    expect(error).toBeInstanceOf(AbortedError);
  });

  test('JavaScript’s thread goes on while it works', async () => {
    const samples = await samplesOf('bf_emma_06.flac');
    let turns = 0;
    let over = false;
    const turn = () => {
      turns++;
      if (!over) setImmediate(turn);
    };
    turn();
    await model.transcribe(samples);
    over = true;
    // A thread that waits for the engine has a few turns; while the engine computes, a free one has thousands, or a hundred on a machine
    // that is busy with something else.
    expect(turns).toBeGreaterThan(50);
  });
});

function distance(a: string[], b: string[]): number {
  let row = b.map((_, j) => j + 1);
  a.forEach((x, i) => {
    let diagonal = i;
    let left = i + 1;
    row = b.map((y, j) => {
      const up = row[j] as number;
      const value = Math.min(up + 1, left + 1, diagonal + (x === y ? 0 : 1));
      diagonal = up;
      left = value;
      return value;
    });
  });
  return row.at(-1) ?? a.length;
}
