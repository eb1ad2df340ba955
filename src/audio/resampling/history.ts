/**
 * The samples that a filter still needs, as one piece of memory that lasts: filters read it and do not allocate.
 */
export class History {
  samples: Float64Array;
  /** How many of `samples` are there. */
  length: number;

  /** @param silence Zeros that come before the first sample. */
  constructor(silence: number) {
    this.samples = new Float64Array(4 * silence + 1024);
    this.length = silence;
  }

  append(samples: Float32Array | Float64Array): void {
    const needed = this.length + samples.length;
    if (needed > this.samples.length) {
      const larger = new Float64Array(2 * needed);
      larger.set(this.samples.subarray(0, this.length));
      this.samples = larger;
    }
    this.samples.set(samples, this.length);
    this.length = needed;
  }

  /** Drops the first `count` samples. */
  drop(count: number): void {
    this.samples.copyWithin(0, count, this.length);
    this.length -= count;
  }
}
