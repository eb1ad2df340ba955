/**
 * The Opus packets of one track in a container to audio: trims the start (pre-skip) and, where the container says so, the end; applies
 * the output gain. The container's framing is ogg.ts's and webm.ts's matter.
 */
import type { AudioChunk } from '../../events.js';
import { cut } from './format.js';
import { OpusDecoder } from './opus-decoder.js';
import type { OpusHead } from './opus-head.js';
import { OPUS_RATE } from './opus-packet.js';

export class OpusTrack {
  readonly #decoder: OpusDecoder;
  #skip: number;
  /** Samples per channel decoded so far, those of the pre-skip included. */
  decoded = 0;

  constructor(private readonly head: OpusHead) {
    this.#decoder = new OpusDecoder(head.channels);
    this.#skip = head.preSkip;
  }

  /** The samples of packets, without the last `trim` of them. */
  *decode(
    packets: readonly Uint8Array[],
    trim: (decoded: number) => number = () => 0,
  ): Generator<AudioChunk> {
    const parts: Float32Array[][] = [];
    let length = 0;
    let failure: unknown;
    for (const packet of packets) {
      try {
        const part = this.#decoder.decode(packet);
        parts.push(part);
        length += part[0]?.length ?? 0;
      } catch (error) {
        // What came before it is sound.
        failure = error;
        break;
      }
    }
    this.decoded += length;
    const end = length - Math.min(length, Math.max(0, failure ? 0 : trim(this.decoded)));
    const begin = Math.min(this.#skip, end);
    this.#skip -= Math.min(this.#skip, length);
    const joined = Array.from({ length: this.head.channels }, (_, channel) => {
      const all = new Float32Array(length);
      let at = 0;
      for (const part of parts) {
        all.set(part[channel] as Float32Array, at);
        at += (part[channel] as Float32Array).length;
      }
      const kept = all.subarray(begin, end);
      return this.head.gain === 1 ? kept : kept.map((value) => value * this.head.gain);
    });
    yield* cut(joined, OPUS_RATE);
    if (failure) throw failure;
  }

  close(): void {
    this.#decoder.close();
  }
}
