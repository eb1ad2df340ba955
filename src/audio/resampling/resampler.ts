/**
 * One channel from one rate to another: picks the passes, keeps the output's length exact. Knows no streams and no channels.
 *
 * Our own implementation, since available libraries are not sufficient: libsamplerate in WebAssembly blocks the event loop for 90
 * ms per second of audio at the required quality, and its output depends on how the input is split (`npm run -s bench:resample`).
 */

import { Halver } from './halver.js';
import type { Pass } from './pass.js';
import { Polyphase } from './polyphase.js';

/** Share of the lower Nyquist band that passes unchanged (within 0.01 dB). Everything above the band is stopped. */
const PASS_BAND = 0.9;
/** A rate is halved, which is cheap, as long as the half is this far above the target rate. */
const HALVE_ABOVE = 1.25;
/** Rates that are not whole numbers are rounded to this precision. */
const FRACTIONS = 1000;

/** Converts one run of samples. */
export class Resampler {
  readonly #passes: Pass[] = [];
  readonly #ratio: number;
  #taken = 0;
  #given = 0;

  constructor(
    readonly inputRate: number,
    readonly outputRate: number,
  ) {
    this.#ratio = outputRate / inputRate;
    let rate = inputRate;
    let halvings = 0;
    for (; rate / 2 >= HALVE_ABOVE * outputRate; rate /= 2, halvings++) {
      this.#passes.push(new Halver(outputRate / 2 / rate));
    }
    const scale = Number.isInteger(inputRate) && Number.isInteger(outputRate) ? 1 : FRACTIONS;
    const up = Math.round(outputRate * scale) * 2 ** halvings;
    const down = Math.round(inputRate * scale);
    const divisor = greatestCommonDivisor(up, down);
    const stop = Math.min(outputRate, rate) / 2 / rate;
    this.#passes.push(new Polyphase(up / divisor, down / divisor, { pass: PASS_BAND * stop, stop }));
  }

  /** The samples that are ready after `samples`. Output sample n is at the position of input sample n · inputRate / outputRate. */
  push(samples: Float32Array): Float32Array {
    this.#taken += samples.length;
    return this.#convert(samples, Number.POSITIVE_INFINITY);
  }

  /** The input is over: the rest, so that `n` samples have become `round(n · outputRate / inputRate)`. */
  end(): Float32Array {
    const total = Math.round(this.#taken * this.#ratio);
    const rest = new Float32Array(total - this.#given);
    // Silence pushes out what the filters hold, in pieces so that no large rate takes large ones.
    const silence = new Float32Array(Math.min(4096, Math.ceil(this.inputRate / 100)));
    for (let filled = 0; filled < rest.length; ) {
      const samples = this.#convert(silence, total);
      rest.set(samples, filled);
      filled += samples.length;
    }
    return rest;
  }

  #convert(samples: Float32Array, limit: number): Float32Array {
    let passed: Float32Array | Float64Array = samples;
    for (const pass of this.#passes) passed = pass.push(passed);
    const out = new Float32Array(passed.subarray(0, Math.min(passed.length, limit - this.#given)));
    this.#given += out.length;
    return out;
  }
}

function greatestCommonDivisor(a: number, b: number): number {
  return b === 0 ? a : greatestCommonDivisor(b, a % b);
}
