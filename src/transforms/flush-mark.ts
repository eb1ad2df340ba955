/**
 * What `flush()` sends down the pipeline behind the audio that it concerns: each stage emits what it holds back when the mark passes. It is
 * not an event and never visible outside.
 */

/** Travels through every {@link Stage} in its place among the objects. */
export class FlushMark {
  /** @param passed Called when the mark has left the last stage. */
  constructor(readonly passed: () => void) {}
}
