/** The samples of a recording at a model's rate, any part of them: from their places in a file, or from a file of all of them. */
import { open } from 'node:fs/promises';
import { PcmDecoder, sampleBytes } from '../../audio/formats/pcm.js';
import { joined } from '../../audio/samples.js';
import type { Content } from '../source/source.js';
import type { PcmLayout } from './pcm-layout.js';

/** A recording's samples: mono, at the model's rate. */
export interface Samples {
  /** How many there are. */
  readonly length: number;
  /** Those from `from` up to `to`, in memory of their own. */
  read(from: number, to: number, signal?: AbortSignal): Promise<Float32Array>;
  /** Removes what was stored for it. */
  close(): Promise<void>;
}

/** Samples that are read where they lie. */
export function rangedSamples(content: Content, layout: PcmLayout, rate: number): Samples {
  const { offset, encoding, samples } = layout;
  const bytes = sampleBytes(encoding);
  return {
    length: samples,
    read: async (from, to, signal) => {
      const part = await content.range(offset + from * bytes, offset + to * bytes, signal);
      const decoder = new PcmDecoder(encoding, rate, 1);
      const pieces: Float32Array[] = [];
      for await (const { channels } of decoder.push(part)) pieces.push(channels[0] as Float32Array);
      for await (const { channels } of decoder.end()) pieces.push(channels[0] as Float32Array);
      return joined(pieces);
    },
    close: async () => {},
  };
}

const BYTES = Float32Array.BYTES_PER_ELEMENT;

/** Samples in a file of 32-bit floats, which `remove` removes. */
export async function storedSamples(file: string, remove: () => Promise<void>): Promise<Samples> {
  const handle = await open(file);
  const { size } = await handle.stat();
  return {
    length: size / BYTES,
    read: async (from, to) => {
      const samples = new Float32Array(to - from);
      const view = new Uint8Array(samples.buffer);
      for (let at = 0; at < view.length; ) {
        const { bytesRead } = await handle.read(view, at, view.length - at, from * BYTES + at);
        if (bytesRead === 0) throw new RangeError(`No samples from ${from} to ${to} in ${file}`);
        at += bytesRead;
      }
      return samples;
    },
    close: async () => {
      await handle.close();
      await remove();
    },
  };
}
