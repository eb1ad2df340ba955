/**
 * The first bytes of files that ffmpeg is to decode. By content, never by name; what is not recognised here is refused, rather than
 * handed to a program that would try a hundred parsers on it.
 */

/** True for the first 12 bytes of a container or stream that goes through ffmpeg. */
export function isForFfmpeg(mark: Uint8Array): boolean {
  const text = Buffer.from(mark).toString('latin1');
  const begins = (start: string, at = 0) => text.startsWith(start, at);
  if (mark.every((byte) => byte >= 0x20 && byte < 0x7f)) return false; // text that happens to begin so
  return (
    begins('OggS') ||
    begins('\x1aE\xdf\xa3') || // Matroska, WebM
    begins('ftyp', 4) || // MP4, M4A, QuickTime
    begins('moov', 4) ||
    begins('mdat', 4) ||
    begins('wide', 4) ||
    begins('ID3') || // MP3, or AAC with a tag
    isMpegFrame(mark) ||
    begins('ADIF') ||
    (begins('FORM') && begins('AIF', 8)) || // AIFF
    begins('caff') ||
    begins('#!AMR') ||
    begins('.snd') || // Sun's and NeXT's audio
    begins('wvpk') || // WavPack
    begins('MAC ') || // Monkey's Audio
    begins('TTA1') ||
    begins('FLV') ||
    begins('\x0b\x77') || // AC-3
    begins('\x30\x26\xb2\x75\x8e\x66\xcf\x11') || // ASF: WMA, WMV
    begins('\x00\x00\x01\xba') || // MPEG program stream
    (begins('RIFF') && begins('AVI ', 8)) ||
    begins('G@\x00') || // MPEG transport stream: its table of programs comes first, …
    begins('G@\x11') // … or its description
  );
}

/** The sync word of an MPEG audio frame or of ADTS, with fields that can be right. */
function isMpegFrame(mark: Uint8Array): boolean {
  const [first = 0, second = 0, third = 0] = mark;
  if (first !== 0xff || (second & 0xe0) !== 0xe0) return false;
  const version = (second >> 3) & 3;
  const layer = (second >> 1) & 3;
  if (layer === 0) return (second & 0xf0) === 0xf0 && ((third >> 2) & 15) < 13; // ADTS: layer 0, a rate from its table
  // Layer I and free bit rates are hardly met in files, but often where raw PCM begins with -1: ff ff.
  return layer !== 3 && version !== 1 && third >> 4 !== 0 && third >> 4 !== 15 && ((third >> 2) & 3) !== 3;
}
