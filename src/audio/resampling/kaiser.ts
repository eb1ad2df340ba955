/**
 * Low-pass filters as a sinc under a Kaiser window: the mathematics of their design, and nothing that filters.
 */

/** Stop-band attenuation in decibels, with a margin over the documented 90. */
const ATTENUATION = 97;
const BETA = 0.1102 * (ATTENUATION - 8.7);
/** The window is computed at this many places from its centre to its edge; interpolation between them is accurate to 110 dB. */
const STEPS = 2048;
let window: Float64Array | undefined;

/** Half the length, in samples, of a filter with this `transition` band (a share of the rate). */
export function halfLength(transition: number): number {
  return (ATTENUATION - 7.95) / (2.285 * 2 * Math.PI * transition) / 2;
}

/**
 * The filter's value at `t` samples from its centre.
 *
 * @param cutoff Where it lets half the amplitude pass, as a share of the rate, at most 0.5.
 * @param half Half its length in samples: it is 0 outside.
 */
export function lowPass(t: number, cutoff: number, half: number): number {
  const place = (Math.abs(t) / half) * STEPS;
  if (place >= STEPS) return 0;
  window ??= kaiser();
  const step = Math.floor(place);
  const below = window[step] as number;
  const weight = below + ((window[step + 1] as number) - below) * (place - step);
  const x = 2 * Math.PI * cutoff * t;
  return 2 * cutoff * weight * (x === 0 ? 1 : Math.sin(x) / x);
}

function kaiser(): Float64Array {
  const peak = bessel(BETA);
  const weights = new Float64Array(STEPS + 1);
  for (let i = 0; i <= STEPS; i++) weights[i] = bessel(BETA * Math.sqrt(1 - (i / STEPS) ** 2)) / peak;
  return weights;
}

/** The modified Bessel function of the first kind, of order 0, for the arguments of a window. */
function bessel(x: number): number {
  let sum = 1;
  let term = 1;
  for (let k = 1; term > 1e-12 * sum; k++) {
    const factor = x / (2 * k);
    term *= factor * factor;
    sum += term;
  }
  return sum;
}
