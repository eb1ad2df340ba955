/**
 * The stream around the native decoders: seconds, text, drafts, the end. What is decoded is tested with the engine.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, test } from 'vitest';
import type { NativeDecoder, NativeEncoder, NativeTokens } from '../../src/engine/addon.js';
import type { EncodedChunk, TranscriptEvent } from '../../src/events.js';
import type { StageModel } from '../../src/model/stage-model.js';
import { EncoderSession } from '../../src/transforms/encoder-session.js';
import { Latencies } from '../../src/transforms/latency.js';
import { ctcDecode, rnntDecode, tdtDecode, tokenDecode } from '../../src/transforms/token-decode.js';
import { fakeModel } from '../support/fake-native.js';
import { through } from '../support/streams.js';

const tokens = (list: [id: number, start: number, duration: number][]): NativeTokens => ({
  ids: Int32Array.from(list, ([id]) => id),
  starts: Int32Array.from(list, ([, start]) => start),
  durations: Int32Array.from(list, ([, , duration]) => duration),
  confidences: Float32Array.from(list, () => 0.5),
});

/** A model whose decoder gives what a script says. */
function scripted(steps: { final: NativeTokens; draft: NativeTokens }[]) {
  const model = fakeModel();
  const wanted: boolean[] = [];
  const decoder: NativeDecoder = {
    async decode(_encoder, ticket, draft) {
      wanted.push(draft);
      const step = steps[ticket] as (typeof steps)[number];
      return { ...step, computeSeconds: 0.25 };
    },
    async setBoost() {},
    hearAgain: () => Promise.reject(new Error('not asked for')),
    save: () => Promise.reject(new Error('not asked for')),
    load: () => Promise.reject(new Error('not asked for')),
    async close() {},
  };
  return { model: { ...model, native: { ...model.native, createDecoder: () => decoder } }, wanted };
}

const session = (model: StageModel) => new EncoderSession({ close: async () => {} } as NativeEncoder, model);

const ticket = (owner: EncoderSession, number: number, more: Partial<EncodedChunk> = {}): EncodedChunk => ({
  session: owner,
  ticket: number,
  firstFrame: 2 * number,
  final: 2,
  draft: 2,
  computeSeconds: 0.5,
  grown: 1,
  batch: 1,
  speech: [],
  readyAt: performance.now(),
  ...more,
});

const none = tokens([]);

describe('events', () => {
  test('frames become seconds, ids text; progress, drafts and the end follow; each ticket is given back', async () => {
    const { model } = scripted([
      { final: tokens([[0, 0, 1]]), draft: tokens([[1, 2, 1]]) },
      { final: tokens([[1, 2, 1]]), draft: none },
    ]);
    const owner = session(model);
    await owner.take();
    await owner.take();
    const input = [
      ticket(owner, 0),
      ticket(owner, 1, { end: { duration: 0.3 } }),
      ticket(owner, -1, { final: 0, end: { duration: 0.3 } }),
    ];
    const stage = tokenDecode(model);
    const events: TranscriptEvent[] = [];
    stage.on('data', (event) => events.push(event));
    for (const one of input) {
      stage.write(one);
      await sleep(5);
    }
    stage.end();
    await sleep(5);
    expect(owner.outstanding).toBe(0);
    const zero = { id: 0, text: ' zero', start: 0, end: 0.08, duration: 0.08, confidence: 0.5 };
    const one = { id: 1, text: ' one', start: 0.16, end: 0.24, duration: 0.08, confidence: 0.5 };
    const close = (token: object) =>
      Object.fromEntries(
        Object.entries(token).map(([k, v]) => [k, typeof v === 'number' ? expect.closeTo(v, 6) : v]),
      );
    expect(events).toEqual([
      { type: 'token', token: close(zero) },
      { type: 'progress', time: expect.closeTo(0.16, 6) },
      { type: 'draft', tokens: [close(one)], text: 'one', revision: 1 },
      { type: 'token', token: close(one) },
      { type: 'progress', time: 0.3 },
      { type: 'draft', tokens: [], text: '', revision: 2 },
      {
        type: 'end',
        stats: {
          audioSeconds: 0.3,
          computeSeconds: 1.5,
          realTimeFactor: 5,
          steps: 2,
          draftsDropped: 0,
          stepsGrown: 0,
          maxLag: expect.any(Number),
          latency: expect.objectContaining({ max: expect.any(Number) }),
        },
      },
    ]);
  });

  test('times are clamped to the duration and never decrease', async () => {
    const { model } = scripted([
      {
        final: tokens([
          [0, 5, 4],
          [1, 9, 3],
          [2, 20, 1],
        ]),
        draft: none,
      },
    ]);
    const owner = session(model);
    const { items } = await through(
      [ticket(owner, 0, { end: { duration: 0.8 } })],
      tokenDecode(model, { drafts: false }),
    );
    const times = items.flatMap((event) =>
      event.type === 'token' ? [[event.token.start, event.token.end]] : [],
    );
    expect(times).toEqual([
      [0.4, expect.closeTo(0.72, 6)],
      [0.72, 0.8],
      [0.8, 0.8],
    ]);
  });

  test('an input that ends without an end event is ended', async () => {
    const { model } = scripted([{ final: none, draft: none }]);
    const { items } = await through([ticket(session(model), 0)], tokenDecode(model));
    expect(items.at(-1)).toMatchObject({ type: 'end', stats: { audioSeconds: 0.16 } });
  });
});

describe('drafts', () => {
  test('one that newer frames have overtaken is neither computed nor sent; tokens all come', async () => {
    const steps = Array.from({ length: 4 }, (_, i) => ({
      final: tokens([[i, 2 * i, 1]]),
      draft: tokens([[5, 2 * i + 2, 1]]),
    }));
    const { model, wanted } = scripted(steps);
    const owner = session(model);
    const stage = tokenDecode(model);
    for (let i = 0; i < 4; i++) stage.write(ticket(owner, i));
    stage.end();
    const events = (await stage.toArray()) as TranscriptEvent[];
    expect(events.filter((event) => event.type === 'token')).toHaveLength(4);
    // The first began before the others came.
    expect(wanted.slice(0, 3)).toEqual([true, false, false]);
    const drafts = events.flatMap((event) => (event.type === 'draft' ? [event] : []));
    expect(drafts.length).toBeLessThanOrEqual(1);
  });
});

describe('heads', () => {
  test.each([
    ['tdt', tdtDecode, ['tdt', 'tdt-ctc']],
    ['rnnt', rnntDecode, ['rnnt']],
    ['ctc', ctcDecode, ['ctc', 'tdt-ctc']],
  ] as const)('%sDecode takes only models with that head', (_, factory, good) => {
    for (const architecture of ['tdt', 'tdt-ctc', 'rnnt', 'ctc'] as const) {
      const model = fakeModel({ architecture });
      if ((good as readonly string[]).includes(architecture)) factory(model).destroy();
      else expect(() => factory(model)).toThrow(/head for .*Use tokenDecode/);
    }
  });

  test('tokenDecode takes all', () => {
    for (const architecture of ['tdt', 'tdt-ctc', 'rnnt', 'ctc'] as const)
      tokenDecode(fakeModel({ architecture })).destroy();
  });
});

test('something that is no ticket is refused', async () => {
  const model = fakeModel();
  const { error } = await through([{ ...ticket(session(model), 0), session: {} }], tokenDecode(model));
  expect(error).toMatchObject({ code: 'ERR_PARAKEET_INVALID_ARGUMENT' });
});

test('a ticket of another model, or of a second encode stage, is refused', async () => {
  const { model } = scripted([
    { final: none, draft: none },
    { final: none, draft: none },
  ]);
  const foreign = await through([ticket(session(fakeModel()), 0)], tokenDecode(model));
  expect(foreign.error).toMatchObject({
    code: 'ERR_PARAKEET_INVALID_ARGUMENT',
    message: expect.stringContaining('a ticket of the same model'),
  });
  const owners = [session(model), session(model)] as const;
  for (const owner of owners) await owner.take();
  const mixed = await through([ticket(owners[0], 0), ticket(owners[1], 1)], tokenDecode(model));
  expect(mixed.error).toMatchObject({
    code: 'ERR_PARAKEET_INVALID_ARGUMENT',
    message: expect.stringContaining('tickets of one encode stage'),
  });
});

test('latencies: percentiles of many values in bounded memory', () => {
  const latencies = new Latencies();
  expect(latencies.summary()).toEqual({ p50: 0, p95: 0, max: 0 });
  for (let i = 1; i <= 100_000; i++) latencies.add(i);
  const { p50, p95, max } = latencies.summary();
  expect(max).toBe(100_000);
  expect(Math.abs(p50 / 50_000 - 1)).toBeLessThan(0.01);
  expect(Math.abs(p95 / 95_000 - 1)).toBeLessThan(0.01);
});
