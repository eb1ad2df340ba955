/** What an encoder records about a whole MP3 in its first frame, which contains no sound: Xing's and LAME's, and VBRI. */
import type { MpegHeader } from './mpeg-header.js';

/** A frame that describes the others. */
export interface MpegInfo {
  /** Frames of sound that follow. */
  frames?: number;
  /** Samples per channel that the encoder added before and after the sound; undefined if not recorded. */
  delay?: number;
  padding?: number;
}

/** Delay of every layer III decoder, in samples. */
export const DECODER_DELAY = 529;
const FRAMES = 1;
const BYTES = 2;
const CONTENTS = 4;
const QUALITY = 8;

/** Reads the information frame; undefined for a frame of sound. */
export function readMpegInfo(frame: Uint8Array, header: MpegHeader): MpegInfo | undefined {
  if (header.layer !== 3) return undefined;
  const view = new DataView(frame.buffer, frame.byteOffset, frame.length);
  const text = (at: number, length: number) =>
    Buffer.from(frame.subarray(at, at + length)).toString('latin1');
  if (text(36, 4) === 'VBRI' && frame.length >= 54) return { frames: view.getUint32(50) };
  // Behind what describes a frame's own bits.
  let at = 4 + (header.version === 1 ? (header.mono ? 17 : 32) : header.mono ? 9 : 17);
  if (!['Xing', 'Info'].includes(text(at, 4)) || at + 8 > frame.length) return undefined;
  const flags = view.getUint32(at + 4);
  at += 8;
  const info: MpegInfo = {};
  if (flags & FRAMES && at + 4 <= frame.length) info.frames = view.getUint32(at);
  at +=
    (flags & FRAMES ? 4 : 0) +
    (flags & BYTES ? 4 : 0) +
    (flags & CONTENTS ? 100 : 0) +
    (flags & QUALITY ? 4 : 0);
  // LAME's part, which other encoders write too: its name comes first.
  if (at + 24 <= frame.length && /^[\x20-\x7e]{4}/.test(text(at, 4))) {
    const [a = 0, b = 0, c = 0] = frame.subarray(at + 21, at + 24);
    info.delay = (a << 4) | (b >> 4);
    info.padding = ((b & 15) << 8) | c;
  }
  return info;
}
