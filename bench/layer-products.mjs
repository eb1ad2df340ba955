/** The encoder's products of weights: what they need at the speed of bare ones, as a bound of everything else. */
import { median } from './quantile.mjs';

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

/** Bytes that int4 reads of those of int8: ten sixteenths in the feed-forward layers and the attention, 20 of 23 squares of the width (native/ops/cpu/tile_four_bits.h). */
const INT4_SHARE = (20 * (10 / 16) + 3) / 23;

/** Weights of all layers. @param {{ dModel: number, layers: number }} info of a model */
function layerWeights(info) {
  return layerProducts(info).reduce((sum, { inputs, outputs, times }) => sum + times * inputs * outputs, 0);
}

/** Weights of all layers, in those that take as long to be read. @param {{ dModel: number, layers: number }} info of a model @param {string} dtype */
export const weightsRead = (info, dtype) => (dtype === 'int4' ? INT4_SHARE : 1) * layerWeights(info);

/** Bytes of a weight, by type; `weightsRead` counts those in four bits as bytes. */
const BYTES = { int4: 1, int8: 1, bfloat16: 2, float32: 4 };

/** Matrices that are read for it: on a virtual machine memory is up to twice as fast in one place as in another. */
const PLACES = 5;

/**
 * Weights that are read in a second: of a single row of a matrix that no cache holds, for which hardly anything is computed; the median of several
 * matrices. They are float32, whose weights are multiplied as they lie in memory on every CPU.
 *
 * @param {{ productSpeed: Function }} addon
 * @param {string} dtype
 */
export async function weightsPerSecond(addon, dtype) {
  const speeds = [];
  for (let i = 0; i < PLACES; i++) speeds.push(await addon.productSpeed('float32', 1, 16_384, 8192, 0.1));
  return ((median(speeds) / 2) * BYTES.float32) / BYTES[dtype];
}

/** Bytes of a value in the caches. */
const CACHED = 4;

/**
 * The most live streams whose steps, so many frames in a batch, could be encoded in time: by the products of the layers alone, and by reading their
 * weights once a batch and the keys and values of each stream's left context once a step.
 *
 * @param {{ addon: object, info: object }} model
 * @param {string} dtype
 * @param {{ chunk: number, lookahead: number, left: number }} step seconds
 * @param {number} frames of the encoder in a batch
 * @param {number} frameSeconds
 * @returns {Promise<{ arithmetic: number, memory: number }>}
 */
export async function mostStreams({ addon, info }, dtype, step, frames, frameSeconds) {
  const steps = (frames * frameSeconds) / (step.chunk + step.lookahead);
  const arithmetic = await productSeconds(addon, info, dtype, frames, {
    measured: Math.max(64, Math.round(frames)),
    seconds: 0.2,
  });
  const bytesPerSecond = BYTES[dtype] * (await weightsPerSecond(addon, dtype));
  const cache = (2 * CACHED * info.layers * info.dModel * step.left) / frameSeconds;
  const memory = (BYTES[dtype] * weightsRead(info, dtype) + steps * cache) / bytesPerSecond;
  return { arithmetic: (steps * step.chunk) / arithmetic, memory: (steps * step.chunk) / memory };
}
