// Streams of a cache-aware model: they must equal the pass over the whole signal, for any pushes, batches, snapshots and flushes.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { NativeContext, NativeDecoding } from '../../src/engine/addon.js';
import type { Sentence } from '../../src/events.js';
import { loadModel } from '../../src/load-model.js';
import { boostTreeOrNone } from '../../src/model/boost-tree.js';
import type { Model } from '../../src/model.js';
import { parakeet } from '../../src/parakeet.js';
import {
  cacheAwareOptions,
  confidences,
  randomCacheAware,
  streamTokens,
  wholeTokens,
} from '../support/cache-aware.js';
import { maxDifference } from '../support/goldens.js';
import { placed } from '../support/native-stream.js';
import { expectNothingAliveAtTheEnd } from '../support/nothing-alive.js';
import { testSignal } from '../support/signals.js';

expectNothingAliveAtTheEnd();

const audio = testSignal();
const root = mkdtempSync(path.join(tmpdir(), 'parakeet-cache-aware-'));
/** What float32 in another order of sums may change of a confidence. */
const CLOSE = 1e-5;

let model: Model;
beforeAll(async () => {
  model = await loadModel(randomCacheAware(path.join(root, 'float32')), { dtype: 'float32', threads: 1 });
});
afterAll(async () => {
  await model.close();
  rmSync(root, { recursive: true, force: true });
});

const CONTEXTS: NativeContext[] = [
  [8, 0],
  [8, 1],
  [8, 3],
];
const PCM = { format: 'f32le', sampleRate: 16_000, channels: 1 } as const;
const sizes = fc.array(fc.oneof(fc.integer({ min: 1, max: 700 }), fc.integer({ min: 700, max: 40_000 })), {
  minLength: 1,
  maxLength: 5,
});

describe('a cache-aware stream', () => {
  test.each(CONTEXTS)(
    'with context %i, %i equals the whole signal for each length to 40 mel frames',
    async (...context) => {
      let found = 0;
      for (let frames = 1; frames <= 40; frames++) {
        const samples = audio.slice(20_000, 20_000 + frames * 160);
        const live = await streamTokens(model, samples, cacheAwareOptions(context), [700]);
        const whole = await wholeTokens(model, samples, context);
        expect(placed(live.tokens), `${frames} mel frames`).toEqual(placed(whole));
        found += whole.length;
      }
      expect(found).toBeGreaterThan(20);
    },
  );

  test('equals the whole signal for random pushes, lengths and contexts', async () => {
    let found = 0;
    await fc.assert(
      fc.asyncProperty(
        fc.constantFrom(...CONTEXTS),
        fc.integer({ min: 0, max: 60_000 }),
        fc.integer({ min: 160, max: 40_000 }),
        fc.constantFrom(0, 1000, 8000),
        fc.constantFrom(1, 3),
        sizes,
        async (context, from, length, flush, grow, pushes) => {
          const samples = audio.slice(from, from + length);
          const live = await streamTokens(
            model,
            samples,
            cacheAwareOptions(context, { grow }),
            pushes,
            flush,
          );
          const whole = await wholeTokens(model, samples, context, flush);
          expect(placed(live.tokens)).toEqual(placed(whole));
          expect(maxDifference(confidences(live.tokens), confidences(whole))).toBeLessThan(CLOSE);
          found += whole.length;
        },
      ),
      { numRuns: 20 },
    );
    expect(found).toBeGreaterThan(100);
  });

  test('makes a chunk final at each step, as soon as its last mel frame is there', async () => {
    for (const context of CONTEXTS) {
      const chunk = context[1] + 1;
      const encoder = model.native.createEncoder(cacheAwareOptions(context));
      // The first chunk needs 1 + 8 · right mel frames, each later one 8 · (right + 1).
      for (let step = 0; step < 4; step++) {
        const needed = step === 0 ? 1 + 8 * context[1] : 8 * chunk;
        for (let frame = 1; frame <= needed; frame++) {
          const ticket = await encoder.step(new Float32Array(model.info.features).fill(frame % 7));
          if (frame < needed) expect(ticket).toBeNull();
          else expect(ticket).toMatchObject({ firstFrame: step * chunk, final: chunk, draft: 0 });
        }
      }
      await encoder.close();
    }
  });

  test('in batches of streams of all contexts gives what it gives alone', async () => {
    const streams = Array.from({ length: 12 }, (_, i) => ({
      context: CONTEXTS[i % 3] as NativeContext,
      samples: audio.slice(i * 777, audio.length - i * 4321),
      pushes: [1000 + 611 * i, 4000],
    }));
    const run = (one: (typeof streams)[number]) =>
      streamTokens(model, one.samples, cacheAwareOptions(one.context), one.pushes);
    const alone: Awaited<ReturnType<typeof run>>[] = [];
    for (const one of streams) alone.push(await run(one));
    const before = model.addon.batches();
    const together = await Promise.all(streams.map(run));
    const after = model.addon.batches();
    expect(after.steps - before.steps).toBeGreaterThan(after.batches - before.batches);
    for (const [i, { tokens, finals }] of together.entries()) {
      const own = alone[i]?.tokens ?? [];
      expect(placed(tokens)).toEqual(placed(own));
      expect(finals).toEqual(alone[i]?.finals);
      expect(maxDifference(confidences(tokens), confidences(own))).toBeLessThan(CLOSE);
    }
  });

  test('with boosted phrases equals the whole signal too', async () => {
    const { vocabulary } = model.info;
    const word = vocabulary.find((piece) => piece.startsWith('▁')) as string;
    const boost = boostTreeOrNone(vocabulary, [{ phrase: word.slice(1), weight: 8 }]);
    const decoding: NativeDecoding = { head: 'rnnt', boost };
    const live = await streamTokens(model, audio, cacheAwareOptions([8, 1]), [3000], 0, decoding);
    const whole = await wholeTokens(model, audio, [8, 1], 0, decoding);
    expect(whole.length).toBeGreaterThan(5);
    expect(placed(live.tokens)).toEqual(placed(whole));
    expect(placed(whole)).not.toEqual(placed(await wholeTokens(model, audio, [8, 1])));
  });

  // A beam chooses at the end of each step, so that what is final stays: it is not that of the whole signal.
  test('with a beam gives the same tokens for any pushes', async () => {
    const beam = { search: 'frame', size: 3, lengthPenalty: 0, patience: 1, durationReward: 0 } as const;
    const run = (pushes: number[]) =>
      streamTokens(model, audio, cacheAwareOptions([8, 3]), pushes, 0, { head: 'rnnt', beam });
    const [one, other] = [await run([audio.length]), await run([777, 5000])];
    expect(placed(one.tokens)).toEqual(placed(other.tokens));
    expect(one.finals).toEqual(other.finals);
  });

  test('is refined with the longest context', async () => {
    const line = parakeet({ model, latency: 0.08, refine: true, sentences: { maxWords: 4 }, input: PCM });
    line.end(Buffer.from(audio.buffer, audio.byteOffset, audio.byteLength));
    const sentences: Sentence[] = [];
    for await (const event of line) if (event.type === 'sentence') sentences.push(event.sentence);
    expect(sentences.length).toBeGreaterThan(2);
    expect(sentences.some(({ revised }) => revised)).toBe(true);
  });

  test('goes on from a snapshot at any point with the same tokens', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.constantFrom(0.08, 0.16, 0.32),
        fc.integer({ min: 0, max: 60_000 }),
        fc.integer({ min: 500, max: 9000 }),
        fc.boolean(),
        async (latency, at, push, gate) => {
          const live = model.live({ latency, silence: { gate } });
          for (let i = 0; i < at; i += push) await live.addAudio(audio.subarray(i, Math.min(at, i + push)));
          const again = model.live({ from: await live.snapshot() });
          for (const one of [live, again]) await one.addAudio(audio.subarray(at, 80_000));
          const [own, other] = [await live.finish(), await again.finish()];
          expect(own.tokens.length).toBeGreaterThan(5);
          expect(other.tokens).toEqual(own.tokens);
        },
      ),
      { numRuns: 12 },
    );
  });

  test('refuses a snapshot of another context', async () => {
    const encoder = model.native.createEncoder(cacheAwareOptions([8, 3]));
    const other = model.native.createEncoder(cacheAwareOptions([8, 1]));
    await expect(other.load(await encoder.save())).rejects.toMatchObject({
      code: 'ERR_PARAKEET_INVALID_SNAPSHOT',
    });
    await Promise.all([encoder.close(), other.close()]);
  });

  test('that is flushed gives the last words then, and hears what follows as a new signal', async () => {
    for (const context of CONTEXTS) {
      for (const cut of [16_000, 16_160, 20_640, 23_333]) {
        const parts = [audio.subarray(0, cut), audio.subarray(cut, 48_000)];
        const mel = model.native.createMel(80);
        const encoder = model.native.createEncoder(cacheAwareOptions(context));
        const decoder = model.native.createDecoder({ head: 'rnnt' });
        const ids: number[][] = [[], []];
        for (const [i, part] of parts.entries()) {
          encoder.push(await mel.push(part));
          if (i === 0) encoder.flush(80);
          else {
            encoder.push(await mel.finish(0));
            encoder.finish(48_000);
          }
          for (let step = await encoder.step(); step; step = await encoder.step()) {
            const { final } = await decoder.decode(encoder, step.ticket, true);
            ids[i]?.push(...final.ids);
          }
        }
        // The mel frames of the whole signal, cut where the flush was; the first part is followed by digital silence.
        const all = await model.native.logMel(audio.slice(0, 48_000));
        const frames = Math.max(0, Math.floor((cut - 200) / 160) + 1);
        const { features } = model.info;
        const silent = new Float32Array((frames + 80) * features).fill(Math.log(2 ** -24));
        silent.set(all.data.subarray(0, frames * features));
        const first = await model.native.encode(silent, frames + 80, context, 0);
        const decoded = await model.native.decode(first.data, first.rows, { head: 'rnnt' }, 0);
        expect(ids[0]).toEqual([...decoded.ids]);
        expect(ids[1]?.length).toBeGreaterThan(0);
        await Promise.all([mel.close(), encoder.close(), decoder.close()]);
      }
    }
  });

  test('sleeps through silence with the gate, and wakes where the sound begins', async () => {
    const samples = new Float32Array(16_000 * 6);
    samples.set(audio.subarray(0, 24_000), 48_000);
    const { tokens, finals } = await streamTokens(
      model,
      samples,
      cacheAwareOptions([8, 1], { gate: true, hangover: 20 }),
      [1000],
    );
    expect(tokens.length).toBeGreaterThan(0);
    expect(finals.reduce((sum, one) => sum + one, 0)).toBe(1 + Math.ceil((600 - 1) / 8));
  });
});

test.each(['bfloat16', 'int8', 'int4'] as const)(
  'a stream in %s equals the whole signal but for rounding',
  async (dtype) => {
    await using own = await loadModel(randomCacheAware(path.join(root, dtype)), { dtype, threads: 1 });
    let [same, all] = [0, 0];
    for (const context of CONTEXTS) {
      const live = await streamTokens(own, audio, cacheAwareOptions(context), [5000]);
      const whole = await wholeTokens(own, audio, context);
      expect(whole.length).toBeGreaterThan(10);
      const places = new Set(placed(whole).map(String));
      same += placed(live.tokens).filter((token) => places.has(String(token))).length;
      all += whole.length;
    }
    expect(same / all).toBeGreaterThan(0.9);
  },
);
