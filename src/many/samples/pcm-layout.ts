/**
 * Where the samples of a file lie, if each has its place: raw PCM, and WAV, mono at the model's rate. Of such a file any part can be read
 * by itself, and is what decoding the whole of it gives there.
 */
import { type PcmEncoding, sampleBytes } from '../../audio/formats/pcm.js';
import { FORMAT_BYTES, LEAST_FORMAT_BYTES, readWavFormat } from '../../audio/formats/wav-format.js';
import type { InputOptions } from '../../audio/input-options.js';
import type { Content } from '../source/source.js';

/** Samples one behind the other. */
export interface PcmLayout {
  /** The first byte. */
  offset: number;
  encoding: PcmEncoding;
  samples: number;
}

/** Bytes in which the samples of a WAV file must begin. */
const HEAD = 1 << 16;
/** More than this behind the samples may be samples too, or another file. */
const BEHIND = 12;
/** A size that writers into a pipe leave there. */
const UNKNOWN = 0x7ffff000;
/** Samples of these are always finite. */
const WHOLE_NUMBERS = /^[us]\d/;

/** Undefined for everything else: that is decoded from its start. */
export async function pcmLayout(
  content: Content,
  rate: number,
  input: InputOptions,
  signal?: AbortSignal,
): Promise<PcmLayout | undefined> {
  const { size, ranged } = content;
  if (!ranged || size === undefined || size === 0) return undefined;
  const { format = 'auto', sampleRate, channels = 1, start, duration, unmarked, track = 0 } = input;
  if (start !== undefined || duration !== undefined || unmarked !== undefined || track > 0) return undefined;
  if (WHOLE_NUMBERS.test(format)) {
    const encoding = format as PcmEncoding;
    const samples = size / sampleBytes(encoding);
    if (sampleRate !== rate || channels !== 1 || !Number.isInteger(samples)) return undefined;
    return { offset: 0, encoding, samples };
  }
  if (format !== 'auto' && format !== 'wav') return undefined;
  const head = await content.range(0, Math.min(HEAD, size), signal);
  return wavLayout(Buffer.from(head.buffer, head.byteOffset, head.byteLength), size, rate);
}

function wavLayout(head: Buffer, size: number, rate: number): PcmLayout | undefined {
  if (
    head.length < 12 ||
    head.toString('latin1', 0, 4) !== 'RIFF' ||
    head.toString('latin1', 8, 12) !== 'WAVE'
  )
    return undefined;
  let encoding: PcmEncoding | undefined;
  for (let at = 12; at + 8 <= head.length; ) {
    const id = head.toString('latin1', at, at + 4);
    const length = head.readUInt32LE(at + 4);
    const body = at + 8;
    if (id === 'data') {
      if (!encoding || length === 0 || length >= UNKNOWN) return undefined;
      const samples = length / sampleBytes(encoding);
      const behind = size - body - length;
      if (!Number.isInteger(samples) || behind < 0 || behind >= BEHIND) return undefined;
      return { offset: body, encoding, samples };
    }
    if (id === 'fmt ') {
      const bytes = head.subarray(body, body + Math.min(length, FORMAT_BYTES));
      if (bytes.length < LEAST_FORMAT_BYTES) return undefined;
      const format = formatIn(bytes);
      if (format?.sampleRate !== rate || format.channels !== 1 || !WHOLE_NUMBERS.test(format.encoding))
        return undefined;
      encoding = format.encoding;
    }
    at = body + length + (length % 2);
  }
  return undefined;
}

function formatIn(bytes: Buffer) {
  try {
    return readWavFormat(new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength), true);
  } catch {
    // Decoding it as a whole says what is wrong.
    return undefined;
  }
}
