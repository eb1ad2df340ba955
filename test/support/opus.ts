/** Makes real Opus packets for tests, with opusscript's encoder. */
import { createRequire } from 'node:module';

interface Encoder {
  encode(pcm: Buffer, frameSamples: number): Buffer;
  encoderCTL(request: number, value: number): void;
  delete(): void;
}
const OpusScript = createRequire(import.meta.url)('opusscript') as new (
  rate: number,
  channels: number,
  application: number,
) => Encoder;

/** Samples that libopus' encoder looks ahead at 48 kHz: what comes out is that much late. */
export const OPUS_DELAY = 312;

/** `channels` at 48 kHz as packets of `frameSamples` each; what does not fill the last one is dropped. */
export function encodeOpus(channels: Float32Array[], frameSamples = 960): Uint8Array[] {
  const encoder = new OpusScript(48_000, channels.length, 2049);
  const packets: Uint8Array[] = [];
  const pcm = Buffer.alloc(frameSamples * channels.length * 2);
  const length = channels[0]?.length ?? 0;
  for (let start = 0; start + frameSamples <= length; start += frameSamples) {
    for (let i = 0; i < frameSamples; i++) {
      for (const [channel, samples] of channels.entries()) {
        const value = Math.round((samples[start + i] as number) * 32767);
        pcm.writeInt16LE(value, 2 * (i * channels.length + channel));
      }
    }
    packets.push(encoder.encode(pcm, frameSamples));
  }
  encoder.delete();
  return packets;
}

/** How alike two signals are: 1 for equal up to a positive factor, 0 for unrelated ones. */
export function likeness(a: ArrayLike<number>, b: ArrayLike<number>): number {
  let ab = 0;
  let aa = 0;
  let bb = 0;
  for (let i = 0; i < Math.min(a.length, b.length); i++) {
    ab += (a[i] as number) * (b[i] as number);
    aa += (a[i] as number) ** 2;
    bb += (b[i] as number) ** 2;
  }
  return ab / Math.sqrt(aa * bb || 1);
}
