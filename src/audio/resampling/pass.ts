/** What the passes of a resampler have in common: halving, and the polyphase filter. */

/** One filter of the way. */
export interface Pass {
  /** Takes samples, returns those that are ready; they are valid until the next call. */
  push(samples: Float32Array | Float64Array): Float64Array;
}
