/**
 * A stream's native encoder together with the credit that bounds it: what `EncodedChunk.session` is. Shared by the stage that
 * encodes and the one that decodes, which is why it is in a file of its own.
 */

import type { NativeEncoder, NativeFrames, NativeTicket } from '../engine/addon.js';
import { AbortedError } from '../errors.js';
import type { StageModel } from '../model/stage-model.js';

/** Most tickets whose frames wait inside the engine. */
export const MAX_TICKETS = 4;

/** The native encoder of one stream, and how many of its tickets are out. */
export class EncoderSession {
  /** Seconds of the input, once it is over. */
  duration = Number.POSITIVE_INFINITY;
  #outstanding = 0;
  #holds = 0;
  #closed = false;
  #waiting: (() => void)[] = [];

  /** @internal */
  constructor(
    /** @internal */
    readonly native: NativeEncoder,
    /** Whose frames they are: another model's decoder cannot read them. @internal */
    readonly model: StageModel,
  ) {}

  /** Tickets that have neither been decoded nor given back. */
  get outstanding(): number {
    return this.#outstanding;
  }

  /** Waits until one more ticket may be out, and counts it. */
  async take(): Promise<void> {
    await this.#until(() => this.#outstanding < MAX_TICKETS);
    this.#outstanding++;
  }

  /** Appends mel frames, if there are any, and runs the next step that is due then, as soon as one more ticket may be out. */
  async step(frames?: NativeFrames | Float32Array): Promise<NativeTicket | undefined> {
    await this.take();
    const step = await this.native.step(frames);
    if (step) return step;
    this.release();
    return undefined;
  }

  /** A ticket was decoded, or will never be. */
  release(): void {
    this.#outstanding--;
    this.#wake();
  }

  /** Somebody still needs the session, though no ticket. */
  hold(): void {
    this.#holds++;
  }

  letGo(): void {
    this.#holds--;
    this.#wake();
  }

  /** Resolves when no ticket is out and nobody holds the session. */
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
