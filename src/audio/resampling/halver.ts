/**
 * Halves a rate with a half-band filter: every other coefficient is zero, and the rest is symmetric, so that a sample costs few products.
 * It leaves frequencies just below the new rate's edge to the next filter.
 */
import { History } from './history.js';
import { halfLength, lowPass } from './kaiser.js';
import type { Pass } from './pass.js';

export class Halver implements Pass {
  /** Coefficients at the distances 1, 3, 5, … from the centre; the centre's is 0.5. */
  readonly #odd: Float64Array;
  readonly #reach: number;
  readonly #history: History;
  #out = new Float64Array(0);

  /** @param keep Share of the input's rate up to which the signal must stay as it is, below 0.25. */
  constructor(keep: number) {
    // The rule for the length is a little short for short filters.
    const half = halfLength(0.5 - 2 * keep) + 2;
    this.#odd = Float64Array.from({ length: Math.ceil(half / 2) }, (_, i) => lowPass(2 * i + 1, 0.25, half));
    const sum = 2 * this.#odd.reduce((total, value) => total + value, 0);
    // A constant signal is unchanged.
    for (let i = 0; i < this.#odd.length; i++) this.#odd[i] = ((this.#odd[i] as number) * 0.5) / sum;
    this.#reach = 2 * this.#odd.length - 1;
    this.#history = new History(this.#reach);
  }

  push(samples: Float32Array | Float64Array): Float64Array {
    this.#history.append(samples);
    const reach = this.#reach;
    const odd = this.#odd;
    const x = this.#history.samples;
    const count = Math.max(0, Math.floor((this.#history.length - 2 * reach + 1) / 2));
    if (count > this.#out.length) this.#out = new Float64Array(2 * count);
    for (let n = 0; n < count; n++) {
      const centre = 2 * n + reach;
      let sum = 0.5 * (x[centre] as number);
      for (let i = 0, d = 1; i < odd.length; i++, d += 2) {
        sum += (odd[i] as number) * ((x[centre - d] as number) + (x[centre + d] as number));
      }
      this.#out[n] = sum;
    }
    this.#history.drop(2 * count);
    return this.#out.subarray(0, count);
  }
}
