/** The sound of a session, kept so that each sentence can be heard again: the last half hour of it. Not what is sent: see sound-buffer.ts. */

/** Seconds that are kept. */
const KEPT = 30 * 60;

export class Recording {
  readonly #rate: number;
  readonly #chunks: Int16Array[] = [];
  #first = 0;
  #length = 0;
  #context: AudioContext | undefined;
  #playing: AudioBufferSourceNode | undefined;

  constructor(rate: number) {
    this.#rate = rate;
  }

  add(samples: Int16Array): void {
    this.#chunks.push(samples);
    this.#length += samples.length;
    while (this.#length > KEPT * this.#rate) {
      const oldest = this.#chunks.shift()?.length ?? 0;
      this.#length -= oldest;
      this.#first += oldest;
    }
  }

  /** Whether the sound at this second is still there. */
  has(seconds: number): boolean {
    return seconds * this.#rate >= this.#first && this.#length > 0;
  }

  /** The samples between two seconds, as far as they are kept. */
  slice(start: number, end: number): Float32Array<ArrayBuffer> {
    const from = Math.max(0, Math.round(start * this.#rate) - this.#first);
    const to = Math.min(this.#length, Math.round(end * this.#rate) - this.#first);
    const samples = new Float32Array(Math.max(0, to - from));
    let at = 0;
    for (const chunk of this.#chunks) {
      const begin = Math.max(0, from - at);
      const stop = Math.min(chunk.length, to - at);
      for (let i = begin; i < stop; i++) samples[at + i - from] = (chunk[i] as number) / 32_768;
      at += chunk.length;
      if (at >= to) break;
    }
    return samples;
  }

  /** Plays from one second to another; `onEnd` is called when it is over or another part plays. */
  play(start: number, end: number, onEnd: () => void): void {
    this.stop();
    const samples = this.slice(start, end);
    if (samples.length === 0) {
      onEnd();
      return;
    }
    this.#context ??= new AudioContext();
    const buffer = this.#context.createBuffer(1, samples.length, this.#rate);
    buffer.copyToChannel(samples, 0);
    const node = this.#context.createBufferSource();
    node.buffer = buffer;
    node.connect(this.#context.destination);
    node.onended = () => {
      if (this.#playing === node) this.#playing = undefined;
      onEnd();
    };
    node.start();
    this.#playing = node;
  }

  stop(): void {
    this.#playing?.stop();
    this.#playing = undefined;
  }
}
