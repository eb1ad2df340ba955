/**
 * Types that make `pipeline()` of @types/node accept our streams with the types of what they carry. Nothing here exists at run time.
 */

/**
 * A stage between two others. There `pipeline()` expects a stream of strings and Buffers, or a function of this type, whose result type it
 * passes on to the next stage. The type exists for `pipeline()` only: a stage cannot be called.
 */
export type PipelineStage<Out> = (source: unknown) => AsyncIterable<Out>;
