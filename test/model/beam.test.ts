// Beam search: for TDT the tokens of parakeet-mlx (goldens); for CTC and RNNT against the exact likelihood of texts, which a search
// approximates.
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import {
  ctcLikelihood,
  ctcLogits,
  ctcText,
  firstFrames,
  logSum,
  rnntLikelihood,
  tdtLikelihood,
} from '../reference/likelihood.js';
import { argmax } from '../reference/matrix.js';
import { type Architecture, goldenArray, readGolden } from '../support/goldens.js';
import { loadNativeGolden, type NativeGolden } from '../support/native-golden.js';

describe.each<[Architecture, 'short' | 'long']>([
  ['tdt', 'short'],
  ['tdt-ctc', 'short'],
])('TDT beam search of %s %s', (architecture, name) => {
  const golden = readGolden(architecture, name);
  let loaded: NativeGolden;
  beforeAll(async () => {
    loaded = await loadNativeGolden(architecture);
  });
  afterAll(() => loaded.native.close());

  test.each(Object.keys(golden.tokens).filter((way) => way.startsWith('beam')))(
    '%s: the tokens of parakeet-mlx',
    async (way) => {
      const [size, lengthPenalty, patience, durationReward] = (way.match(/[\d.]+/g) ?? []).map(Number) as [
        number,
        number,
        number,
        number,
      ];
      const expected = golden.tokens[way] ?? [];
      const frame = (loaded.info.hop * loaded.info.subsamplingFactor) / loaded.info.sampleRate;
      const { shape, data } = goldenArray(golden, 'encoded');
      const beam = { search: 'parakeet-mlx' as const, size, lengthPenalty, patience, durationReward };
      const tokens = await loaded.native.decode(data, shape[0] as number, { head: 'tdt', beam }, 1);
      expect([...tokens.ids]).toEqual(expected.map(({ id }) => id));
      expect([...tokens.starts]).toEqual(expected.map(({ start }) => Math.round(start / frame)));
      expect([...tokens.durations]).toEqual(expected.map(({ duration }) => Math.round(duration / frame)));
    },
  );
});

/** Part of a golden `encoded`, for the engine and for the formulas. */
function piece(architecture: Architecture, from: number, rows: number) {
  const { shape, data } = goldenArray(readGolden(architecture, 'short'), 'encoded');
  const columns = shape[1] as number;
  return {
    data: data.slice(from * columns, (from + rows) * columns),
    frames: firstFrames(data, columns, from, rows),
  };
}
const beamOf = (size: number) => ({
  search: 'frame' as const,
  size,
  lengthPenalty: 0,
  patience: 1,
  durationReward: 0.5,
});

describe.each<Architecture>(['ctc', 'tdt-ctc'])('CTC prefix beam search of %s', (architecture) => {
  let loaded: NativeGolden;
  beforeAll(async () => {
    loaded = await loadNativeGolden(architecture);
  });
  afterAll(() => loaded.native.close());
  const decode = (data: Float32Array, rows: number, size: number) =>
    loaded.native.decode(data, rows, { head: 'ctc', beam: beamOf(size) }, 1);

  test.each([0, 7, 20])('finds the likeliest of all texts of three frames from %d on', async (from) => {
    const { data, frames } = piece(architecture, from, 3);
    const blank = loaded.reference.vocabulary.length;
    const [a, b, c] = ctcLogits(loaded.reference, frames) as [Float64Array, Float64Array, Float64Array];
    const texts = new Map<string, number[]>();
    for (let i = 0; i <= blank; i++) {
      for (let j = 0; j <= blank; j++) {
        for (let k = 0; k <= blank; k++) {
          const key = ctcText([i, j, k], blank).join();
          const ways = texts.get(key);
          const way = (a[i] as number) + (b[j] as number) + (c[k] as number);
          if (ways) ways.push(way);
          else texts.set(key, [way]);
        }
      }
    }
    const [best] = [...texts].sort((x, y) => logSum(y[1]) - logSum(x[1]))[0] as [string, number[]];
    const found = [...(await decode(data, 3, 64)).ids];
    // What falls out of the beam is missed, a little: two texts of this model may lie closer than that.
    const likelihood = (text: number[]) => ctcLikelihood([a, b, c], text, blank);
    expect(likelihood(found)).toBeGreaterThanOrEqual(likelihood(best.split(',').map(Number)) - 0.01);
  });

  test('greedy decoding gives the collapsed path: equal tokens with a blank between them are two', async () => {
    const golden = goldenArray(readGolden(architecture, 'short'), 'encoded');
    const [rows, columns] = golden.shape as [number, number];
    const blank = loaded.reference.vocabulary.length;
    const path = ctcLogits(loaded.reference, piece(architecture, 0, rows).frames).map((row) => argmax(row));
    const greedy = async (order: number[]) => {
      const data = new Float32Array(order.length * columns);
      order.forEach((row, i) => {
        data.set(golden.data.subarray(row * columns, (row + 1) * columns), i * columns);
      });
      return [...(await loaded.native.decode(data, order.length, { head: 'ctc' }, 1)).ids];
    };
    expect(await greedy(path.map((_, row) => row))).toEqual(ctcText(path, blank));
    const [token, silence] = [path.findIndex((id) => id !== blank), path.indexOf(blank)];
    expect(await greedy([token, silence, token, token, silence, silence, token])).toEqual(
      Array.from({ length: 3 }, () => path[token]),
    );
  });

  test('texts are likelier than the greedy ones, and their tokens lie in order', async () => {
    const blank = loaded.reference.vocabulary.length;
    const differences: number[] = [];
    // Fixed spans: a mean over random ones would be chance.
    for (const [from, rows] of [3, 8, 13].flatMap((rows) =>
      Array.from({ length: 21 }, (_, i) => [i, rows]),
    )) {
      const { data, frames } = piece(architecture, from as number, rows as number);
      const scores = ctcLogits(loaded.reference, frames);
      const greedy = ctcText(
        scores.map((row) => argmax(row)),
        blank,
      );
      const { ids, starts, durations, confidences } = await decode(data, rows as number, 16);
      const difference = ctcLikelihood(scores, [...ids], blank) - ctcLikelihood(scores, greedy, blank);
      expect(difference).toBeGreaterThan(-0.3);
      differences.push(difference);
      ids.forEach((_, i) => {
        expect(durations[i]).toBeGreaterThanOrEqual(1);
        const end = (starts[i] as number) + (durations[i] as number);
        if (i + 1 < ids.length) expect(end).toBe(starts[i + 1]);
        else expect(end).toBeLessThanOrEqual(rows as number);
        expect(confidences[i]).toBeGreaterThanOrEqual(0);
        expect(confidences[i]).toBeLessThanOrEqual(1);
      });
    }
    const mean = differences.reduce((sum, value) => sum + value, 0) / differences.length;
    // The CTC golden is sure of its tokens: nothing is left to find.
    expect(mean).toBeGreaterThan(architecture === 'ctc' ? -0.01 : 0.1);
  });
});

describe.each<Architecture>(['tdt', 'tdt-ctc'])('frame-synchronous beam search of %s', (architecture) => {
  let loaded: NativeGolden;
  beforeAll(async () => {
    loaded = await loadNativeGolden(architecture);
  });
  afterAll(() => loaded.native.close());
  const decode = async (data: Float32Array, rows: number, size?: number) => {
    const beam = size === undefined ? undefined : beamOf(size);
    return loaded.native.decode(data, rows, { head: 'tdt', ...(beam && { beam }) }, 1);
  };

  test('finds the likeliest of all texts of up to two tokens', async () => {
    for (const from of [0, 5, 11, 25]) {
      const { data, frames } = piece(architecture, from, 3);
      const likelihood = (text: number[]) => tdtLikelihood(loaded.reference, frames, text);
      const found = [...(await decode(data, 3, 64)).ids];
      const tokens = Array.from({ length: loaded.reference.vocabulary.length }, (_, id) => id);
      const one = tokens.map((id) => [id]).sort((a, b) => likelihood(b) - likelihood(a));
      const two = one.slice(0, 4).flatMap(([id]) => tokens.map((next) => [id as number, next]));
      const best = Math.max(likelihood([]), ...one.map(likelihood), ...two.map(likelihood));
      // What falls out of the beam is missed, a little.
      expect(likelihood(found)).toBeGreaterThanOrEqual(best - 0.05);
    }
  });

  test('texts are likelier than the greedy ones, and their tokens lie in order', async () => {
    const differences = { narrow: 0, wide: 0 };
    let count = 0;
    for (const rows of [4, 9]) {
      for (let from = 0; from < 20; from += 2) {
        const { data, frames } = piece(architecture, from, rows);
        const likelihood = (text: Iterable<number>) => tdtLikelihood(loaded.reference, frames, [...text]);
        const greedy = likelihood((await decode(data, rows)).ids);
        differences.narrow += likelihood((await decode(data, rows, 1)).ids) - greedy;
        const { ids, starts, confidences } = await decode(data, rows, 12);
        differences.wide += likelihood(ids) - greedy;
        count++;
        const places = [...starts];
        expect(places).toEqual([...places].sort((a, b) => a - b));
        expect(places.every((start) => start >= 0 && start < rows)).toBe(true);
        expect([...confidences].every((value) => value >= 0 && value <= 1)).toBe(true);
      }
    }
    expect(differences.wide / count).toBeGreaterThan(0.05);
    // Both are far above greedy decoding here, where frames are few; a wide beam loses nothing.
    expect(differences.wide / count).toBeGreaterThan(differences.narrow / count - 0.1);
  });
});

describe('RNNT beam search', () => {
  let loaded: NativeGolden;
  beforeAll(async () => {
    loaded = await loadNativeGolden('rnnt');
  });
  afterAll(() => loaded.native.close());

  test('finds the likeliest of all texts of up to two tokens', async () => {
    for (const from of [0, 2, 4, 25]) {
      const { data, frames } = piece('rnnt', from, 2);
      const found = [...(await loaded.native.decode(data, 2, { head: 'rnnt', beam: beamOf(64) }, 1)).ids];
      // This model of random weights says much; where the best is longer than two, there is nothing to compare with.
      const likelihood = (text: number[]) => rnntLikelihood(loaded.reference, frames, text);
      const tokens = Array.from({ length: loaded.reference.vocabulary.length }, (_, id) => id);
      const one = tokens.map((id) => [id]).sort((a, b) => likelihood(b) - likelihood(a));
      const two = one.slice(0, 6).flatMap(([id]) => tokens.map((next) => [id as number, next]));
      const best = Math.max(likelihood([]), ...one.map(likelihood), ...two.map(likelihood));
      expect(likelihood(found)).toBeGreaterThanOrEqual(best - 1e-4);
    }
  });

  test('a text is hardly ever less likely than the greedy one, and never much', async () => {
    let less = 0;
    for (let from = 0; from < 24; from++) {
      const { data, frames } = piece('rnnt', from, 6);
      const ids = async (beam: boolean) => [
        ...(await loaded.native.decode(data, 6, { head: 'rnnt', ...(beam && { beam: beamOf(8) }) }, 1)).ids,
      ];
      const difference =
        rnntLikelihood(loaded.reference, frames, await ids(true)) -
        rnntLikelihood(loaded.reference, frames, await ids(false));
      if (difference < -1e-4) less++;
    }
    expect(less).toBeLessThanOrEqual(1);
  });
});
