/**
 * The native encoder of a stream together with the credit that bounds it: what `EncodedChunk.session` is. Both the encoding and the
 * decoding stage use it, so it has a file of its own.
 */

import type { NativeEncoder, NativeFrames, NativeTicket } from '../engine/addon.js';
import { AbortedError } from '../errors.js';
import type { StageModel } from '../model/stage-model.js';

/** Most tickets whose frames may wait inside the engine. */
export const MAX_TICKETS = 4;

/** The native encoder of one stream, and the number of its tickets that are out. */
export class EncoderSession {
  /** Duration of the input in seconds, once it has ended. */
  duration = Number.POSITIVE_INFINITY;
  #outstanding = 0;
  #holds = 0;
  #closed = false;
  #waiting: (() => void)[] = [];

  /** @internal */
  constructor(
    /** @internal */
    readonly native: NativeEncoder,
    /** The model of the frames: another model's decoder cannot read them. @internal */
    readonly model: StageModel,
  ) {}

  /** Tickets that were neither decoded nor returned. */
  get outstanding(): number {
    return this.#outstanding;
  }

  /** Waits until another ticket may be out, and counts it. */
  async take(): Promise<void> {
    await this.#until(() => this.#outstanding < MAX_TICKETS);
    this.#outstanding++;
  }

  /** Appends mel frames, if there are any, and runs the next step that is due, as soon as another ticket may be out. */
  async step(frames?: NativeFrames | Float32Array): Promise<NativeTicket | undefined> {
    await this.take();
    const step = await this.native.step(frames);
    if (step) return step;
    this.release();
    return undefined;
  }

  /** A ticket was decoded, or never will be. */
  release(): void {
    this.#outstanding--;
    this.#wake();
  }

  /** Something still needs the session, although no ticket is out. */
  hold(): void {
    this.#holds++;
  }

  letGo(): void {
    this.#holds--;
    this.#wake();
  }

  /** Resolves when no ticket is out and nothing holds the session. */
  async idle(): Promise<void> {
    await this.#until(() => this.#outstanding === 0 && this.#holds === 0);
  }

  /** Frees the native session and all frames in it. */
  async close(): Promise<void> {
    this.#closed = true;
    this.#wake();
    await this.native.close();
  }

  async #until(holds: () => boolean): Promise<void> {
    while (!this.#closed && !holds()) {
      await new Promise<void>((resolve) => {
        this.#waiting.push(resolve);
      });
    }
    if (this.#closed) throw new AbortedError('The encoder was closed');
  }

  #wake(): void {
    for (const resolve of this.#waiting.splice(0)) resolve();
  }
}
