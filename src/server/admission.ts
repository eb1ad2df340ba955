/**
 * How much work runs at once: live transcripts up to what the machine holds in real time, and none while those that are open come late; files
 * beside them as far as live work leaves room. It counts; the work itself is its callers'.
 */
import { ServerError } from '../index.js';

/** Share of the live capacity beyond which no further file is begun: live goes first. */
const FILE_SHARE = 0.5;
/** Seconds after which a client that was refused may try again: a live transcript ends at any time, a file after a few seconds. */
const RETRY_AFTER = 5;

/** The limits, see `ServerOptions`. */
export interface AdmissionLimits {
  maxStreams: number;
  maxFiles: number;
  maxQueue: number;
}

/** Gives a place back. May be called more than once. */
export type Release = () => void;

interface Waiting {
  start(): void;
  refuse(error: Error): void;
}

export class Admission {
  readonly limits: AdmissionLimits;
  readonly #isLate: () => boolean;
  readonly #waiting = new Set<Waiting>();
  #streams = 0;
  #files = 0;
  #uploads = 0;
  #closed = false;

  /** @param isLate Whether the live transcripts that are open come late, see `RecentLag`. */
  constructor(limits: AdmissionLimits, isLate: () => boolean = () => false) {
    this.limits = limits;
    this.#isLate = isLate;
  }

  /** Live transcripts that are open. */
  get streams(): number {
    return this.#streams;
  }

  /** Files that are being transcribed. */
  get files(): number {
    return this.#files;
  }

  /** Files that wait. */
  get queued(): number {
    return this.#waiting.size;
  }

  /** Whether another live transcript would be taken. */
  get ready(): boolean {
    return !this.#closed && this.#streams < this.limits.maxStreams && !this.#isLate();
  }

  /** Takes places for live transcripts, all or none. @throws {@link ServerError} `ERR_PARAKEET_SERVER_BUSY` */
  live(count = 1): Release {
    if (this.#closed) throw stopping();
    if (this.#streams + count > this.limits.maxStreams) {
      throw busy(
        `${this.limits.maxStreams} live transcripts, which is all that this machine holds, are open`,
      );
    }
    if (this.#isLate()) throw busy('the live transcripts that are open come late already');
    this.#streams += count;
    return once(() => {
      this.#streams -= count;
      this.#next();
    });
  }

  /**
   * Takes a place for a file, as soon as there is one.
   *
   * Rejects with `ERR_PARAKEET_SERVER_BUSY` when too many wait already, or the server stops, and with the signal's reason when it is aborted.
   */
  async file(signal: AbortSignal): Promise<Release> {
    signal.throwIfAborted();
    if (this.#closed) throw stopping();
    if (!this.#hasRoom || this.#waiting.size > 0) {
      if (this.#waiting.size >= this.limits.maxQueue) throw busy(`${this.#waiting.size} files wait already`);
      await this.#turn(signal);
    } else this.#files++;
    return once(() => {
      this.#files--;
      this.#next();
    });
  }

  /**
   * Takes a place for an upload, which may wait for its form or its turn: there are as many as files that may run or wait.
   *
   * @throws {@link ServerError} `ERR_PARAKEET_SERVER_BUSY`
   */
  upload(): Release {
    if (this.#closed) throw stopping();
    if (this.#uploads >= this.limits.maxFiles + this.limits.maxQueue)
      throw busy(`${this.#uploads} files are being sent or wait already`);
    this.#uploads++;
    return once(() => {
      this.#uploads--;
    });
  }

  /** From now on nothing is taken, and what waits is refused. */
  close(): void {
    this.#closed = true;
    for (const { refuse } of [...this.#waiting]) refuse(stopping());
  }

  get #hasRoom(): boolean {
    const { maxFiles, maxStreams } = this.limits;
    return this.#files < maxFiles && this.#streams <= FILE_SHARE * maxStreams;
  }

  #turn(signal: AbortSignal): Promise<void> {
    return new Promise((resolve, reject) => {
      const leave = () => {
        signal.removeEventListener('abort', aborted);
        this.#waiting.delete(waiting);
      };
      const aborted = () => waiting.refuse(signal.reason as Error);
      const waiting: Waiting = {
        start: () => {
          leave();
          // Before anybody else is asked: the place is taken now.
          this.#files++;
          resolve();
        },
        refuse: (error) => {
          leave();
          reject(error);
        },
      };
      this.#waiting.add(waiting);
      signal.addEventListener('abort', aborted);
    });
  }

  #next(): void {
    for (const waiting of [...this.#waiting]) {
      if (!this.#hasRoom) return;
      waiting.start();
    }
  }
}

function busy(why: string): ServerError {
  return new ServerError(
    'ERR_PARAKEET_SERVER_BUSY',
    `Expected room for more work but ${why}. Try again later.`,
    {
      retryAfter: RETRY_AFTER,
    },
  );
}

function stopping(): ServerError {
  return new ServerError(
    'ERR_PARAKEET_SERVER_BUSY',
    'Expected a server that runs but it is stopping. Try again later.',
    {
      retryAfter: RETRY_AFTER,
    },
  );
}

function once(release: () => void): Release {
  let done = false;
  return () => {
    if (done) return;
    done = true;
    release();
  };
}
