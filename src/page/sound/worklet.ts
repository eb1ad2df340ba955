/**
 * Runs on the browser's audio thread: mixes what it hears to one channel of 16 bits, and posts it with its level, 20 times a second. A module
 * of its own, which the page loads by its address.
 */

declare const sampleRate: number;
declare function registerProcessor(name: string, processor: new () => AudioWorkletProcessor): void;
declare class AudioWorkletProcessor {
  readonly port: MessagePort;
}

/** What the worklet posts. */
export interface SoundMessage {
  samples: Int16Array;
  /** The loudest sample, 0 to 1. */
  peak: number;
}

const PER_SECOND = 20;

class Capture extends AudioWorkletProcessor {
  readonly #size = Math.round(sampleRate / PER_SECOND);
  #samples = new Int16Array(this.#size);
  #filled = 0;
  #peak = 0;

  /** The browser's, with 128 samples a channel. No channel: nothing is connected, or it is silent. */
  process([input = []]: Float32Array[][]): boolean {
    const length = input[0]?.length ?? 128;
    for (let i = 0; i < length; i++) {
      let sum = 0;
      for (const channel of input) sum += channel[i] as number;
      this.#add(input.length > 1 ? sum / input.length : sum);
    }
    return true;
  }

  #add(sample: number): void {
    const limited = Math.max(-1, Math.min(1, sample));
    this.#peak = Math.max(this.#peak, Math.abs(limited));
    this.#samples[this.#filled++] = Math.round(limited * 32_767);
    if (this.#filled < this.#size) return;
    const message: SoundMessage = { samples: this.#samples, peak: this.#peak };
    this.port.postMessage(message, [this.#samples.buffer]);
    this.#samples = new Int16Array(this.#size);
    this.#filled = 0;
    this.#peak = 0;
  }
}

registerProcessor('capture', Capture);
