/**
 * Whether the live transcripts that are open come too late already. The measurement at start cannot know what else the machine will do, and a
 * server that is late gets later with each transcript that it takes.
 */

/** Seconds that are looked back on. */
const WINDOW = 10;
/** Seconds of lag at which the server counts as late: several times what a machine that keeps up has. */
const LATE = 1.5;
/** Fewer observations than this say nothing: a single slow step is no overload. */
const FEWEST = 8;

export class RecentLag {
  readonly #now: () => number;
  #observed: { at: number; late: boolean }[] = [];

  /** @param now Seconds on a clock that never goes back. */
  constructor(now: () => number = () => performance.now() / 1000) {
    this.#now = now;
  }

  /** Final words came so many seconds later than their sound allowed. */
  observe(seconds: number): void {
    this.#observed.push({ at: this.#now(), late: seconds > LATE });
    this.#forget();
  }

  /** Whether most finals of the last ten seconds came more than 1.5 s late. */
  get late(): boolean {
    this.#forget();
    const late = this.#observed.filter((one) => one.late).length;
    return this.#observed.length >= FEWEST && 2 * late > this.#observed.length;
  }

  #forget(): void {
    const oldest = this.#now() - WINDOW;
    const kept = this.#observed.findIndex(({ at }) => at >= oldest);
    if (kept !== 0) this.#observed = kept < 0 ? [] : this.#observed.slice(kept);
  }
}
