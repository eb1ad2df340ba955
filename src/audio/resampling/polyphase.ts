/**
 * Changes a rate by a ratio of whole numbers: each output sample is one product of the surrounding input with the filter, shifted to the
 * position of that sample. Positions are counted in whole numbers, so nothing drifts.
 */
import { History } from './history.js';
import { halfLength, lowPass } from './kaiser.js';
import type { Pass } from './pass.js';

/** Up to this many shifts have their own row of coefficients; beyond it two of `INTERPOLATED` rows are mixed. */
const MAX_ROWS = 640;
const INTERPOLATED = 512;

/** The coefficients of one ratio, shared by all streams. */
interface Table {
  /** Rows of `taps` coefficients; one more than `rows`, so that mixing needs no wrap. */
  coefficients: Float64Array;
  rows: number;
  taps: number;
}

/** What the filter passes and stops, as shares of the input's rate. */
export interface Edges {
  pass: number;
  stop: number;
}

const tables = new Map<string, Table>();
/** Rates come from files: this bounds the cache, however many ratios a process sees. */
const MAX_TABLES = 16;

function tableFor(up: number, down: number, { pass, stop }: Edges): Table {
  const key = `${up}/${down}/${pass}/${stop}`;
  const known = tables.get(key);
  if (known) return known;
  if (tables.size >= MAX_TABLES) tables.delete(tables.keys().next().value as string);
  const table = design(up <= MAX_ROWS ? up : INTERPOLATED, pass, stop);
  tables.set(key, table);
  return table;
}

function design(rows: number, pass: number, stop: number): Table {
  const reach = 2 * Math.ceil(halfLength(stop - pass) / 2);
  const taps = 2 * reach;
  const coefficients = new Float64Array((rows + 1) * taps);
  // A row is the mirror image of the one that is shifted as far from the other side.
  for (let row = 0; row <= rows / 2; row++) {
    const line = coefficients.subarray(row * taps, (row + 1) * taps);
    let sum = 0;
    for (let i = 0; i < taps; i++) {
      line[i] = lowPass(row / rows + reach - 1 - i, (pass + stop) / 2, reach);
      sum += line[i] as number;
    }
    // A constant signal is unchanged, at each shift.
    for (let i = 0; i < taps; i++) line[i] = (line[i] as number) / sum;
    const mirror = coefficients.subarray((rows - row) * taps, (rows - row + 1) * taps);
    if (row !== rows - row) for (let i = 0; i < taps; i++) mirror[i] = line[taps - 1 - i] as number;
  }
  return { coefficients, rows, taps };
}

export class Polyphase implements Pass {
  readonly #table: Table;
  readonly #history: History;
  readonly #exact: boolean;
  /** Where the next output sample lies: input samples from the history's first, and parts of `up` after that one. */
  #position = 0;
  #part = 0;
  #out = new Float64Array(0);

  /** `up` and `down` have no common divisor. */
  constructor(
    readonly up: number,
    readonly down: number,
    edges: Edges,
  ) {
    this.#table = tableFor(up, down, edges);
    this.#exact = this.#table.rows === up;
    this.#history = new History(this.#table.taps / 2 - 1);
  }

  push(samples: Float32Array | Float64Array): Float64Array {
    this.#history.append(samples);
    const { up, down } = this;
    const { taps } = this.#table;
    const x = this.#history.samples;
    const last = this.#history.length - taps;
    const room = last < this.#position ? 0 : Math.ceil(((last + 1 - this.#position) * up) / down);
    if (room > this.#out.length) this.#out = new Float64Array(2 * room);
    const wholes = Math.floor(down / up);
    const parts = down % up;
    let count = 0;
    for (; this.#position <= last; count++) {
      this.#out[count] = this.#exact ? this.#product(x) : this.#mixed(x);
      this.#position += wholes;
      this.#part += parts;
      if (this.#part >= up) {
        this.#part -= up;
        this.#position++;
      }
    }
    const done = Math.min(this.#position, this.#history.length);
    this.#history.drop(done);
    this.#position -= done;
    return this.#out.subarray(0, count);
  }

  #product(x: Float64Array): number {
    const { coefficients, taps } = this.#table;
    return product(x, this.#position, coefficients, this.#part * taps, taps);
  }

  #mixed(x: Float64Array): number {
    const { coefficients, rows, taps } = this.#table;
    const place = (this.#part * rows) / this.up;
    const below = Math.floor(place);
    const a = product(x, this.#position, coefficients, below * taps, taps);
    const b = product(x, this.#position, coefficients, (below + 1) * taps, taps);
    return a + (b - a) * (place - below);
  }
}

/** The inner loop: four partial sums, to avoid one chain of dependent additions. `taps` is a multiple of four. */
function product(x: Float64Array, from: number, c: Float64Array, row: number, taps: number): number {
  let s0 = 0;
  let s1 = 0;
  let s2 = 0;
  let s3 = 0;
  const end = row + taps;
  for (let i = row, j = from; i < end; i += 4, j += 4) {
    s0 += (x[j] as number) * (c[i] as number);
    s1 += (x[j + 1] as number) * (c[i + 1] as number);
    s2 += (x[j + 2] as number) * (c[i + 2] as number);
    s3 += (x[j + 3] as number) * (c[i + 3] as number);
  }
  return s0 + s1 + (s2 + s3);
}
