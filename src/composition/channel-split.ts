/** Where the channels of an input part: each goes to a line of its own. All get the same audio at the same time, so none is buffered for another. */
import { AudioError } from '../errors.js';
import type { AudioChunk } from '../events.js';
import type { FlushMark } from '../transforms/flush-mark.js';
import { Stage } from '../transforms/stage.js';

/** Where one channel goes. */
export interface ChannelTarget {
  /** Resolves when there is room for more. */
  write(chunk: AudioChunk): Promise<void>;
  /** Resolves when everything that was written is final and has been read. */
  flush(): Promise<void>;
  end(): void;
}

/** Audio of several channels in; nothing comes out but marks, each when it has passed all channels. */
export class ChannelSplit extends Stage<AudioChunk, FlushMark> {
  readonly #open: (count: number) => ChannelTarget[];
  #targets: ChannelTarget[] | undefined;
  #seconds = 0;
  /** Nothing is passed on any more. */
  #over = false;

  /** @param open Called with the number of channels, when the first audio is here. */
  constructor(open: (count: number) => ChannelTarget[]) {
    super();
    this.#open = open;
  }

  /** Ends all channels, and discards what comes: one of them has failed. */
  stop(): void {
    this.#over = true;
    this.#end();
  }

  protected override async process({ channels, sampleRate }: AudioChunk): Promise<void> {
    const [first] = channels;
    if (!first || first.length === 0 || this.#over) return;
    try {
      this.#targets ??= this.#open(channels.length);
      this.#mustBe(channels.length);
    } catch (error) {
      if (!(error instanceof AudioError)) throw error;
      // An error of the input: what came before it is made final first.
      this.failLate(error);
      this.#end();
      return;
    }
    // One has failed while it was opened.
    if (this.#over) return this.#end();
    this.#seconds += first.length / sampleRate;
    const write = (target: ChannelTarget, index: number) =>
      target.write({ channels: [channels[index] as Float32Array], sampleRate });
    await Promise.all(this.#targets.map(write));
  }

  protected override async flushHeld(): Promise<void> {
    if (!this.#over) await Promise.all((this.#targets ?? []).map((target) => target.flush()));
  }

  protected override async finish(): Promise<void> {
    this.#end();
  }

  #end(): void {
    for (const target of this.#targets ?? []) target.end();
  }

  #mustBe(count: number): void {
    const before = this.#targets?.length;
    if (before === count) return;
    throw new AudioError(
      'ERR_PARAKEET_INVALID_AUDIO',
      `Expected ${before} channels throughout for speakers: 'channels' but received ${count} at ${this.#seconds.toFixed(2)} s`,
    );
  }
}
