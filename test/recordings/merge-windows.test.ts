import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { mergeWindows, type Placed, type Window, WindowMerger } from '../../src/recordings/merge-windows.js';

const token = (id: number, start: number, duration = 1): Placed => ({
  id,
  start,
  end: start + duration,
  duration,
});
const window = (start: number, end: number, ...tokens: [id: number, start: number][]): Window<Placed> => ({
  start,
  end,
  tokens: tokens.map(([id, at]) => token(id, at)),
});
const ids = (tokens: readonly Placed[]): number[] => tokens.map((one) => one.id);

describe('merging windows', () => {
  test('agreeing windows give what one pass would', () => {
    const speech = fc.array(fc.tuple(fc.nat(5), fc.nat(6)), { minLength: 1, maxLength: 120 });
    const cut = fc.tuple(fc.integer({ min: 20, max: 60 }), fc.integer({ min: 8, max: 18 }));
    fc.assert(
      fc.property(speech, cut, (list, [length, overlap]) => {
        let time = 0;
        const all = list.map(([id, pause]) => {
          time += pause + 1;
          return token(id, time - 1);
        });
        const windows: Window<Placed>[] = [];
        for (let start = 0; start === 0 || start + overlap < time; start += length - overlap) {
          const end = Math.min(start + length, time);
          windows.push({ start, end, tokens: all.filter((one) => one.start >= start && one.end <= end) });
        }
        expect(mergeWindows(windows, overlap)).toEqual(all);
      }),
      { numRuns: 300, seed: 11 },
    );
  });

  test('a wrong token at the edge of a window is replaced by the other one', () => {
    const a = window(0, 20, [1, 2], [2, 11], [3, 13], [4, 15], [9, 19]);
    const b = window(10, 30, [8, 10], [2, 11], [3, 13], [4, 15], [5, 18], [6, 25]);
    expect(ids(mergeWindows([a, b], 10))).toEqual([1, 2, 3, 4, 5, 6]);
  });

  test('without a long run the common tokens are kept, and the fuller of what is between', () => {
    const a = window(0, 20, [1, 10], [7, 11], [2, 12], [8, 14], [3, 16], [9, 18]);
    const b = window(10, 30, [1, 10], [2, 12], [5, 13], [6, 14], [3, 16], [4, 20]);
    expect(ids(mergeWindows([a, b], 10))).toEqual([1, 7, 2, 5, 6, 3, 4]);
  });

  test('windows that agree on nothing are cut in the middle of the overlap', () => {
    const a = window(0, 20, [1, 2], [2, 12], [3, 17]);
    const b = window(10, 30, [4, 11], [5, 16], [6, 22]);
    expect(ids(mergeWindows([a, b], 10))).toEqual([1, 2, 5, 6]);
  });

  test('what only one window heard in the overlap is kept', () => {
    expect(ids(mergeWindows([window(0, 20, [1, 2]), window(10, 30, [2, 11], [3, 25])], 10))).toEqual([
      1, 2, 3,
    ]);
    expect(ids(mergeWindows([window(0, 20, [1, 2], [2, 19]), window(10, 30, [3, 25])], 10))).toEqual([
      1, 2, 3,
    ]);
  });

  test('starts never decrease, and no token is moved', () => {
    const a = window(0, 20, [1, 10], [2, 14], [3, 17]);
    const b = window(10, 30, [1, 11], [2, 15], [3, 16], [4, 16]);
    const merged = mergeWindows([a, b], 10);
    expect(ids(merged)).toEqual([1, 2, 3, 4]);
    expect(merged[3]).toEqual({ id: 4, start: 17, end: 17, duration: 0 });
  });

  test('gives what no later window can change, at once', () => {
    const merger = new WindowMerger<Placed>(10);
    expect(ids(merger.push(window(0, 20, [1, 2], [2, 9], [3, 12])))).toEqual([1, 2]);
    expect(ids(merger.push(window(10, 30, [3, 12], [4, 22])))).toEqual([3]);
    expect(ids(merger.finish())).toEqual([4]);
    expect(merger.finish()).toEqual([]);
  });

  test('without an overlap windows are joined', () => {
    expect(ids(mergeWindows([window(0, 10, [1, 9]), window(10, 20, [1, 10])], 0))).toEqual([1, 1]);
  });
});
