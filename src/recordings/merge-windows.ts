/**
 * Makes one list of tokens from windows that overlap. Both windows have the overlap transcribed: where they agree they are spliced, so that
 * nothing is lost or repeated. It knows nothing of text or models; times are seconds or frames, all in one unit.
 */

/** What merging needs of a token. `Token` has it. */
export interface Placed {
  id: number;
  start: number;
  end: number;
  duration: number;
}

/** The tokens of one window of audio, with times of the whole recording. */
export interface Window<T extends Placed> {
  tokens: readonly T[];
  /** Where the window begins and ends. */
  start: number;
  end: number;
}

/** Positions in the earlier and in the later window that hold the same token. */
type Pair = readonly [earlier: number, later: number];

/**
 * Takes windows in order and returns tokens as soon as no later window can change them. Tokens keep the order of the windows; a start
 * before its predecessor's is moved to it, never the token.
 */
export class WindowMerger<T extends Placed> {
  #pending: T[] = [];
  #end = Number.NEGATIVE_INFINITY;
  #lastStart = Number.NEGATIVE_INFINITY;

  /** `overlap`: how much of a window the next one repeats, at most. 0: nothing. */
  constructor(private readonly overlap: number) {}

  /** Adds a window; returns the tokens that are settled now. */
  push(window: Window<T>): T[] {
    this.#pending = splice(this.#pending, window, this.#end);
    this.#end = window.end;
    const open = this.#pending.findIndex((token) => token.start >= window.end - this.overlap);
    return this.#settle(open < 0 ? this.#pending.length : open);
  }

  /** Returns the rest. */
  finish(): T[] {
    return this.#settle(this.#pending.length);
  }

  #settle(count: number): T[] {
    return this.#pending.splice(0, count).map((token) => {
      const start = Math.max(token.start, this.#lastStart);
      this.#lastStart = start;
      if (start === token.start) return token;
      const end = Math.max(token.end, start);
      return { ...token, start, end, duration: end - start };
    });
  }
}

/** All tokens of windows that overlap by at most `overlap`. */
export function mergeWindows<T extends Placed>(windows: readonly Window<T>[], overlap: number): T[] {
  const merger = new WindowMerger<T>(overlap);
  return [...windows.flatMap((window) => merger.push(window)), ...merger.finish()];
}

function splice<T extends Placed>(earlier: readonly T[], window: Window<T>, earlierEnd: number): T[] {
  const later = window.tokens;
  const begin = earlier.findIndex((token) => token.end > window.start);
  const a = begin < 0 ? [] : earlier.slice(begin);
  const b = later.filter((token) => token.start < earlierEnd);
  // Only one of them has tokens there: both are kept as they are.
  if (a.length === 0 || b.length === 0) return [...earlier, ...later];

  const tolerance = (earlierEnd - window.start) / 2;
  const same = (i: number, j: number): boolean => {
    const [x, y] = [a[i] as T, b[j] as T];
    return x.id === y.id && Math.abs(x.start - y.start) < tolerance;
  };
  const run = longestRun(a.length, b.length, same);
  const pairs =
    run.length > 0 && run.length >= Math.floor(a.length / 2) ? run : longestCommon(a.length, b.length, same);

  const [first] = pairs;
  if (first === undefined) {
    // They agree on nothing: each is trusted where it is farther from its own edge.
    const middle = (window.start + earlierEnd) / 2;
    return [
      ...earlier.filter((token) => token.start < middle),
      ...later.filter((token) => token.start >= middle),
    ];
  }
  const merged = earlier.slice(0, begin + first[0]);
  pairs.forEach(([i, j], n) => {
    merged.push(a[i] as T);
    const next = pairs[n + 1];
    if (next === undefined) return;
    const [fromA, fromB] = [a.slice(i + 1, next[0]), b.slice(j + 1, next[1])];
    merged.push(...(fromB.length > fromA.length ? fromB : fromA));
  });
  return [...merged, ...later.slice((pairs.at(-1) as Pair)[1] + 1)];
}

/** The longest run of adjacent tokens that are the same; the first one of equals. */
function longestRun(n: number, m: number, same: (i: number, j: number) => boolean): Pair[] {
  let best: { length: number; i: number; j: number } = { length: 0, i: 0, j: 0 };
  // lengths[j]: of the run that begins at (i + 1, j).
  let lengths = new Uint32Array(m + 1);
  for (let i = n - 1; i >= 0; i--) {
    const next = new Uint32Array(m + 1);
    for (let j = m - 1; j >= 0; j--) {
      if (!same(i, j)) continue;
      const length = (lengths[j + 1] as number) + 1;
      next[j] = length;
      if (length >= best.length) best = { length, i, j };
    }
    lengths = next;
  }
  return Array.from({ length: best.length }, (_, k): Pair => [best.i + k, best.j + k]);
}

/** The longest sequence of pairs that increases in both. */
function longestCommon(n: number, m: number, same: (i: number, j: number) => boolean): Pair[] {
  const lengths = Array.from({ length: n + 1 }, () => new Uint32Array(m + 1));
  const at = (i: number, j: number): number => lengths[i]?.[j] as number;
  for (let i = n - 1; i >= 0; i--) {
    for (let j = m - 1; j >= 0; j--) {
      (lengths[i] as Uint32Array)[j] = same(i, j)
        ? at(i + 1, j + 1) + 1
        : Math.max(at(i + 1, j), at(i, j + 1));
    }
  }
  const pairs: Pair[] = [];
  let [i, j] = [0, 0];
  while (i < n && j < m) {
    if (same(i, j)) pairs.push([i++, j++]);
    else if (at(i + 1, j) >= at(i, j + 1)) i++;
    else j++;
  }
  return pairs;
}
