/** A WAV file's description of its samples: the `fmt ` chunk. Finding that chunk and the samples is up to `wav.ts`. */
import { AudioError } from '../../errors.js';
import { broken, checkShape } from './format.js';
import { type PcmEncoding, pcmEncodings } from './pcm.js';

const PCM = 1;
const FLOAT = 3;
/** One byte per sample, logarithmic: telephony. */
const LAWS: Record<number, PcmEncoding> = { 6: 'alaw', 7: 'mulaw' };
const EXTENSIBLE = 0xfffe;
const NAMES: Record<number, string> = { 2: 'Microsoft ADPCM', 17: 'IMA ADPCM', 49: 'GSM', 85: 'MP3' };
/** Most bytes of a `fmt ` chunk that are read. */
export const FORMAT_BYTES = 40;
/** Its shortest length. */
export const LEAST_FORMAT_BYTES = 16;

/** How samples are written. */
export interface WavFormat {
  encoding: PcmEncoding;
  sampleRate: number;
  channels: number;
}

/** The number of the coding; that of the extension, if there is one. */
function codingOf(bytes: DataView, little: boolean): number {
  const tag = bytes.getUint16(0, little);
  return tag === EXTENSIBLE && bytes.byteLength >= 26 ? bytes.getUint16(24, little) : tag;
}

/**
 * Reads the first {@link FORMAT_BYTES} of a `fmt ` chunk.
 *
 * @throws {@link AudioError} for an unsupported coding, and for invalid values.
 */
export function readWavFormat(bytes: DataView, little: boolean): WavFormat {
  const channels = bytes.getUint16(2, little);
  const sampleRate = bytes.getUint32(4, little);
  const blockAlign = bytes.getUint16(12, little);
  const bits = bytes.getUint16(14, little);
  const coding = codingOf(bytes, little);
  const law = LAWS[coding];
  if (coding !== PCM && coding !== FLOAT && !law) {
    throw new AudioError(
      'ERR_PARAKEET_UNSUPPORTED_FORMAT',
      `Expected a WAV file of PCM, float, A-law or µ-law samples but received ${NAMES[coding] ?? 'an unknown coding'} (format ${coding}). ` +
        "With format 'auto' ffmpeg decodes it, where there is one.",
    );
  }
  checkShape('WAV', sampleRate, channels);
  if (law) return { encoding: law, sampleRate, channels };
  // The container of a sample may be wider than its bits (20 in 24, 24 in 32); the sample is at its upper end. Some writers omit the
  // block's size, or give that of one channel: then only the bits count.
  const least = Math.ceil(bits / 8);
  const told = blockAlign / channels;
  const width = Number.isInteger(told) && told >= least ? told : least;
  const letter = coding === FLOAT ? 'f' : width === 1 ? 'u' : 's';
  const encoding = `${letter}${width * 8}${width === 1 ? '' : little ? 'le' : 'be'}`;
  if (bits === 0 || !isEncoding(encoding)) {
    throw broken(
      `Expected a WAV header with samples of 8, 16, 24 or 32 bits, or floats of 32 or 64, but received ${bits} bits in blocks of ` +
        `${blockAlign} bytes for ${channels} channels. Check that the file is intact.`,
    );
  }
  return { encoding, sampleRate, channels };
}

/**
 * Whether a WAV file that begins with `begun` is one that we decode ourselves: undefined when more bytes are needed to know. A file
 * whose description is broken is ours too, and gets our error.
 */
export function isOwnWav(begun: Uint8Array): boolean | undefined {
  const view = new DataView(begun.buffer, begun.byteOffset, begun.length);
  const little = begun[3] !== 0x58; // RIFX
  for (let at = 12; at + 8 <= begun.length; ) {
    const id = Buffer.from(begun.subarray(at, at + 4)).toString('latin1');
    const size = view.getUint32(at + 4, little);
    if (id === 'data' || (id === 'fmt ' && size < LEAST_FORMAT_BYTES)) return true;
    if (id === 'fmt ') {
      const length = Math.min(size, FORMAT_BYTES);
      if (at + 8 + length > begun.length) return undefined;
      const coding = codingOf(new DataView(begun.buffer, begun.byteOffset + at + 8, length), little);
      return coding === PCM || coding === FLOAT || coding in LAWS;
    }
    at += 8 + size + (size % 2);
  }
  return undefined;
}

function isEncoding(name: string): name is PcmEncoding {
  return (pcmEncodings as string[]).includes(name);
}
