/**
 * The composition: one stream that behaves as Node's streams do, equal to its six stages, and clean in every way of ending. On a
 * fake engine; what the real one hears is tested elsewhere.
 */
import { once } from 'node:events';
import { Duplex, PassThrough, Readable, Transform, Writable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, expectTypeOf, test } from 'vitest';
import type { ParakeetOptions } from '../src/composition/options.js';
import { ParakeetStream } from '../src/composition/parakeet-stream.js';
import type { TranscriptEvent } from '../src/events.js';
import { parakeet } from '../src/parakeet.js';
import { decode } from '../src/transforms/decode.js';
import { encode } from '../src/transforms/encode.js';
import { logMel } from '../src/transforms/log-mel.js';
import { resample } from '../src/transforms/resample.js';
import { sentences } from '../src/transforms/sentences.js';
import { tdtDecode } from '../src/transforms/token-decode.js';
import { untilQuiet } from './support/clock.js';
import { type FakeFault, type FakeModel, type FakeOptions, fakeModel, loud } from './support/fake-native.js';
import { drain, pieces } from './support/streams.js';
import { wavFile } from './support/wav-file.js';

const speech = wavFile([loud(6)]);
const small: ParakeetOptions = { latency: { chunk: 0.16, lookahead: 0.24 } };

const unhandled: unknown[] = [];
const note = (reason: unknown) => unhandled.push(reason);
beforeEach(() => {
  unhandled.length = 0;
  process.on('unhandledRejection', note);
  process.on('uncaughtException', note);
});
afterEach(async () => {
  await sleep(10);
  process.off('unhandledRejection', note);
  process.off('uncaughtException', note);
  expect(unhandled).toEqual([]);
});

/** All that matters of the events: drafts and measured times depend on the moment. */
const lasting = (events: TranscriptEvent[]) =>
  events
    .filter((event) => event.type !== 'draft')
    .map((event) => (event.type === 'end' ? { type: 'end' } : event));

const words = (events: TranscriptEvent[]) =>
  events.flatMap((event) => (event.type === 'token' ? [event.token.text] : [])).join('');

/** Runs `bytes` through `stream` by pipe. */
function run(stream: Duplex & AsyncIterable<TranscriptEvent>, bytes: Uint8Array[] = pieces(speech, 10_000)) {
  Readable.from(bytes).pipe(stream);
  return drain(stream);
}

test('a phrase that the model cannot spell fails the stream, and nothing else', async () => {
  const model = fakeModel();
  const stream = parakeet({ ...small, model, decoding: { boost: [{ phrase: '☃ 28' }] } });
  const { error } = await run(stream);
  expect(error).toMatchObject({ code: 'ERR_PARAKEET_INVALID_ARGUMENT' });
});

/** A sink that takes `milliseconds` for each event. */
function slowSink(milliseconds: number, written: TranscriptEvent[] = []) {
  return new Writable({
    objectMode: true,
    highWaterMark: 4,
    write(event: TranscriptEvent, _encoding, callback) {
      setTimeout(() => {
        written.push(event);
        callback();
      }, milliseconds);
    },
  });
}

/** Unlike `once(stream, 'close')`, which an error event rejects. */
const closed = (stream: Duplex) =>
  stream.closed ? undefined : new Promise<void>((resolve) => stream.once('close', () => resolve()));

describe('events', () => {
  test('tokens, sentences, strictly growing progress, drafts with growing revisions, one end', async () => {
    const { items, error } = await run(parakeet({ ...small, model: fakeModel() }));
    expect(error).toBeUndefined();
    expect(words(items).startsWith(' zero one two three four five six seven eight. zero')).toBe(true);
    const progress = items.flatMap((event) => (event.type === 'progress' ? [event.time] : []));
    expect(progress.length).toBeGreaterThan(20);
    expect(progress.every((time, i) => i === 0 || time > (progress[i - 1] as number))).toBe(true);
    expect(progress.at(-1)).toBe(6);
    const revisions = items.flatMap((event) => (event.type === 'draft' ? [event.revision] : []));
    expect(revisions.length).toBeGreaterThan(0);
    expect(revisions.every((revision, i) => i === 0 || revision > (revisions[i - 1] as number))).toBe(true);
    expect(items.filter((event) => event.type === 'sentence').length).toBe(8);
    expect(items.filter((event) => event.type === 'end')).toHaveLength(1);
    expect(items.at(-1)).toMatchObject({ type: 'end', stats: { audioSeconds: 6 } });
    expect((items.at(-1) as { result?: unknown }).result).toBeUndefined();
  });

  test('collect puts the whole result into the end event', async () => {
    const stream = parakeet({ ...small, model: fakeModel(), collect: true });
    const { items } = await run(stream);
    expect(items.at(-1)).toMatchObject({ result: { text: words(items).trim() } });
    expect(stream.endEvent).toBe(items.at(-1));
  });

  test('drafts: false sends none', async () => {
    const { items } = await run(parakeet({ ...small, model: fakeModel(), drafts: false }));
    expect(items.some((event) => event.type === 'draft')).toBe(false);
    expect(items.some((event) => event.type === 'token')).toBe(true);
  });

  test('any split of the bytes gives the same events', async () => {
    const whole = lasting((await run(parakeet({ ...small, model: fakeModel() }), [speech])).items);
    for (const size of [7, 999, 65_536]) {
      const cut = await run(parakeet({ ...small, model: fakeModel() }), pieces(speech, size));
      expect(lasting(cut.items)).toEqual(whole);
    }
  });

  test('the six stages piped by hand give the same events', async () => {
    const whole = lasting(
      (await run(parakeet({ ...small, model: fakeModel(), sentences: { maxWords: 3 } }))).items,
    );
    const model = fakeModel();
    const written: TranscriptEvent[] = [];
    await pipeline(
      Readable.from(pieces(speech, 10_000)),
      decode(),
      resample(16_000),
      logMel(model),
      encode(model, { chunk: 2, lookahead: 3 }),
      tdtDecode(model),
      sentences({ maxWords: 3 }),
      slowSink(0, written),
    );
    expect(lasting(written)).toEqual(whole);
    expect(model.counts.open).toBe(0);
  });

  test.each([0, 1, 2, 3, 4, 5, 6, 7])("a user's own stage fits in at place %i", async (place) => {
    const whole = lasting((await run(parakeet({ ...small, model: fakeModel() }))).items);
    const model = fakeModel();
    let seen = 0;
    const own = new Transform({
      objectMode: true,
      transform(object, _encoding, callback) {
        seen++;
        callback(null, object);
      },
    });
    const written: TranscriptEvent[] = [];
    const line: (Readable | Transform | Writable)[] = [
      Readable.from(pieces(speech, 10_000)),
      decode(),
      resample(16_000),
      logMel(model),
      encode(model, { chunk: 2, lookahead: 3 }),
      tdtDecode(model),
      sentences(),
      slowSink(0, written),
    ];
    line.splice(Math.min(place + 1, line.length - 1), 0, own);
    await pipeline(line as unknown as [Readable, Transform, Writable]);
    expect(lasting(written)).toEqual(whole);
    expect(seen).toBeGreaterThan(0);
    expect(model.counts.open).toBe(0);
  });

  test('empty input: no words, an end event, no error', async () => {
    const model = fakeModel();
    for (const bytes of [[], [wavFile([[]])]]) {
      const { items, error } = await run(parakeet({ model }), bytes);
      expect(error).toBeUndefined();
      expect(items).toEqual([
        { type: 'end', stats: expect.objectContaining({ audioSeconds: 0, realTimeFactor: 0 }) },
      ]);
    }
    expect(model.counts.open).toBe(0);
  });

  test('one sample and one frame of audio come to an end', async () => {
    for (const samples of [1, 160, 161, 1280]) {
      const { items, error } = await run(parakeet({ ...small, model: fakeModel() }), [
        wavFile([loud(samples / 16_000)]),
      ]);
      expect(error).toBeUndefined();
      expect(items.at(-1)).toMatchObject({ type: 'end', stats: { audioSeconds: samples / 16_000 } });
    }
  });
});

describe('it is a Node stream', () => {
  test('instanceof Duplex, and its iterator is typed', () => {
    const stream = parakeet({ model: fakeModel() });
    expect(stream).toBeInstanceOf(Duplex);
    expect(stream).toBeInstanceOf(ParakeetStream);
    expectTypeOf(stream[Symbol.asyncIterator]()).toEqualTypeOf<NodeJS.AsyncIterator<TranscriptEvent>>();
    stream.destroy();
  });

  test('.map', async () => {
    const stream = parakeet({ ...small, model: fakeModel() });
    Readable.from(pieces(speech, 10_000)).pipe(stream);
    const types = await stream.map((event: TranscriptEvent) => event.type).toArray();
    expect(types.at(-1)).toBe('end');
  });

  test('.compose', async () => {
    const stream = parakeet({ ...small, model: fakeModel() });
    Readable.from(pieces(speech, 10_000)).pipe(stream);
    const own = async function* (events: AsyncIterable<TranscriptEvent>) {
      for await (const event of events) if (event.type === 'sentence') yield event.sentence.text;
    };
    const texts: Readable = stream.compose(own as unknown as Duplex);
    expect((await texts.toArray()).length).toBe(8);
  });

  test('Duplex.toWeb', async () => {
    const { readable, writable } = Duplex.toWeb(parakeet({ ...small, model: fakeModel() }));
    const writing = (async () => {
      const writer = writable.getWriter();
      for (const bytes of pieces(speech, 10_000)) await writer.write(bytes);
      await writer.close();
    })();
    const types: string[] = [];
    for await (const event of readable) types.push((event as TranscriptEvent).type);
    await writing;
    expect(types.at(-1)).toBe('end');
  });

  test('await using gives the engine back', async () => {
    const model = fakeModel({ delay: 5 });
    {
      await using stream = parakeet({ ...small, model });
      stream.write(speech);
      await once(stream, 'readable');
    }
    expect(model.counts).toMatchObject({ open: 0, busy: 0 });
  });

  test('an early break from for await gives the engine back', async () => {
    const model = fakeModel();
    const stream = parakeet({ ...small, model });
    Readable.from(pieces(speech, 10_000)).pipe(stream);
    for await (const event of stream) if (event.type === 'token') break;
    await closed(stream);
    expect(model.counts).toMatchObject({ open: 0, busy: 0 });
  });
});

describe('backpressure', () => {
  test('a reader that has stopped stops the source: what the line holds is what the documentation says', async () => {
    const model = fakeModel();
    let taken = 0;
    const minute = loud(1);
    const source = new Readable({
      read() {
        taken++;
        const pcm = Int16Array.from(minute, (x) => x * 32_767);
        this.push(Buffer.from(pcm.buffer));
      },
    });
    const stream = parakeet({ model, input: { format: 's16le', sampleRate: 16_000 } });
    source.pipe(stream);
    await untilQuiet(() => taken + model.counts.samples);
    const heard = model.counts.samples / 16_000;
    // 6.2 s between bytes and events, and what some twenty waiting events stand for: with a token per frame, 2 s.
    expect(heard).toBeLessThan(8.2);
    expect(taken).toBeLessThan(14);
    source.destroy();
    stream.destroy();
    await closed(stream);
  });

  test('a sink of one event per 10 ms: the queues stay flat', async () => {
    const model = fakeModel();
    const written: TranscriptEvent[] = [];
    let most = 0;
    const stream = parakeet({ ...small, model });
    const sink = slowSink(10, written);
    const timer = setInterval(() => {
      most = Math.max(most, stream.readableLength + sink.writableLength);
    }, 1);
    const line = pipeline(Readable.from(pieces(wavFile([loud(4)]), 10_000)), stream, sink);
    await line;
    clearInterval(timer);
    expect(most).toBeLessThanOrEqual(9);
    expect(written.at(-1)?.type).toBe('end');
  });

  test('one write of 100 MB raises the resident memory by less than itself and 20 MB', async () => {
    const model = fakeModel();
    const stream = parakeet({ model, input: { format: 's16le', sampleRate: 16_000 }, drafts: false });
    const before = process.memoryUsage().rss;
    const huge = Buffer.alloc(100_000_000, 1);
    stream.write(huge);
    let most = 0;
    let tokens = 0;
    for await (const event of stream) {
      if (event.type === 'token') tokens++;
      if (tokens % 50 === 0) most = Math.max(most, process.memoryUsage().rss);
      if (tokens === 5000) break;
    }
    expect(most - before).toBeLessThan(huge.length + 20_000_000);
  });
});

describe('errors', () => {
  test('broken input, slow sink: every word of before is written, then the pipeline rejects with the error', async () => {
    const cut = wavFile([loud(6)], { dataSize: 1_000_000 });
    const whole = words((await run(parakeet({ ...small, model: fakeModel() }))).items);
    const model = fakeModel();
    const written: TranscriptEvent[] = [];
    const line = pipeline(
      Readable.from(pieces(cut, 10_000)),
      parakeet({ ...small, model }),
      new PassThrough({ objectMode: true }),
      slowSink(2, written),
    );
    await expect(line).rejects.toMatchObject({ code: 'ERR_PARAKEET_INVALID_AUDIO' });
    expect(words(written)).toBe(whole);
    expect(written.at(-1)?.type).toBe('end');
    expect(model.counts.open).toBe(0);
  });

  test('broken input, for await: every event, then the error', async () => {
    const model = fakeModel();
    const { items, error } = await run(parakeet({ ...small, model }), [speech.subarray(0, -100)]);
    expect(error).toMatchObject({ code: 'ERR_PARAKEET_INVALID_AUDIO' });
    expect(items.at(-1)?.type).toBe('end');
    expect(model.counts.open).toBe(0);
  });

  test('broken input in the middle of an endless source', async () => {
    const bytes = new Float32Array(16_000).fill(0.5);
    let pushed = 0;
    const source = new Readable({
      read() {
        setImmediate(() => {
          // So many samples that are no numbers are no damage, but another encoding.
          if (pushed++ === 3) for (let i = 7; i < bytes.length; i += 2) bytes[i] = Number.NaN;
          this.push(Buffer.from(bytes.slice().buffer));
        });
      },
    });
    const written: TranscriptEvent[] = [];
    const line = pipeline(
      source,
      parakeet({ ...small, model: fakeModel(), input: { format: 'f32le', sampleRate: 16_000 } }),
      slowSink(1, written),
    );
    await expect(line).rejects.toMatchObject({ code: 'ERR_PARAKEET_INVALID_AUDIO' });
    expect(written.at(-1)).toMatchObject({ type: 'end', stats: { audioSeconds: 3 + 71 / 16_000 } });
    expect(source.destroyed).toBe(true);
  });

  test.each(['mel', 'step', 'decode'] as const)(
    'a failure of the engine in %s ends the pipeline with it',
    async (fail) => {
      const model = fakeModel({ fail, faultAfter: 3 });
      const line = pipeline(
        Readable.from(pieces(speech, 10_000)),
        parakeet({ ...small, model }),
        slowSink(0),
      );
      await expect(line).rejects.toThrow(`fake ${fail} failed`);
      expect(model.counts).toMatchObject({ open: 0, busy: 0 });
    },
  );

  test('an error of the sink reaches the source and every session', async () => {
    const model = fakeModel();
    const source = Readable.from(pieces(speech, 1000));
    const sink = new Writable({
      objectMode: true,
      write(_event, _encoding, callback) {
        callback(new Error('disk full'));
      },
    });
    const stream = parakeet({ ...small, model });
    await expect(pipeline(source, stream, sink)).rejects.toThrow('disk full');
    await closed(stream);
    expect(source.destroyed).toBe(true);
    expect(model.counts.open).toBe(0);
  });

  test('an error of the source destroys all with it', async () => {
    const model = fakeModel();
    const source = new Readable({ read() {} });
    source.push(speech.subarray(0, 50_000));
    const stream = parakeet({ ...small, model });
    const line = pipeline(source, stream, slowSink(0));
    await sleep(20);
    source.destroy(new Error('unplugged'));
    await expect(line).rejects.toThrow('unplugged');
    await closed(stream);
    expect(model.counts.open).toBe(0);
  });
});

describe('stopping', () => {
  const ways: [string, (stream: ParakeetStream, aborter: AbortController) => void, RegExp][] = [
    ['destroy(error)', (stream) => stream.destroy(new Error('enough')), /enough/],
    ['an abort', (_, aborter) => aborter.abort(), /aborted/],
  ];
  const hangs: FakeFault[] = ['mel', 'step', 'decode'];
  for (const [way, stop, message] of ways) {
    test.each(hangs)(
      `${way} with work in flight in %s: no session is left when the promise settles`,
      async (hang) => {
        const model = fakeModel({ hang, faultAfter: 2 });
        const aborter = new AbortController();
        const stream = parakeet({ ...small, model, signal: aborter.signal });
        const line = pipeline(Readable.from(pieces(speech, 10_000)), stream, slowSink(0));
        await model.hanging;
        stop(stream, aborter);
        await expect(line).rejects.toThrow(message);
        expect(model.counts).toMatchObject({ open: 0, busy: 0 });
      },
    );
  }

  test('the signal of pipeline does the same', async () => {
    const model = fakeModel({ hang: 'step' });
    const aborter = new AbortController();
    const line = pipeline(Readable.from(pieces(speech, 10_000)), parakeet({ ...small, model }), slowSink(0), {
      signal: aborter.signal,
    });
    await model.hanging;
    aborter.abort();
    await expect(line).rejects.toMatchObject({ name: 'AbortError' });
    expect(model.counts).toMatchObject({ open: 0, busy: 0 });
  });

  test('a signal that was aborted before', async () => {
    const model = fakeModel();
    const stream = parakeet({ model, signal: AbortSignal.abort() });
    const { error } = await drain(stream);
    expect(error).toMatchObject({ name: 'AbortError', code: 'ERR_PARAKEET_ABORTED' });
    expect(model.counts.open).toBe(0);
  });

  test('destroy without an error, before and after the start', async () => {
    for (const wait of [0, 20]) {
      const model = fakeModel();
      const stream = parakeet({ ...small, model });
      stream.write(speech);
      if (wait) await sleep(wait);
      stream.destroy();
      await closed(stream);
      expect(model.counts).toMatchObject({ open: 0, busy: 0 });
    }
  });
});

describe('by hand: destroy, abort and an error at every stage', () => {
  const build = (model: FakeModel, signal?: AbortSignal, at?: number) => {
    const only = (index: number) => (index === at ? { signal } : {});
    return [
      decode(only(0)),
      resample(16_000, only(1)),
      logMel(model, only(2)),
      encode(model, { chunk: 2, lookahead: 3, ...only(3) }),
      tdtDecode(model, only(4)),
      sentences(only(5)),
    ];
  };
  const slow: FakeOptions = { delay: 1 };

  test.each([0, 1, 2, 3, 4, 5])('destroy(error) at stage %i ends the pipeline with it', async (index) => {
    const model = fakeModel(slow);
    const stages = build(model);
    const line = pipeline([Readable.from(pieces(speech, 1000)), ...stages, slowSink(1)] as never);
    await sleep(15);
    stages[index]?.destroy(new Error(`stage ${index}`));
    await expect(line).rejects.toThrow(`stage ${index}`);
    await Promise.all(stages.map(closed));
    expect(model.counts).toMatchObject({ open: 0, busy: 0 });
  });

  test('broken input: every word of before is written, then the pipeline rejects with the error', async () => {
    const whole = words((await run(parakeet({ ...small, model: fakeModel() }))).items);
    const model = fakeModel();
    const written: TranscriptEvent[] = [];
    const cut = pieces(wavFile([loud(6)], { dataSize: 1_000_000 }), 10_000);
    const line = pipeline([Readable.from(cut), ...build(model), slowSink(2, written)] as never);
    await expect(line).rejects.toMatchObject({ code: 'ERR_PARAKEET_INVALID_AUDIO' });
    expect(words(written)).toBe(whole);
    expect(model.counts.open).toBe(0);
  });

  test.each([0, 1, 2, 3, 4, 5])('an abort at stage %i alone', async (index) => {
    const model = fakeModel(slow);
    const aborter = new AbortController();
    const stages = build(model, aborter.signal, index);
    const line = pipeline([Readable.from(pieces(speech, 1000)), ...stages, slowSink(1)] as never);
    await sleep(15);
    aborter.abort();
    await expect(line).rejects.toMatchObject({ code: 'ERR_PARAKEET_ABORTED' });
    await Promise.all(stages.map(closed));
  });
});

describe('options', () => {
  test.each([
    [{ latency: { chunk: 0 } }, /a number from .* to 800 for latency\.chunk but received 0 of type number/],
    [{ latency: { lookahed: 1 } }, /'lookahed'/],
    [{ latency: -7 }, /a number from .* to 800 for latency but received -7/],
    [{ latency: true }, /\{ chunk, lookahead, left \}/],
    [{ latency: 'fast' }, /'low', 'balanced', 'accurate'/],
    [{ contextSize: [256, 256] }, /'contextSize'/],
    [{ input: 'wav' }, /an object/],
    [{ utterances: { maxGap: 0 } }, /utterances\.maxGap/],
    [{ decoding: { type: 'best' } as never }, /decoding.type/],
    [{ silence: { flush: -1 } }, /silence\.flush/],
    [{ drafts: 'no' }, /drafts/],
    [{ sentences: { maxWords: 0 } }, /sentences\.maxWords/],
    [{ model: 7 }, /loadModel/],
    [{ input: { format: 's16le' } }, /samples per second/],
    [{ lookahed: 7 }, /'lookahed'/],
  ])('%j is refused at once', (options, message) => {
    expect(() => parakeet(options as ParakeetOptions)).toThrow(
      expect.objectContaining({
        code: 'ERR_PARAKEET_INVALID_ARGUMENT',
        message: expect.stringMatching(message),
      }),
    );
  });
});
