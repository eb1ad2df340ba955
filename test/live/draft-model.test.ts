// A live transcript with a second model for the drafts: the same finals, earlier drafts, and snapshots that hold both.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { bundledModel } from '../../src/bundled-model.js';
import type { Token } from '../../src/events.js';
import type { LiveTranscript } from '../../src/live/live-transcript.js';
import { ownersOf, readSnapshot } from '../../src/live/snapshot.js';
import { loadModel } from '../../src/load-model.js';
import type { Model } from '../../src/model.js';
import { randomCacheAware } from '../support/cache-aware.js';
import { fakeModel } from '../support/fake-native.js';
import { expectNothingAliveAtTheEnd } from '../support/nothing-alive.js';
import { samplesOf } from '../support/samples.js';

expectNothingAliveAtTheEnd();

const folder = mkdtempSync(path.join(tmpdir(), 'parakeet-live-draft-'));
let model: Model;
let draftModel: Model;
let samples: Float32Array;
beforeAll(async () => {
  model = await loadModel(bundledModel(), { dtype: 'float32' });
  draftModel = await loadModel(randomCacheAware(folder), { dtype: 'float32' });
  samples = (await samplesOf('bf_emma_06.flac')).slice();
});
afterAll(async () => {
  await Promise.all([model.close(), draftModel.close()]);
  rmSync(folder, { recursive: true, force: true });
});

const textOf = (tokens: readonly Token[]) => tokens.map(({ text }) => text).join('');
const placesOf = (tokens: readonly Token[]) => tokens.map(({ id, start, end }) => ({ id, start, end }));

/** Pushes a part in pieces; returns what could be seen after each. */
async function push(live: LiveTranscript, from: number, to: number, size = 1600) {
  const seen: { final: number; draft: readonly Token[] }[] = [];
  for (let at = from; at < to; at += size) {
    await live.addAudio(samples.subarray(at, Math.min(to, at + size)));
    seen.push({ final: live.finalizedTokens.length, draft: live.draftTokens });
  }
  return seen;
}

describe('a live transcript with a draft model', () => {
  test('has the same final tokens, and drafts before the accurate model has any', async () => {
    const alone = model.live();
    const first = (await push(alone, 0, samples.length)).findIndex(({ draft }) => draft.length > 0);
    const { tokens } = await alone.finish();
    const both = model.live({ draftModel: model });
    const seen = await push(both, 0, samples.length);
    expect(seen.findIndex(({ draft }) => draft.length > 0)).toBeLessThan(first);
    for (const { draft } of seen)
      expect(draft.map(({ start }) => start)).toEqual(
        draft.map(({ start }) => start).toSorted((a, b) => a - b),
      );
    // No word of this recording comes twice, so none of a draft's is final already.
    const words = (text: string) => text.toLowerCase().match(/[a-z]+/g) ?? [];
    for (const { final, draft } of seen) {
      const said = words(textOf(tokens.slice(0, final)));
      const next = words(textOf(draft.filter(({ text }, i) => i > 0 || text.startsWith(' '))));
      if (next.length > 1) expect(said).not.toContain(next[0]);
    }
    expect(placesOf((await both.finish()).tokens)).toEqual(placesOf(tokens));
    expect(both.draftTokens).toEqual([]);
  });

  test('has no draft after a flush, and goes on', async () => {
    const live = model.live({ draftModel });
    await push(live, 0, 20_000);
    expect(live.draftTokens.length).toBeGreaterThan(0);
    await live.flush();
    expect(live.draftTokens).toEqual([]);
    await push(live, 20_000, samples.length);
    expect(live.draftTokens.length).toBeGreaterThan(0);
    await live.close();
  });

  test('goes on from a snapshot of both, taken anywhere, with the same tokens and drafts', async () => {
    const property = fc.asyncProperty(
      fc.integer({ min: 0, max: samples.length }),
      fc.integer({ min: 500, max: 9000 }),
      async (at, size) => {
        const live = model.live({ draftModel });
        await push(live, 0, at, size);
        const again = model.live({ from: await live.snapshot(), draftModel });
        expect(again.draftTokens).toEqual(live.draftTokens);
        const drafts = (all: Awaited<ReturnType<typeof push>>) => all.map(({ draft }) => placesOf(draft));
        const later = drafts(await push(live, at, samples.length, size));
        expect(drafts(await push(again, at, samples.length, size))).toEqual(later);
        const { tokens } = await live.finish();
        expect(placesOf((await again.finish()).tokens)).toEqual(placesOf(tokens));
      },
    );
    await fc.assert(property, { numRuns: 5 });
  });

  test('a snapshot is refused without its draft model, with another one, and with one that it has not', async () => {
    const invalid = expect.objectContaining({ code: 'ERR_PARAKEET_INVALID_SNAPSHOT' });
    const refused = (from: Uint8Array, other?: Model) => {
      try {
        model.live({ from, draftModel: other });
      } catch (error) {
        return error;
      }
      throw new Error('Nothing was thrown');
    };
    const live = model.live({ draftModel });
    const alone = model.live();
    const [both, one] = [await live.snapshot(), await alone.snapshot()];
    expect(refused(both)).toEqual(invalid);
    expect(refused(both, model)).toEqual(invalid);
    expect(refused(one, draftModel)).toEqual(invalid);
    expect((refused(both) as Error).message).toContain('with a draftModel');
    await Promise.all([live.close(), alone.close()]);
  });

  test('a snapshot has the phrases of both models', async () => {
    const boost = [{ phrase: 'dimension' }];
    const live = model.live({ draftModel: model });
    await live.setBoost(boost);
    const snapshot = await live.snapshot();
    const { state } = readSnapshot(snapshot, ownersOf({ model, draftModel: model }));
    expect(state.options.decoding?.boost).toEqual(boost);
    expect(state.drafts?.options.decoding?.boost).toEqual(boost);
    const again = model.live({ from: snapshot, draftModel: model });
    const seen = [await push(live, 0, samples.length), await push(again, 0, samples.length)];
    const [one, other] = seen.map((all) => all.map(({ draft }) => placesOf(draft)));
    expect(other).toEqual(one);
    await Promise.all([live.close(), again.close()]);
  });

  test('takes phrases that the draft model cannot spell, and refuses those that the model cannot', async () => {
    const live = model.live({ draftModel, decoding: { boost: [{ phrase: 'Kubernetes' }] } });
    await live.setBoost([{ phrase: 'dimension' }]);
    await expect(live.setBoost([{ phrase: '☃' }])).rejects.toMatchObject({
      code: 'ERR_PARAKEET_INVALID_ARGUMENT',
    });
    expect(textOf((await live.finish()).tokens)).toBe('');
  });

  test('is refused by anything but a loaded model at the same rate', () => {
    expect(() => model.live({ draftModel: fakeModel() })).toThrow('Expected a loaded model for draftModel');
    const name: unknown = 'nvidia/parakeet';
    expect(() => model.live({ draftModel: name as Model })).toThrow('Await loadModel() first');
    expect(() =>
      model.live({ draftModel: Object.assign(fakeModel({ sampleRate: 8000 }), { addon: {} }) }),
    ).toThrow('Expected a model of 16000 Hz');
  });
});
