/** Which walk fits the first bytes of a file. */
import { walkAiff, walkCaf, walkIsoMedia, walkRiff, walkWave64 } from './boxes.js';
import { walkAsf, walkMatroska, walkOgg, walkTransport, walkWavPack } from './packets.js';
import type { Walker } from './walk.js';

/** Bytes that {@link walkerFor} looks at. */
export const WALKER_BYTES = 12;

/** The walk for a file that begins with these bytes; undefined for one whose structure says nothing about its length. */
export function walkerFor(begun: Uint8Array): Walker | undefined {
  const text = Buffer.from(begun.subarray(0, WALKER_BYTES)).toString('latin1');
  if (/^.{4}(ftyp|styp|moov|mdat|wide|free|skip|pnot)/s.test(text)) return walkIsoMedia;
  if (/^FORM.{4}AIF/s.test(text)) return walkAiff;
  if (text.startsWith('RIFF')) return walkRiff;
  if (text.startsWith('caff')) return walkCaf;
  if (text.startsWith('riff\x2e\x91\xcf\x11')) return walkWave64;
  if (text.startsWith('wvpk')) return walkWavPack;
  if (text.startsWith('OggS')) return walkOgg;
  if (text.startsWith('\x1aE\xdf\xa3')) return walkMatroska;
  if (text.startsWith('\x30\x26\xb2\x75\x8e\x66\xcf\x11')) return walkAsf;
  if (text.startsWith('G')) return walkTransport(188, 0);
  return text[4] === 'G' ? walkTransport(192, 4) : undefined;
}

/**
 * Whether these are the first bytes of an MPEG stream, whose times ffmpeg counts from the first packet of the streams that it is told to
 * read; the sound may begin after the pictures.
 */
export function isMpegStream(begun: Uint8Array): boolean {
  return begun[0] === 0x47 || begun[4] === 0x47 || (begun[0] === 0 && begun[1] === 0 && begun[2] === 1);
}
