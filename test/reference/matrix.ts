// Row-major float64 matrices and the few operations that the reference model is written with.
// For reading and for checking, not for speed.

export class Matrix {
  readonly data: Float64Array;
  constructor(
    readonly rows: number,
    readonly columns: number,
    data?: ArrayLike<number>,
  ) {
    this.data = data === undefined ? new Float64Array(rows * columns) : Float64Array.from(data);
    if (this.data.length !== rows * columns)
      throw new Error(`Expected ${rows}×${columns}, got ${this.data.length}`);
  }

  get(row: number, column: number): number {
    return this.data[row * this.columns + column] as number;
  }

  set(row: number, column: number, value: number): void {
    this.data[row * this.columns + column] = value;
  }

  row(row: number): Float64Array {
    return this.data.subarray(row * this.columns, (row + 1) * this.columns);
  }

  /** Rows `[begin, end)`, copied. */
  slice(begin: number, end: number): Matrix {
    return new Matrix(
      end - begin,
      this.columns,
      this.data.subarray(begin * this.columns, end * this.columns),
    );
  }

  map(f: (value: number, column: number) => number): Matrix {
    const out = new Matrix(this.rows, this.columns);
    for (let i = 0; i < this.data.length; i++) out.data[i] = f(this.data[i] as number, i % this.columns);
    return out;
  }
}

/** The rows of `a`, then those of `b`. */
export function stack(a: Matrix, b: Matrix): Matrix {
  const out = new Matrix(a.rows + b.rows, b.columns);
  out.data.set(a.data);
  out.data.set(b.data, a.data.length);
  return out;
}

/** `a + scale · b`. */
export function add(a: Matrix, b: Matrix, scale = 1): Matrix {
  const out = new Matrix(a.rows, a.columns);
  for (let i = 0; i < a.data.length; i++) out.data[i] = (a.data[i] as number) + scale * (b.data[i] as number);
  return out;
}

export function dot(a: ArrayLike<number>, b: ArrayLike<number>): number {
  let sum = 0;
  for (let i = 0; i < a.length; i++) sum += (a[i] as number) * (b[i] as number);
  return sum;
}

/** `x · weightᵀ + bias`; `weight` has one row per output. */
export function linear(x: Matrix, weight: Matrix, bias?: ArrayLike<number>): Matrix {
  const out = new Matrix(x.rows, weight.rows);
  for (let i = 0; i < x.rows; i++) {
    const input = x.row(i);
    for (let j = 0; j < weight.rows; j++) {
      out.set(i, j, dot(input, weight.row(j)) + (bias === undefined ? 0 : (bias[j] as number)));
    }
  }
  return out;
}

/** Layer norm over each row, epsilon 1e-5. */
export function layerNorm(x: Matrix, weight: ArrayLike<number>, bias: ArrayLike<number>): Matrix {
  const out = new Matrix(x.rows, x.columns);
  for (let i = 0; i < x.rows; i++) {
    const row = x.row(i);
    const mean = row.reduce((sum, value) => sum + value, 0) / row.length;
    const variance = row.reduce((sum, value) => sum + (value - mean) ** 2, 0) / row.length;
    const scale = 1 / Math.sqrt(variance + 1e-5);
    row.forEach((value, j) => {
      out.set(i, j, (value - mean) * scale * (weight[j] as number) + (bias[j] as number));
    });
  }
  return out;
}

export const sigmoid = (x: number): number => 1 / (1 + Math.exp(-x));
export const silu = (x: number): number => x * sigmoid(x);

export function softmax(row: ArrayLike<number>): Float64Array {
  let largest = Number.NEGATIVE_INFINITY;
  for (let i = 0; i < row.length; i++) largest = Math.max(largest, row[i] as number);
  const out = Float64Array.from(row, (value) => Math.exp(value - largest));
  const sum = out.reduce((total, value) => total + value, 0);
  return out.map((value) => value / sum);
}

/** Index of the largest value, the first one of equals. */
export function argmax(row: ArrayLike<number>): number {
  let best = 0;
  for (let i = 1; i < row.length; i++) if ((row[i] as number) > (row[best] as number)) best = i;
  return best;
}

/** Entropy of a distribution in nats, with the 1e-10 of parakeet-mlx. */
export function entropy(probabilities: ArrayLike<number>): number {
  let sum = 0;
  for (let i = 0; i < probabilities.length; i++) {
    const p = probabilities[i] as number;
    sum -= p * Math.log(p + 1e-10);
  }
  return sum;
}
