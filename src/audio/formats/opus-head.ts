/** The identification header of Opus in a container (RFC 7845, section 5.1): OpusHead. */
import { broken } from './format.js';

export interface OpusHead {
  channels: 1 | 2;
  /** Samples at 48 kHz to drop at the start. */
  preSkip: number;
  /** Factor for all samples. */
  gain: number;
}

/** True for the beginning of an OpusHead. */
export function isOpusHead(packet: Uint8Array): boolean {
  return Buffer.from(packet.subarray(0, 8)).toString('latin1') === 'OpusHead';
}

/** True for a head of one or two channels in one stream; more channels need a mapping that only ffmpeg has here. */
export function isPlainOpus(packet: Uint8Array): boolean {
  return (
    isOpusHead(packet) && packet.length >= 19 && packet[18] === 0 && (packet[9] === 1 || packet[9] === 2)
  );
}

/** @throws {@link AudioError} for one that breaks the rules. */
export function readOpusHead(packet: Uint8Array): OpusHead {
  const view = new DataView(packet.buffer, packet.byteOffset, packet.length);
  // A higher nibble in the version is an incompatible one.
  if (!isPlainOpus(packet) || (view.getUint8(8) & 0xf0) !== 0) {
    throw broken(
      'Expected an OpusHead of one or two channels but received another. Check that the file is intact.',
    );
  }
  return {
    channels: view.getUint8(9) as 1 | 2,
    preSkip: view.getUint16(10, true),
    gain: 10 ** (view.getInt16(16, true) / (20 * 256)),
  };
}
