/**
 * One chunk of audio as the bytes of a WAV file: planar floats to interleaved samples. Knows no header.
 */
import { mustBeFinite } from '../audio/samples.js';
import type { AudioChunk } from '../events.js';

/** How {@link wavBytes} writes one sample. */
export type WavEncoding = 's16le' | 'f32le';

/** What the header of a file says of an encoding: its number there, and bits per sample. */
export const wavFormats: Record<WavEncoding, { format: number; bitDepth: number }> = {
  s16le: { format: 1, bitDepth: 16 },
  f32le: { format: 3, bitDepth: 32 },
};

/**
 * Samples as integers are rounded and clamped; as floats they stay what they are. Node runs on little-endian machines.
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
