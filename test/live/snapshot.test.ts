/**
 * Snapshots of live transcripts: gone on from, they give the tokens that the stream itself would have given, here and in another
 * process; bytes that are no snapshot, or another's, are refused.
 */
import { execFile } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { bundledModel } from '../../src/bundled-model.js';
import type { Token } from '../../src/events.js';
import { loadModel } from '../../src/load-model.js';
import type { Model } from '../../src/model.js';
import { ARCHITECTURES, goldenFolder } from '../support/goldens.js';
import { smallEncoder } from '../support/native-with.js';
import { samplesOf } from '../support/samples.js';
import { testSignal } from '../support/signals.js';

const samples = testSignal();

async function rest(model: Model, snapshot: Uint8Array, at: number, push: number): Promise<Token[]> {
  const live = model.transcribeStream({ from: snapshot });
  for (let i = at; i < samples.length; i += push) await live.addAudio(samples.subarray(i, i + push));
  return (await live.finish()).tokens;
}

describe.each(ARCHITECTURES)('a snapshot of a %s stream', (architecture) => {
  let model: Model;
  beforeAll(async () => {
    model = await loadModel(goldenFolder(architecture), { threads: 1 });
  });
  afterAll(() => model.close());

  test('taken at any point is gone on from with the same tokens, and the stream itself goes on', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.integer({ min: 0, max: samples.length }),
        fc.integer({ min: 500, max: 9000 }),
        fc.constantFrom(
          { chunk: 3, lookahead: 2, left: 8 },
          { chunk: 1, lookahead: 6, left: 8, agreement: { drafts: 3, lookahead: 1, confidence: 0 } },
          { latency: 'low' as const, silenceGate: true },
          { contextSize: [6, 2] as const, normalization: 'none' as const, sentences: { maxWords: 3 } },
        ),
        async (at, push, options) => {
          const live = model.transcribeStream(options);
          for (let i = 0; i < at; i += push) await live.addAudio(samples.subarray(i, Math.min(at, i + push)));
          const snapshot = await live.snapshot();
          expect(model.transcribeStream({ from: snapshot }).result).toEqual(live.result);
          const again = await rest(model, snapshot, at, push);
          await live.addAudio(samples.subarray(at));
          const result = await live.finish();
          expect(again.length).toBeGreaterThan(0);
          expect(again).toEqual(result.tokens);
        },
      ),
      { numRuns: 8 },
    );
  });
});

test('in int8, whose attention may be rounded in pairs of frames, it is gone on from to the bit', async () => {
  const model = await loadModel(bundledModel(), { dtype: 'int8' });
  const audio = await samplesOf('jfk.flac');
  // Frames have left what the stream keeps, an odd number of them in every other round.
  for (let at = 130_000; at < 160_000; at += 1280) {
    const live = model.live({ latency: { chunk: 0.08, lookahead: 0.64, left: 1.2 } });
    await live.addAudio(audio.subarray(0, at));
    const again = model.live({ from: await live.snapshot() });
    for (const one of [live, again]) await one.addAudio(audio.subarray(at));
    const [own, other] = [await live.finish(), await again.finish()];
    expect(own.tokens.length).toBeGreaterThan(20);
    expect(other.tokens).toEqual(own.tokens);
  }
  await model.close();
});

describe('snapshots', () => {
  let model: Model;
  let other: Model;
  let snapshot: Uint8Array;
  beforeAll(async () => {
    model = await loadModel(goldenFolder('tdt'), { threads: 1 });
    other = await loadModel(bundledModel());
    const live = model.transcribeStream({ chunk: 3, lookahead: 2, normalization: 'running' });
    await live.addAudio(samples.subarray(0, 20_000));
    snapshot = await live.snapshot();
    await live.close();
  });
  afterAll(async () => {
    await model.close();
    await other.close();
  });

  const invalid = expect.objectContaining({ code: 'ERR_PARAKEET_INVALID_SNAPSHOT' });
  const refused = (bytes: Uint8Array, by = model) => {
    try {
      by.transcribeStream({ from: bytes });
      return undefined;
    } catch (error) {
      return error;
    }
  };

  test('of another model, cut short, changed by one bit, or of nothing, are refused', () => {
    expect(refused(snapshot, other)).toEqual(invalid);
    expect(refused(new Uint8Array(0))).toEqual(invalid);
    expect(refused(new TextEncoder().encode('RIFF, and no snapshot at all, but long enough'))).toEqual(
      invalid,
    );
    fc.assert(
      fc.property(
        fc.integer({ min: 0, max: snapshot.length - 1 }),
        fc.integer({ min: 0, max: 7 }),
        (at, bit) => {
          expect(refused(snapshot.subarray(0, at))).toEqual(invalid);
          const changed = snapshot.slice();
          changed[at] = (changed[at] as number) ^ (1 << bit);
          expect(refused(changed)).toEqual(invalid);
        },
      ),
    );
  });

  test('whose native state does not fit fail the first call, and leave nothing open', async () => {
    const decoder = model.native.createDecoder({ head: 'tdt' });
    const encoder = model.native.createEncoder(smallEncoder);
    const mel = model.native.createMel(80);
    for (const session of [decoder, encoder, mel]) {
      const state = await session.save();
      await session.load(state);
      await expect(session.load(state.subarray(0, state.length - 1))).rejects.toEqual(invalid);
      await expect(session.load(new Uint8Array([...state, 0]))).rejects.toEqual(invalid);
      await expect(session.load(state.map(() => 0xff))).rejects.toEqual(invalid);
      await session.close();
    }
    expect(model.addon.counts().sessions).toBe(0);
  });

  test('bring their options: another beside them is a mistake', () => {
    expect(() => model.transcribeStream({ from: snapshot, chunk: 3 })).toThrow(/no other option.*'chunk'/);
    expect(() => model.transcribeStream({ from: 'x' as unknown as Uint8Array })).toThrow(/Uint8Array/);
  });

  test('are gone on from in another process', async () => {
    const folder = await mkdtemp(path.join(tmpdir(), 'parakeet-snapshot-'));
    try {
      const file = path.join(folder, 'state');
      const audio = path.join(folder, 'audio');
      const live = model.transcribeStream({ chunk: 4, lookahead: 3 });
      await live.addAudio(samples.subarray(0, 30_000));
      await writeFile(file, await live.snapshot());
      await writeFile(audio, new Uint8Array(samples.slice(30_000).buffer));
      await live.addAudio(samples.subarray(30_000));
      const { tokens } = await live.finish();
      const program = new URL('../support/go-on-from-snapshot.mjs', import.meta.url).pathname;
      const { stdout } = await promisify(execFile)(process.execPath, [
        program,
        goldenFolder('tdt'),
        file,
        audio,
      ]);
      expect(tokens.length).toBeGreaterThan(10);
      expect(JSON.parse(stdout)).toEqual(JSON.parse(JSON.stringify(tokens)));
    } finally {
      await rm(folder, { recursive: true });
    }
  });
});
