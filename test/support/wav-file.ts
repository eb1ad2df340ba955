/**
 * Builds WAV files of every kind for tests, odd and broken ones included. Not a writer for users.
 */

export interface WavSpec {
  format?: 'int' | 'float';
  bits?: number;
  /** Bytes of one sample's container; default: the bits rounded up. */
  container?: number;
  channels?: number;
  sampleRate?: number;
  extensible?: boolean;
  bigEndian?: boolean;
  /** What the header claims for the data's size; default: the truth. */
  dataSize?: number;
  riffSize?: number;
  /** Chunks before `fmt `, between it and `data`, and bytes after the data. */
  before?: [id: string, body: Uint8Array][];
  between?: [id: string, body: Uint8Array][];
  after?: Uint8Array;
}

function chunk(id: string, body: Uint8Array, bigEndian: boolean, size = body.length): Buffer {
  const head = Buffer.alloc(8);
  head.write(id, 'latin1');
  if (bigEndian) head.writeUInt32BE(size, 4);
  else head.writeUInt32LE(size, 4);
  return Buffer.concat([head, body, Buffer.alloc(body.length % 2)]);
}

/** A WAV file; `samples` are per channel, in [-1, 1). */
export function wavFile(samples: ArrayLike<number>[], spec: WavSpec = {}): Buffer {
  const { format = 'int', bits = 16, sampleRate = 16_000, bigEndian = false } = spec;
  const channels = spec.channels ?? samples.length;
  const width = spec.container ?? Math.ceil(bits / 8);
  const frames = samples[0]?.length ?? 0;
  const body = Buffer.alloc(frames * samples.length * width);
  let at = 0;
  for (let frame = 0; frame < frames; frame++) {
    for (const channel of samples) {
      const value = channel[frame] as number;
      if (format === 'float') {
        const view = new DataView(body.buffer, body.byteOffset + at);
        if (width === 4) view.setFloat32(0, value, !bigEndian);
        else view.setFloat64(0, value, !bigEndian);
      } else if (width === 1) body.writeUInt8(Math.round(value * 128) + 128, at);
      else {
        const scaled = Math.round(value * 2 ** (bits - 1)) * 2 ** (width * 8 - bits);
        if (bigEndian) body.writeIntBE(scaled, at, width);
        else body.writeIntLE(scaled, at, width);
      }
      at += width;
    }
  }
  const fmt = Buffer.alloc(spec.extensible ? 40 : 16);
  const u16 = (value: number, offset: number) =>
    bigEndian ? fmt.writeUInt16BE(value, offset) : fmt.writeUInt16LE(value, offset);
  const u32 = (value: number, offset: number) =>
    bigEndian ? fmt.writeUInt32BE(value, offset) : fmt.writeUInt32LE(value, offset);
  const tag = format === 'float' ? 3 : 1;
  u16(spec.extensible ? 0xfffe : tag, 0);
  u16(channels, 2);
  u32(sampleRate, 4);
  u32(sampleRate * channels * width, 8);
  u16(channels * width, 12);
  u16(bits, 14);
  if (spec.extensible) {
    u16(22, 16);
    u16(bits, 18);
    u16(tag, 24);
    fmt.write('000000001000800000aa00389b71', 26, 'hex');
  }
  const chunks = Buffer.concat([
    ...(spec.before ?? []).map(([id, bytes]) => chunk(id, bytes, bigEndian)),
    chunk('fmt ', fmt, bigEndian),
    ...(spec.between ?? []).map(([id, bytes]) => chunk(id, bytes, bigEndian)),
    chunk('data', body, bigEndian, spec.dataSize),
    spec.after ?? Buffer.alloc(0),
  ]);
  const head = Buffer.alloc(12);
  head.write(bigEndian ? 'RIFX' : 'RIFF', 'latin1');
  if (bigEndian) head.writeUInt32BE(spec.riffSize ?? chunks.length + 4, 4);
  else head.writeUInt32LE(spec.riffSize ?? chunks.length + 4, 4);
  head.write('WAVE', 8, 'latin1');
  return Buffer.concat([head, chunks]);
}

/** A sine of `seconds` at `frequency` Hz. */
export function sine(frequency: number, seconds: number, sampleRate: number, amplitude = 0.5): Float32Array {
  const samples = new Float32Array(Math.round(seconds * sampleRate));
  for (let i = 0; i < samples.length; i++)
    samples[i] = amplitude * Math.sin((2 * Math.PI * frequency * i) / sampleRate);
  return samples;
}
