/** The encoder's products of weights: what they need at the speed of bare ones, as a bound of everything else. */

/**
 * @param {{ dModel: number, layers: number }} info of a model
 * @returns {{ inputs: number, outputs: number, times: number }[]} the products of all layers
 */
export function layerProducts({ dModel: width, layers }) {
  return [
    { inputs: width, outputs: 4 * width, times: 2 * layers },
    { inputs: 4 * width, outputs: width, times: 2 * layers },
    { inputs: width, outputs: width, times: 5 * layers },
    { inputs: width, outputs: 2 * width, times: layers },
  ];
}

/**
 * Seconds of the products with `rows` frames.
 *
 * @param {{ productSpeed: Function }} addon
 * @param {{ dModel: number, layers: number }} info
 * @param {string} dtype
 * @param {number} rows
 * @param {{ measured?: number, seconds: number }} how `measured`: rows that their speed is measured with (default: `rows`), for so many seconds each
 */
export async function productSeconds(addon, info, dtype, rows, { measured = rows, seconds }) {
  let sum = 0;
  for (const { inputs, outputs, times } of layerProducts(info)) {
    const speed = await addon.productSpeed(dtype, measured, inputs, outputs, seconds);
    sum += (times * 2 * rows * inputs * outputs) / speed;
  }
  return sum;
}
