/**
 * Any container that is not decoded here, from bytes that arrive piece by piece: through an ffmpeg process that writes WAV.
 * A file that needs seeking (an MP4 with its index at the end) cannot be read so; give its path to `ffmpeg()` instead.
 */

import type { AudioChunk } from '../../events.js';
import { FfmpegChild } from '../../sources/ffmpeg-child.js';
import type { FormatDecoder } from './format.js';
import { WavDecoder } from './wav.js';

/** Incremental decoder of what ffmpeg reads from a pipe: one of its audio streams. */
export class FfmpegDecoder implements FormatDecoder {
  readonly #child: FfmpegChild;
  readonly #wav = new WavDecoder();
  /** Something happened since it was looked at last; who waits for it. */
  #changed = false;
  #wake: () => void = () => {};

  /** @param stream The audio stream, counted from 0. */
  constructor(stream = 0) {
    this.#child = new FfmpegChild({ input: null, stream });
    this.#child.stdout.on('readable', () => this.#change()).on('end', () => this.#change());
    void this.#child.gone.then(() => this.#change());
  }

  async *push(bytes: Uint8Array): AsyncGenerator<AudioChunk> {
    let written = this.#child.ended;
    // The pipe takes bytes as ffmpeg reads them, and ffmpeg reads while its own output is taken: neither may wait for the other.
    if (!written) {
      this.#child.stdin?.write(bytes, () => {
        written = true;
        this.#change();
      });
    }
    while (!(written || this.#child.ended)) {
      await this.#news();
      yield* this.#available();
    }
    if (this.#child.ended) await this.#check();
  }

  async *end(): AsyncGenerator<AudioChunk> {
    this.#child.stdin?.end();
    yield* this.#available();
    // Its end comes after that of its output, and that after everything in it was taken.
    while (!this.#child.ended) {
      await this.#news();
      yield* this.#available();
    }
    await this.#check();
    yield* this.#wav.end();
  }

  close(): void {
    this.#child.kill();
  }

  async *#available(): AsyncGenerator<AudioChunk> {
    for (let piece = this.#child.stdout.read(); piece !== null; piece = this.#child.stdout.read()) {
      yield* this.#wav.push(piece as Buffer);
    }
  }

  async #check(): Promise<void> {
    const failure = await this.#child.gone;
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
