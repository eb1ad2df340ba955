/**
 * Bytes into an ffmpeg process: through its standard input, or, for containers that need seeking, through a temporary file. The output of
 * the process is up to its owner (`sources/ffmpeg.ts`, `formats/ffmpeg.ts`).
 */
import type { ParakeetError } from '../../errors.js';
import { StreamWalk, wrongLength } from '../containers/walk.js';
import { isMpegStream, WALKER_BYTES, walkerFor } from '../containers/walker-for.js';
import { type FfmpegChild, type FfmpegJob, ffmpegStarter } from './ffmpeg-child.js';
import { DEFAULT_MAX_SPOOL, Spool } from './spool.js';

/** Bytes after which a container without a known position of its index goes through the pipe. */
const UNDECIDED_BYTES = 1 << 20;

/** Options of {@link FfmpegFeed}, besides the job of its process. */
export interface FeedOptions extends Omit<FfmpegJob, 'input'> {
  /**
   * Bytes that a temporary file may take; 0 for none.
   * @defaultValue 4 GiB
   */
  maxSpool?: number | undefined;
}

/** One input of bytes. */
export class FfmpegFeed {
  /** Resolves with the process when it was started; never when {@link kill} comes first. */
  readonly started: Promise<FfmpegChild>;
  #onStart: (child: FfmpegChild) => void = () => {};
  #child: FfmpegChild | undefined;
  #walk: StreamWalk | undefined;
  /** Bytes before it is known which way they go. */
  #begun: Uint8Array = new Uint8Array(0);
  #spool: Spool | undefined;
  #killed = false;

  constructor(private readonly options: FeedOptions) {
    this.started = new Promise((resolve) => {
      this.#onStart = resolve;
    });
  }

  /** Resolves when the bytes are accepted, or never will be: ffmpeg may stop reading before its input ends. */
  async write(bytes: Uint8Array): Promise<void> {
    if (this.#killed) return;
    this.#walk?.push(bytes);
    if (this.#child) return this.#pipe(bytes);
    if (this.#spool) return this.#spool.write(bytes);
    this.#begun = this.#begun.length === 0 ? bytes.slice() : Buffer.concat([this.#begun, bytes]);
    if (!this.#walk) {
      if (this.#begun.length < WALKER_BYTES) return;
      const walker = walkerFor(this.#begun);
      if (!walker) return this.#start();
      this.#walk = new StreamWalk(walker);
      this.#walk.push(this.#begun);
    }
    if (this.#walk.findings.needsSeeking) return this.#store();
    if (this.#walk.findings.needsSeeking === false || this.#begun.length >= UNDECIDED_BYTES)
      return this.#start();
  }

  /** The input is over. Resolves when all of it is with ffmpeg; fails when it could not be stored. */
  async end(): Promise<void> {
    if (this.#killed) return;
    this.#walk?.end();
    if (this.#spool) {
      const file = await this.#spool.finish();
      return this.#begin({ ...this.options, input: null, file });
    }
    if (!this.#child) await this.#start();
    this.#child?.stdin?.end();
  }

  /** After the process is gone: why sound is missing, if any is. */
  async failure(): Promise<ParakeetError | null> {
    const failure = (await this.#child?.gone) ?? null;
    await this.#spool?.remove();
    if (failure || !this.#walk || this.options.duration !== undefined) return failure;
    return wrongLength(this.#walk.findings) ?? null;
  }

  /** Ends everything at once. Resolves when everything is cleaned up. */
  async kill(): Promise<void> {
    this.#killed = true;
    this.#child?.kill();
    await this.#child?.gone;
    await this.#spool?.remove();
  }

  async #begin(job: FfmpegJob): Promise<void> {
    const start = await ffmpegStarter();
    if (this.#killed) return;
    this.#child = start(job);
    this.#onStart(this.#child);
  }

  async #start(): Promise<void> {
    const begun = this.#begun;
    this.#begun = new Uint8Array(0);
    await this.#begin({ ...this.options, input: null, pictures: isMpegStream(begun) });
    await this.#pipe(begun);
  }

  async #store(): Promise<void> {
    const begun = this.#begun;
    this.#begun = new Uint8Array(0);
    this.#spool = new Spool(this.options.maxSpool ?? DEFAULT_MAX_SPOOL);
    await this.#spool.write(begun);
  }

  #pipe(bytes: Uint8Array): Promise<void> {
    const child = this.#child;
    if (!child || child.ended || bytes.length === 0) return Promise.resolve();
    return new Promise((resolve) => {
      child.stdin?.write(bytes, () => resolve());
      void child.gone.then(() => resolve());
    });
  }
}
