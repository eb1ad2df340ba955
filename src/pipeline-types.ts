/**
 * Types that make `pipeline()` of @types/node take our streams with the types of what they carry. Nothing here exists at run time.
 */

/**
 * A stage between two others. `pipeline()` wants a stream of strings and Buffers there, or a function of this shape, and hands the function's
 * type on to the one behind it. It cannot be called.
 */
export type PipelineStage<Out> = (source: unknown) => AsyncIterable<Out>;
