/**
 * One chunk of audio as the bytes of a WAV file: planar floats to interleaved samples. It knows nothing of headers.
 */
import { mustBeFinite } from '../audio/samples.js';
import type { AudioChunk } from '../events.js';

/** How {@link wavBytes} writes one sample. */
export type WavEncoding = 's16le' | 'f32le';

/** An encoding in the header of a file: its number there, and bits per sample. */
export const wavFormats: Record<WavEncoding, { format: number; bitDepth: number }> = {
  s16le: { format: 1, bitDepth: 16 },
  f32le: { format: 3, bitDepth: 32 },
};

/**
 * Integer samples are rounded and clamped; floats are kept. Node runs on little-endian machines.
 *
 * @throws {@link AudioError} `ERR_PARAKEET_INVALID_AUDIO` for NaN and infinite samples.
 */
export function wavBytes({ channels, sampleRate }: AudioChunk, encoding: WavEncoding): Buffer {
  const length = channels.length * (channels[0]?.length ?? 0);
  const isInteger = encoding === 's16le';
  const samples = isInteger ? new Int16Array(length) : new Float32Array(length);
  for (const [channel, plane] of channels.entries()) {
    mustBeFinite(plane, sampleRate);
    for (let i = 0, at = channel; i < plane.length; i++, at += channels.length) {
      const value = plane[i] as number;
      samples[at] = isInteger ? Math.min(0x7fff, Math.max(-0x8000, Math.round(value * 0x8000))) : value;
    }
  }
  return Buffer.from(samples.buffer);
}
