// Two models in one stream: one writes the finals, the other the drafts. With the arithmetic model, whose words count the frames, so that a
// repeated or missing word shows; with the bundled one and a small cache-aware one for the engine's side.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { bundledModel } from '../../src/bundled-model.js';
import type { ParakeetOptions } from '../../src/composition/options.js';
import type { TranscriptEvent } from '../../src/events.js';
import { loadModel } from '../../src/load-model.js';
import type { Model } from '../../src/model.js';
import { parakeet } from '../../src/parakeet.js';
import { transcribe } from '../../src/transcribe.js';
import { randomCacheAware } from '../support/cache-aware.js';
import { type FakeModel, fakeModel, loud } from '../support/fake-native.js';
import { counts, expectNothingAliveAtTheEnd } from '../support/nothing-alive.js';
import { concat, samplesOf } from '../support/samples.js';
import { drain, pieces } from '../support/streams.js';

expectNothingAliveAtTheEnd();

const input = { format: 'f32le', sampleRate: 16_000, channels: 1 } as const;
const bytesOf = (samples: Float32Array) => new Uint8Array(samples.slice().buffer);
/** Chunks of 160 ms, without lookahead. */
const fast = (): FakeModel => fakeModel({ contexts: [[70, 1]] });

/** Pushes sound 100 ms at a time, each when the events of the one before are out, so that no machine is too slow for a draft. */
async function heard(samples: Float32Array, options: ParakeetOptions): Promise<TranscriptEvent[]> {
  const stream = parakeet({ input, ...options });
  const events: TranscriptEvent[] = [];
  stream.on('data', (event: TranscriptEvent) => events.push(event));
  const done = new Promise<void>((resolve, reject) => stream.once('end', resolve).once('error', reject));
  for (const piece of pieces(bytesOf(samples), 6400)) {
    await new Promise((resolve) => stream.write(piece, resolve));
    for (let count = -1; count !== events.length || counts().calls > 0; ) {
      count = events.length;
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
  }
  stream.end();
  await done;
  return events;
}

/** What a reader sees after each event: the final text, and the draft after it. */
function views(events: readonly TranscriptEvent[]) {
  let final = '';
  return events.flatMap((event) => {
    if (event.type === 'token') final += event.token.text;
    return event.type === 'draft' ? [{ final, tokens: event.tokens, revision: event.revision }] : [];
  });
}
const textOf = (tokens: readonly { text: string }[]) => tokens.map(({ text }) => text).join('');
const finalsOf = (events: readonly TranscriptEvent[]) =>
  events.filter(({ type }) => !['draft', 'lag', 'end'].includes(type));
/** The same without confidences, whose last bits depend on what else the engine does. */
const placesOf = (events: readonly TranscriptEvent[]) =>
  JSON.parse(JSON.stringify(finalsOf(events), (key, value) => (key === 'confidence' ? undefined : value)));
/** The words of the arithmetic model for so many frames of sound. */
const counted = (frames: number) =>
  ['zero', 'one', 'two', 'three', 'four', 'five', 'six', 'seven', 'eight', '.']
    .map((word, i) => (i === 9 ? word : ` ${word}`))
    .flatMap((_, i, words) => words[i] ?? [])
    .join('')
    .repeat(Math.ceil(frames / 10));

function expectInvariants(events: readonly TranscriptEvent[]): void {
  let [lastStart, revision, progress] = [0, 0, 0];
  for (const event of events) {
    if (event.type === 'token') {
      expect(event.token.start).toBeGreaterThanOrEqual(lastStart);
      lastStart = event.token.start;
    } else if (event.type === 'progress') {
      expect(event.time).toBeGreaterThan(progress);
      progress = event.time;
    } else if (event.type === 'draft') {
      expect(event.revision).toBeGreaterThan(revision);
      revision = event.revision;
      expect(event.text).toBe(textOf(event.tokens).trim());
      let floor = lastStart;
      for (const { start, end, duration } of event.tokens) {
        expect(start).toBeGreaterThanOrEqual(floor);
        expect(end).toBeCloseTo(start + duration);
        floor = start;
      }
    }
  }
  expect(events.at(-1)?.type).toBe('end');
}

describe('a draft model', () => {
  test('writes the words after the last final one, none twice and none left out, long before they are final', async () => {
    const events = await heard(loud(6), { model: fakeModel(), draftModel: fast(), latency: 'balanced' });
    expectInvariants(events);
    const all = views(events);
    expect(all.length).toBeGreaterThan(25);
    let ahead = 0;
    for (const { final, tokens } of all) {
      const shown = final + textOf(tokens);
      expect(counted(100).startsWith(shown), shown).toBe(true);
      ahead = Math.max(ahead, tokens.length);
    }
    // A step of 0.64 s with 1.04 s of lookahead waits for 21 frames; the draft does not.
    expect(ahead).toBeGreaterThanOrEqual(18);
    expect(all.at(-1)?.tokens).toEqual([]);
  });

  test('changes no event but the drafts', async () => {
    const alone = await heard(loud(5), { model: fakeModel(), drafts: false, utterances: true });
    const both = await heard(loud(5), { model: fakeModel(), draftModel: fast(), utterances: true });
    expect(finalsOf(both)).toEqual(finalsOf(alone));
  });

  test('that is not cache-aware shows its own drafts too', async () => {
    const events = await heard(loud(5), { model: fakeModel(), draftModel: fakeModel(), latency: 'accurate' });
    expectInvariants(events);
    for (const { final, tokens } of views(events)) {
      const shown = final + textOf(tokens);
      expect(counted(100).startsWith(shown), shown).toBe(true);
    }
  });

  test('starts anew after a flush, which leaves no draft', async () => {
    const stream = parakeet({ input, model: fakeModel(), draftModel: fast() });
    const events: TranscriptEvent[] = [];
    stream.on('data', (event: TranscriptEvent) => events.push(event));
    for (let i = 0; i < 3; i++) {
      stream.write(bytesOf(loud(2)));
      await stream.flush();
      expect(views(events).at(-1)).toMatchObject({ tokens: [] });
      const frames = Math.floor(((i + 1) * 2) / 0.08);
      const final = events.filter(({ type }) => type === 'token').length;
      expect(Math.abs(final - frames)).toBeLessThanOrEqual(1);
    }
    stream.end();
    await new Promise((resolve) => stream.once('end', resolve));
    for (const { final, tokens } of views(events))
      expect(counted(100).startsWith(final + textOf(tokens))).toBe(true);
  });

  test('adds its cost to the stats', async () => {
    const draftModel = fast();
    const cost = async (options: ParakeetOptions) => {
      const end = (await heard(loud(4), { model: fakeModel(), ...options })).at(-1);
      return end?.type === 'end' ? end.stats : undefined;
    };
    const [alone, both] = [await cost({}), await cost({ draftModel })];
    expect(draftModel.counts.steps).toBeGreaterThan(20);
    expect(both?.steps).toBe((alone?.steps ?? 0) + draftModel.counts.steps);
    expect(both?.computeSeconds).toBeGreaterThan(alone?.computeSeconds ?? Number.POSITIVE_INFINITY);
    expect(both?.realTimeFactor).toBeCloseTo((both?.computeSeconds ?? 0) / 4);
  });

  test('does not run ahead of a reader that stops', async () => {
    const [model, draftModel] = [fakeModel(), fast()];
    const stream = parakeet({ input, model, draftModel });
    let taken = 0;
    const source = pieces(bytesOf(loud(60)), 6400);
    const feed = (async () => {
      for (const piece of source) {
        await new Promise((resolve) => stream.write(piece, resolve));
        taken++;
      }
    })();
    await new Promise((resolve) => setTimeout(resolve, 400));
    const stopped = taken;
    expect(stopped).toBeLessThan(source.length / 4);
    await new Promise((resolve) => setTimeout(resolve, 200));
    expect(taken).toBe(stopped);
    expect(draftModel.counts.samples).toBeLessThanOrEqual((stopped + 20) * 1600);
    void feed.catch(() => {});
    stream.destroy();
    await new Promise((resolve) => stream.once('close', resolve));
    expect([model.counts.open, draftModel.counts.open]).toEqual([0, 0]);
  });

  test.each(['mel', 'step', 'decode'] as const)(
    'that fails in a %s ends the stream with its error, after all that was heard is final',
    async (fail) => {
      const model = fakeModel();
      const draftModel = fakeModel({ contexts: [[70, 1]], fail, faultAfter: 20 });
      const stream = parakeet({ input, model, draftModel });
      const pushed = pieces(bytesOf(loud(10)), 6400);
      const writing = (async () => {
        for (const piece of pushed) await new Promise((resolve) => stream.write(piece, resolve));
        stream.end();
      })();
      const { items, error } = await drain(stream);
      await writing.catch(() => {});
      expect(error?.message).toBe(`fake ${fail} failed`);
      const final = items.filter(({ type }) => type === 'token').length;
      // The audio that had come, to its last frame: the accurate model has no lookahead to wait for.
      expect(final).toBeGreaterThan(15);
      expect(items.some(({ type }) => type === 'end')).toBe(true);
      expect([model.counts.open, draftModel.counts.open]).toEqual([0, 0]);
    },
  );

  test('is freed with the stream when it is aborted or destroyed, also while it hangs', async () => {
    for (const hang of ['mel', 'step', 'decode'] as const) {
      const [model, draftModel] = [fakeModel(), fakeModel({ contexts: [[70, 1]], hang, faultAfter: 3 })];
      const controller = new AbortController();
      const stream = parakeet({ input, model, draftModel, signal: controller.signal });
      const draining = drain(stream);
      stream.write(bytesOf(loud(3)));
      await draftModel.hanging;
      controller.abort();
      const { error } = await draining;
      expect(error?.name).toBe('AbortError');
      await vi.waitFor(() => expect([model.counts.open, draftModel.counts.open]).toEqual([0, 0]));
    }
  });

  test('is refused where there are no drafts, and where it cannot hear the same samples', async () => {
    const draftModel = fast();
    const refused = (options: object) => () => parakeet({ model: fakeModel(), draftModel, ...options });
    expect(refused({ model: undefined, mode: 'file' })).toThrow(
      "Expected no value with mode 'file' for draftModel",
    );
    expect(refused({ drafts: false })).toThrow('Expected no value with drafts: false for draftModel');
    expect(refused({ draftModel: 3 })).toThrow(/Expected a loaded model, or a folder.* for draftModel/);
    await expect(transcribe(new Uint8Array(4), { draftModel })).rejects.toThrow("mode 'file' for draftModel");
    const stream = parakeet({ input, model: fakeModel(), draftModel: fakeModel({ sampleRate: 8000 }) });
    stream.end(bytesOf(loud(0.1)));
    const { error } = await drain(stream);
    expect(error).toMatchObject({ code: 'ERR_PARAKEET_INVALID_ARGUMENT' });
    expect(error?.message).toContain('8000 Hz');
  });
});

describe('with real models', () => {
  const folder = mkdtempSync(path.join(tmpdir(), 'parakeet-draft-'));
  let model: Model;
  let streaming: Model;
  let jfk: Float32Array;
  beforeAll(async () => {
    model = await loadModel(bundledModel(), { dtype: 'float32' });
    streaming = await loadModel(randomCacheAware(folder), { dtype: 'float32' });
    jfk = await samplesOf('jfk.flac');
  });
  afterAll(async () => {
    await Promise.all([model.close(), streaming.close()]);
    rmSync(folder, { recursive: true, force: true });
  });

  test('a cache-aware draft model of another kind changes no final', async () => {
    const alone = await heard(jfk, { model, drafts: false });
    const both = await heard(jfk, { model, draftModel: streaming });
    expectInvariants(both);
    expect(placesOf(both)).toEqual(placesOf(alone));
    expect(views(both).some(({ tokens }) => tokens.length > 0)).toBe(true);
  });

  test('a flush leaves no draft, whatever the other model has heard', async () => {
    const stream = parakeet({ input, model, draftModel: streaming });
    const events: TranscriptEvent[] = [];
    stream.on('data', (event: TranscriptEvent) => events.push(event));
    for (let from = 0; from < 3; from++) {
      stream.write(bytesOf(jfk.subarray(from * 30_000, (from + 1) * 30_000)));
      await stream.flush();
      expect(views(events).at(-1)?.tokens).toEqual([]);
    }
    expect(views(events).some(({ tokens }) => tokens.length > 0)).toBe(true);
    stream.destroy();
    await new Promise((resolve) => stream.once('close', resolve));
  });

  test('at the seam no word is repeated, and none is left out', async () => {
    const clips = ['bf_emma_06.flac', 'am_michael_05.flac', 'af_sky_10.flac'];
    const samples = concat(await Promise.all(clips.map((clip) => samplesOf(clip))));
    const events = await heard(samples, { model, draftModel: model, latency: 'accurate' });
    expectInvariants(events);
    const words = (text: string) => text.toLowerCase().match(/[a-z']+/g) ?? [];
    const whole = words(textOf(events.flatMap((event) => (event.type === 'token' ? [event.token] : []))));
    const next = views(events).flatMap(({ final, tokens }) => {
      const [first] = words(textOf(tokens));
      // Within a word, the draft's first is a part of one.
      const isWhole =
        tokens[0]?.text.startsWith(' ') && whole[words(final).length - 1] === words(final).at(-1);
      return first !== undefined && isWhole ? [{ first, at: words(final).length }] : [];
    });
    expect(next.length).toBeGreaterThan(8);
    for (const { first, at } of next) {
      if (first === whole[at]) continue;
      // Misheard, but not one of the words around it.
      expect([whole[at - 1], whole[at + 1]], `the word after ${whole.slice(0, at).join(' ')}`).not.toContain(
        first,
      );
    }
    expect(next.filter(({ first, at }) => first === whole[at]).length).toBeGreaterThan(0.7 * next.length);
  });

  test('phrases, refined sentences and a model by name work with it', async () => {
    const stream = parakeet({ input, model: bundledModel(), draftModel: bundledModel(), refine: true });
    await stream.setBoost([{ phrase: 'country' }]);
    stream.end(bytesOf(jfk));
    const { items, error } = await drain(stream);
    expect(error).toBeUndefined();
    expect(items.some(({ type }) => type === 'sentence')).toBe(true);
  });
});
