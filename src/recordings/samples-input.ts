/**
 * The first stage for samples that are in memory already, in place of decode and resample: it passes them on as they are, without a copy.
 */
import type { AudioChunk } from '../events.js';
import type { FlushMark } from '../transforms/flush-mark.js';
import { Stage } from '../transforms/stage.js';

const BYTES = Float32Array.BYTES_PER_ELEMENT;

/** The stage: bytes of whole, finite, aligned mono float32 samples in the machine's byte order, at `rate`; chunks as long as its input's. */
export class SamplesInput extends Stage<Uint8Array, AudioChunk> {
  #samples = 0;

  constructor(private readonly rate: number) {
    super({ writableObjectMode: false });
  }

  /** Seconds of audio emitted so far. */
  get seconds(): number {
    return this.#samples / this.rate;
  }

  /** Known to whoever has the samples, not here. */
  readonly duration: number | undefined = undefined;

  /** Holds nothing back. @internal */
  async flush(mark: FlushMark): Promise<void> {
    this.mark(mark);
  }

  protected override async process({ buffer, byteOffset, byteLength }: Uint8Array): Promise<void> {
    if (byteLength === 0) return;
    const samples = new Float32Array(buffer, byteOffset, byteLength / BYTES);
    this.#samples += samples.length;
    await this.emitOne({ channels: [samples], sampleRate: this.rate });
  }
}
