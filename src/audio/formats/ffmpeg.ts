/**
 * Any container that is not decoded here, from bytes that arrive piece by piece: through an ffmpeg process that writes WAV. How the bytes
 * get there is in `ffmpeg/ffmpeg-feed.ts`.
 */

import { setTimeout as sleep } from 'node:timers/promises';
import type { FfmpegChild } from '../ffmpeg/ffmpeg-child.js';
import { FfmpegFeed } from '../ffmpeg/ffmpeg-feed.js';
import type { DecodedChunk, FormatDecoder } from './format.js';
import { WavDecoder } from './wav.js';

/** On a flush: ffmpeg has emitted all that it can when nothing more came for this long, … */
const QUIET_MS = 100;
/** … and is not waited for longer than this. */
const LONGEST_FLUSH_MS = 2000;

/** Options of {@link FfmpegDecoder}. */
export interface FfmpegDecoderOptions {
  /**
   * The audio stream, counted from 0.
   * @defaultValue 0
   */
  stream?: number | undefined;
  /**
   * Bytes that a temporary file may take.
   * @defaultValue 4 GiB
   */
  maxSpool?: number | undefined;
  /** What the bytes look like if none of our decoders knows them, for the error. */
  unknown?: string | undefined;
}

/** Incremental decoder of one audio stream that ffmpeg reads. */
export class FfmpegDecoder implements FormatDecoder {
  readonly #feed: FfmpegFeed;
  #child: FfmpegChild | undefined;
  /** Some of its output came. */
  #begun = false;
  readonly #wav = new WavDecoder();
  /** Something happened since the last check; `#wake` resumes the waiter. */
  #changed = false;
  #wake: () => void = () => {};

  constructor(options: FfmpegDecoderOptions = {}) {
    this.#feed = new FfmpegFeed(options);
    void this.#feed.started.then((child) => {
      this.#child = child;
      child.stdout.on('readable', () => this.#change()).on('end', () => this.#change());
      void child.gone.then(() => this.#change());
    });
  }

  /** Seconds in all, as far as ffmpeg has reported by now. */
  get duration(): number | undefined {
    return this.#child?.duration;
  }

  async *push(bytes: Uint8Array): AsyncGenerator<DecodedChunk> {
    // The pipe takes bytes as ffmpeg reads them, and ffmpeg reads while its own output is consumed: neither may wait for the other.
    yield* this.#during(this.#feed.write(bytes));
    if (this.#child?.ended) await this.#check();
  }

  async *flush(): AsyncGenerator<DecodedChunk> {
    const until = performance.now() + LONGEST_FLUSH_MS;
    // It emits nothing before it has seen enough of a file.
    let heard = this.#begun ? performance.now() : until;
    while (this.#child && !this.#child.ended && performance.now() < Math.min(until, heard + QUIET_MS)) {
      for (const piece of this.#pieces()) {
        heard = performance.now();
        yield* this.#wav.push(piece);
      }
      await sleep(QUIET_MS / 5);
    }
    yield* this.#wav.flush();
  }

  async *end(): AsyncGenerator<DecodedChunk> {
    yield* this.#during(this.#feed.end());
    yield* this.#available();
    // Its end comes after that of its output, and that after everything in it was taken.
    while (!this.#child?.ended) {
      await this.#news();
      yield* this.#available();
    }
    await this.#check();
    yield* this.#wav.end();
  }

  close(): Promise<void> {
    return this.#feed.kill();
  }

  /** Emits what there is while `work` goes on, and fails with it. */
  async *#during(work: Promise<void>): AsyncGenerator<DecodedChunk> {
    let done = false;
    const settle = () => {
      done = true;
      this.#change();
    };
    work.then(settle, settle);
    while (!(done || this.#child?.ended)) {
      await this.#news();
      yield* this.#available();
    }
    await work;
  }

  async *#available(): AsyncGenerator<DecodedChunk> {
    for (const piece of this.#pieces()) yield* this.#wav.push(piece);
  }

  *#pieces(): Generator<Uint8Array> {
    const child = this.#child;
    if (!child) return;
    for (let piece = child.stdout.read(); piece !== null; piece = child.stdout.read()) {
      child.count(piece as Buffer);
      this.#begun = true;
      yield piece as Buffer;
    }
  }

  async #check(): Promise<void> {
    const failure = await this.#feed.failure();
    if (failure) throw failure;
  }

  #change(): void {
    this.#changed = true;
    this.#wake();
  }

  async #news(): Promise<void> {
    if (!this.#changed) {
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
    this.#changed = false;
  }
}
