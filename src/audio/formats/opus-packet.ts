/**
 * The framing of one Opus packet (RFC 6716, section 3): which frames it holds and how long they are. It decodes nothing.
 */
import { broken } from './format.js';

/** Opus is decoded at this rate, whatever rate it was recorded at. */
export const OPUS_RATE = 48_000;
/** The longest packet, 120 ms, in samples per channel. */
export const MAX_PACKET_SAMPLES = 5760;
/** The longest frame that the format can express. */
const MAX_FRAME_BYTES = 1275;

/** What a packet holds. */
export interface OpusPacket {
  /** First byte of a packet with one of the frames: mode, frame length and stereo flag, code 0. */
  toc: number;
  /** Samples per channel of each frame, at 48 kHz. */
  frameSamples: number;
  /** The frames' bytes, in order. One of 0 or 1 bytes says that nothing was sent (DTX). */
  frames: Uint8Array[];
}

/** Samples per channel, at 48 kHz, of a frame whose packet begins with `toc`. */
export function frameSamplesOf(toc: number): number {
  const config = toc >> 3;
  if (config >= 16) return 120 << (config & 3);
  if (config >= 12) return 480 << (config & 1);
  return [480, 960, 1920, 2880][config & 3] as number;
}

/**
 * Takes a packet apart.
 *
 * @throws {@link AudioError} `ERR_PARAKEET_INVALID_AUDIO` when it breaks the format's rules.
 */
export function parseOpusPacket(packet: Uint8Array): OpusPacket {
  const toc = packet[0];
  if (toc === undefined) throw malformed('it is empty');
  const frameSamples = frameSamplesOf(toc);
  const frames = framesOf(packet, toc & 3, frameSamples);
  return { toc: toc & 0xfc, frameSamples, frames };
}

function framesOf(packet: Uint8Array, code: number, frameSamples: number): Uint8Array[] {
  if (code === 0) return slices(packet, 1, [packet.length - 1]);
  if (code === 1) {
    if (packet.length % 2 === 0) throw malformed('two frames of one size share an odd number of bytes');
    return slices(packet, 1, new Array<number>(2).fill((packet.length - 1) / 2));
  }
  const cursor = { at: 1, end: packet.length };
  if (code === 2) {
    const first = frameLength(packet, cursor);
    return slices(packet, cursor.at, [first, cursor.end - cursor.at - first]);
  }
  const head = byteAt(packet, cursor);
  const count = head & 0x3f;
  if (count === 0) throw malformed('it says that it holds no frame');
  if (count * frameSamples > MAX_PACKET_SAMPLES) throw malformed(`${count} frames of it exceed 120 ms`);
  if (head & 0x40) skipPadding(packet, cursor);
  if ((head & 0x80) === 0) {
    const size = (cursor.end - cursor.at) / count;
    if (!Number.isInteger(size)) throw malformed(`${count} frames of one size do not fill it`);
    return slices(packet, cursor.at, new Array<number>(count).fill(size));
  }
  const sizes: number[] = [];
  let known = 0;
  for (let i = 1; i < count; i++) {
    const size = frameLength(packet, cursor);
    sizes.push(size);
    known += size;
  }
  sizes.push(cursor.end - cursor.at - known);
  return slices(packet, cursor.at, sizes);
}

/** Padding is at the end of the packet; its length, at the front, is a run of bytes of which 255 means 254 and more. */
function skipPadding(packet: Uint8Array, cursor: { at: number; end: number }): void {
  for (let more = true; more; ) {
    const byte = byteAt(packet, cursor);
    more = byte === 255;
    cursor.end -= more ? 254 : byte;
  }
  if (cursor.end < cursor.at) throw malformed('its padding is longer than it is');
}

function frameLength(packet: Uint8Array, cursor: { at: number; end: number }): number {
  const first = byteAt(packet, cursor);
  return first < 252 ? first : first + 4 * byteAt(packet, cursor);
}

function byteAt(packet: Uint8Array, cursor: { at: number; end: number }): number {
  if (cursor.at >= cursor.end) throw malformed('it ends within its head');
  return packet[cursor.at++] as number;
}

function slices(packet: Uint8Array, start: number, sizes: number[]): Uint8Array[] {
  let at = start;
  return sizes.map((size) => {
    if (size < 0) throw malformed('its frames are longer than it is');
    if (size > MAX_FRAME_BYTES)
      throw malformed(`a frame of it has ${size} bytes, more than ${MAX_FRAME_BYTES}`);
    const frame = packet.subarray(at, at + size);
    at += size;
    return frame;
  });
}

function malformed(why: string) {
  return broken(`Expected a well-formed Opus packet but ${why}. Check that the input is intact.`);
}
