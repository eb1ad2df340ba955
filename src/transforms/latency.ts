/**
 * Percentiles of a stream's delays in bounded memory. It does not measure time itself.
 */

const MOST = 4096;

/** Collects seconds; when full, keeps every second value and from then on takes only every second new one. */
export class Latencies {
  #kept: number[] = [];
  #stride = 1;
  #seen = 0;
  #max = 0;

  add(seconds: number): void {
    this.#max = Math.max(this.#max, seconds);
    if (this.#seen++ % this.#stride !== 0) return;
    this.#kept.push(seconds);
    if (this.#kept.length < MOST) return;
    this.#kept = this.#kept.filter((_, index) => index % 2 === 0);
    this.#stride *= 2;
  }

  /** All 0 when nothing was added. */
  summary(): { p50: number; p95: number; max: number } {
    const sorted = this.#kept.toSorted((a, b) => a - b);
    const at = (share: number) => sorted[Math.max(0, Math.ceil(share * sorted.length) - 1)] ?? 0;
    return { p50: at(0.5), p95: at(0.95), max: this.#max };
  }
}
