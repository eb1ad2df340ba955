/**
 * What `flush()` sends down the line behind the audio it is about: each stage gives out what it holds back when the mark comes by.
 * Not an event: nobody outside sees it.
 */

/** Travels through every {@link Stage} in its place among the objects. */
export class FlushMark {
  /** @param passed Called when the mark has left the last stage. */
  constructor(readonly passed: () => void) {}
}
