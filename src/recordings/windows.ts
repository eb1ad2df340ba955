/**
 * Windows of a recording: cut from samples as they arrive, each transcribed with full context, joined to one list of tokens. Holds one
 * window at a time. It knows nothing of files or events.
 */
import type { NativeDecoding, NativeTokens } from '../engine/addon.js';
import type { LoadedModel } from '../model/loaded-model.js';
import type { WindowPlan } from './window-plan.js';
import { type HeardWindow, hearWindow, JoinedWindows } from './window-tokens.js';

/** A window that is being transcribed. */
interface Hearing {
  /** Its first sample, and the first one after it. */
  from: number;
  to: number;
  answer: Promise<HeardWindow>;
}

/** Cuts samples into windows, transcribes each when it is full, and merges the results. */
export class Windows {
  readonly #joined: JoinedWindows;
  #samples = 0;
  #heard = 0;
  #computeSeconds = 0;
  /** In their order. */
  readonly #hearing: Hearing[] = [];
  /** Its first `#held` samples wait. Grows to a window; or is what was pushed last, which is only read. */
  #buffer: Float32Array = new Float32Array(0);
  #isOurs = true;
  #held = 0;
  /** Sample at which the held audio begins. */
  #start = 0;

  constructor(
    private readonly model: LoadedModel,
    private readonly plan: WindowPlan,
    /** How tokens are chosen; new phrases take effect with the next window. */
    public decoding: NativeDecoding,
    private readonly signal: AbortSignal | undefined,
  ) {
    this.#joined = new JoinedWindows(model.info.hop * model.info.subsamplingFactor, plan.overlap);
  }

  /** Samples transcribed and waiting. */
  get samples(): number {
    return this.#samples;
  }

  /** Windows transcribed, and their cost. */
  get heard(): { windows: number; computeSeconds: number } {
    return { windows: this.#heard, computeSeconds: this.#computeSeconds };
  }

  /** Frames that no later window changes. */
  get settledFrames(): number {
    return this.#joined.settledFrames;
  }

  /** The tokens that no later window can change, and that were not taken yet. */
  take(): NativeTokens {
    return this.#joined.take();
  }

  async push(samples: Float32Array): Promise<void> {
    const { window, overlap } = this.plan;
    this.#samples += samples.length;
    for (let at = 0; at < samples.length; ) {
      // A window that ends with the recording is the last one: it waits for one more sample, and gets the flush.
      if (this.#held === window) {
        this.#hear(this.#buffer.subarray(0, window), false);
        this.#drop(window - overlap);
        while (this.#hearing.length >= this.plan.atOnce) await this.#keepOldest();
      }
      const piece = samples.subarray(at, at + window - this.#held);
      at += piece.length;
      this.#add(piece);
    }
  }

  /** The recording has ended, or begins again: transcribes what is held as the last window. */
  async finish(): Promise<void> {
    if (this.#held > 0) this.#hear(this.#buffer.subarray(0, this.#held), true);
    this.#drop(this.#held);
    while (this.#hearing.length > 0) await this.#keepOldest();
    this.settle();
  }

  /** No window follows. */
  settle(): void {
    this.#joined.settle(this.#start);
  }

  #hear(samples: Float32Array, last: boolean): void {
    const { plan, decoding, signal } = this;
    const answer = hearWindow(this.model, samples, { plan, decoding, last, signal });
    // A window that fails is reported when its turn comes.
    answer.catch(() => {});
    this.#hearing.push({ from: this.#start, to: this.#start + samples.length, answer });
  }

  /** Waits for the window that began first. */
  async #keepOldest(): Promise<void> {
    const { from, to, answer } = this.#hearing[0] as Hearing;
    const { tokens, computeSeconds } = await answer;
    this.#hearing.shift();
    this.#heard++;
    this.#computeSeconds += computeSeconds;
    this.#joined.push(tokens, { from, to });
  }

  #add(piece: Float32Array): void {
    const count = this.#held + piece.length;
    if (this.#held === 0 && piece.length > this.#buffer.length) {
      // Perhaps all that is coming: it is copied when more comes.
      this.#buffer = piece;
      this.#isOurs = false;
    } else {
      if (!this.#isOurs || count > this.#buffer.length)
        this.#own(Math.min(this.plan.window, Math.max(count, 2 * this.#buffer.length)), 0);
      this.#buffer.set(piece, this.#held);
    }
    this.#held = count;
  }

  /** Forgets the first `count` samples. */
  #drop(count: number): void {
    if (this.#isOurs) this.#buffer.copyWithin(0, count, this.#held);
    else this.#own(this.#held - count, count);
    this.#held -= count;
    this.#start += count;
  }

  /** Room for `size` samples, and in it those that are held, from `first` on. */
  #own(size: number, first: number): void {
    const buffer = new Float32Array(size);
    buffer.set(this.#buffer.subarray(first, this.#held));
    this.#buffer = buffer;
    this.#isOurs = true;
  }
}
