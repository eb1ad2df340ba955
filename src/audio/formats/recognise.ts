/**
 * Recognises the format of a sound file by its first bytes, never by its name. It may take a few bytes or, if a container has to be
 * examined, many (see `PROBE_BYTES`). What is not recognised here is left to ffmpeg.
 */
import { probeOgg, probeWebm } from './containers.js';
import { findMpegFrames } from './mpeg-header.js';
import { isOwnWav } from './wav-format.js';

/** The decoder of a file. */
type Kind =
  | 'wav'
  | 'flac'
  | 'mpeg'
  | 'ogg-opus'
  | 'webm-opus'
  /** A container or codec that ffmpeg is known to read. */
  | 'ffmpeg'
  /** Unknown: text, or bytes of any kind. */
  | 'text'
  | 'unknown';

/** The result for the first bytes: the format, how many bytes to skip before asking again, or that more bytes are needed. */
type Recognition = { kind: Kind } | { skip: number } | 'more';

/** After this many bytes of one file the decision is final. */
const PROBE_BYTES = 1 << 20;
/** The longest signature at a fixed place: three packets of a transport stream with time codes. */
const MARK_BYTES = 2 * 192 + 5;
/** How far into a file frames of MPEG audio are looked for: more than a frame, which may be cut at its start. */
const MPEG_SEARCH_BYTES = 4096;
const ID3_BYTES = 10;

/** A recognised file. */
export interface Recognised {
  kind: Kind;
  /** Its first bytes, from where its decoder has to begin. */
  begun: Uint8Array;
}

/**
 * Recognises bytes that come piece by piece. It examines them at fixed lengths, each twice the previous one, so that the result does not
 * depend on the pieces.
 */
export class Recogniser {
  #begun: Uint8Array = new Uint8Array(0);
  #skip = 0;
  #next = FIRST_LOOK;

  /** Bytes of the next input that may be skipped: those of a tag. */
  get skip(): number {
    return this.#skip;
  }

  /** Bytes were skipped. */
  skipped(bytes: number): void {
    this.#skip -= bytes;
  }

  /** The format, as soon as it is known. */
  push(bytes: Uint8Array): Recognised | undefined {
    this.#begun = this.#begun.length === 0 ? bytes.slice() : Buffer.concat([this.#begun, bytes]);
    return this.#look(false);
  }

  /** The input is over; undefined when there was nothing. */
  end(): Recognised | undefined {
    return this.#look(true);
  }

  #look(ended: boolean): Recognised | undefined {
    for (;;) {
      const dropped = Math.min(this.#skip, this.#begun.length);
      this.#begun = this.#begun.subarray(dropped);
      this.#skip -= dropped;
      const whole = this.#begun.length < this.#next;
      if (this.#begun.length === 0 || (whole && !ended)) return undefined;
      const found = recognise(this.#begun.subarray(0, this.#next), whole && ended);
      if (found === 'more') {
        this.#next *= 2;
        continue;
      }
      if ('kind' in found) return { kind: found.kind, begun: this.#begun };
      this.#skip = found.skip;
      this.#next = FIRST_LOOK;
    }
  }
}

/** Bytes that are examined first. */
const FIRST_LOOK = 16;

/**
 * Recognises the file that begins with `begun`.
 *
 * @param ended No more bytes will come.
 */
function recognise(begun: Uint8Array, ended: boolean): Recognition {
  const whole = ended || begun.length >= PROBE_BYTES;
  if (begun.length < ID3_BYTES && !whole) return 'more';
  const text = Buffer.from(begun.subarray(0, 20)).toString('latin1');
  const id3 = id3Size(begun, text);
  if (id3 !== undefined) return { skip: id3 };
  if (begun.length < 20 && !whole) return 'more';
  const fixed = fixedMark(begun, text, whole);
  if (fixed) return fixed;
  if (isText(begun.subarray(0, 12))) return { kind: 'text' };
  if (begun.length < MARK_BYTES && !whole) return 'more';
  if (isTransport(begun, 188, 0) || isTransport(begun, 192, 4)) return { kind: 'ffmpeg' };
  return searched(begun, whole);
}

/** Signatures at the very beginning. */
function fixedMark(begun: Uint8Array, text: string, whole: boolean): Recognition | undefined {
  const begins = (start: string, at = 0) => text.startsWith(start, at);
  if (begins('fLaC')) return { kind: 'flac' };
  if (/^(RIFF|RIFX|RF64|BW64).{4}WAVE/s.test(text)) return probed(isOwnWav(begun), whole, 'wav');
  // Anything that happens to begin with the letters of a signature, and continues with letters.
  if (isText(begun.subarray(0, 12)) && !begins('Creative Voice File\x1a')) return undefined;
  if (begins('OggS')) return probed(probeOgg(begun), whole, 'ogg-opus');
  if (begins('\x1aE\xdf\xa3')) return probed(probeWebm(begun), whole, 'webm-opus');
  const isMarked = ([mark, at = 0, first = '']: (typeof FFMPEG_MARKS)[number]) =>
    begins(mark, at) && begins(first);
  return FFMPEG_MARKS.some(isMarked) ? { kind: 'ffmpeg' } : undefined;
}

function probed(ours: boolean | undefined, whole: boolean, kind: Kind): Recognition {
  if (ours === undefined && !whole) return 'more';
  // A WAV file that ends before its description gets our own error.
  return { kind: ours || (ours === undefined && kind === 'wav') ? kind : 'ffmpeg' };
}

/** Signatures at the beginning; those with a number are at that offset, after another signature. */
const FFMPEG_MARKS: readonly (readonly [string, number?, string?])[] = [
  // MP4, M4A, QuickTime, 3GP, and segments of them
  ...['ftyp', 'styp', 'sidx', 'moov', 'moof', 'mdat', 'wide', 'pnot'].map((box) => [box, 4] as const),
  ['free', 4, '\0'],
  ['skip', 4, '\0'],
  ['ADIF'],
  ['AIF', 8, 'FORM'],
  ['8SVX', 8, 'FORM'],
  ['MAUD', 8, 'FORM'],
  ['AVI ', 8, 'RIFF'],
  ['caff'], // Core Audio
  ['riff\x2e\x91\xcf\x11'], // Wave64
  ['Creative Voice File\x1a'],
  ['#!AMR'],
  ['#!SILK'],
  ['\x02#!SILK'],
  ['.snd'], // Sun's and NeXT's audio
  ['dns.'],
  ['wvpk'], // WavPack
  ['MAC '], // Monkey's Audio
  ['TTA1'],
  ['MPCK'], // Musepack
  ['MP+'],
  ['OFR '],
  ['DSD '],
  ['FRM8'],
  ['FLV'],
  ['.RMF'], // RealMedia
  ['.ra\xfd'],
  ['\x0b\x77'], // AC-3
  ['\x77\x0b'],
  ['\x7f\xfe\x80\x01'], // DTS
  ['\xfe\x7f\x01\x80'],
  ['\x1f\xff\xe8\x00'],
  ['\xff\x1f\x00\xe8'],
  ['DTSHDHDR'],
  ['\x30\x26\xb2\x75\x8e\x66\xcf\x11'], // ASF: WMA, WMV
  ['\0\0\x01\xba'], // MPEG program stream, and its parts
  ['\0\0\x01\xb3'],
  ['\0\0\x01\xc0'],
  ['NIST_1A'], // SPHERE
  ['\x64\xa3\x01\x00'], // IRCAM
];

/** Three packets in a row, or as many as a short file has. */
function isTransport(begun: Uint8Array, size: number, sync: number): boolean {
  if (begun.length <= size + sync) return false;
  return [0, 1, 2].every((i) => (begun[i * size + sync] ?? 0x47) === 0x47);
}

/** Files without a signature at the beginning: frames after padding, or after the rest of a frame. */
function searched(begun: Uint8Array, whole: boolean): Recognition {
  let from = 0;
  while (from < begun.length && begun[from] === 0) from++;
  if (from === begun.length) return whole ? { kind: 'unknown' } : 'more';
  const until = Math.min(begun.length, from + 2 * MPEG_SEARCH_BYTES);
  const window = begun.subarray(0, until);
  const complete = whole || begun.length >= from + 2 * MPEG_SEARCH_BYTES;
  // A tag behind padding.
  if (from > 0 && begun.length >= from + ID3_BYTES && id3Size(begun.subarray(from), 'ID3') !== undefined)
    return { skip: from };
  if (isAdts(window, from)) return { kind: 'ffmpeg' };
  const { found, at } = findMpegFrames(window, from, complete);
  if (found && at <= from + MPEG_SEARCH_BYTES) return { kind: 'mpeg' };
  return complete ? { kind: 'unknown' } : 'more';
}

/** Bytes of an ID3v2 tag, its head and foot included; undefined for none. */
export function id3Size(bytes: Uint8Array, text: string): number | undefined {
  if (!text.startsWith('ID3') || bytes.length < ID3_BYTES) return undefined;
  const [, , , major = 0xff, , flags = 0, ...size] = bytes.subarray(0, ID3_BYTES);
  if (bytes[0] !== 0x49 || bytes[1] !== 0x44 || bytes[2] !== 0x33) return undefined;
  if (major === 0xff || size.some((byte) => byte >= 0x80)) return undefined;
  return ID3_BYTES + size.reduce((sum, byte) => sum * 128 + byte, 0) + (flags & 0x10 ? ID3_BYTES : 0);
}

/** Two frames of AAC in ADTS, or one that is the whole file. */
function isAdts(bytes: Uint8Array, at: number): boolean {
  const head = (place: number) =>
    bytes[place] === 0xff &&
    ((bytes[place + 1] ?? 0) & 0xf6) === 0xf0 &&
    (((bytes[place + 2] ?? 0xff) >> 2) & 15) < 13;
  if (!head(at) || at + 6 > bytes.length) return false;
  const length =
    (((bytes[at + 3] as number) & 3) << 11) |
    ((bytes[at + 4] as number) << 3) |
    ((bytes[at + 5] as number) >> 5);
  return length >= 7 && (at + length + 3 > bytes.length || head(at + length));
}

/** UTF-8 without control characters except line breaks; the last character may be incomplete. */
function isText(bytes: Uint8Array): boolean {
  if (bytes.length === 0 || !bytes.every((byte) => byte >= 0x20 || byte === 9 || byte === 10 || byte === 13))
    return false;
  try {
    new TextDecoder('utf-8', { fatal: true }).decode(bytes, { stream: true });
    return true;
  } catch {
    return false;
  }
}

/** First bytes of common files that are not sound: archives, programs, images. */
const FOREIGN = [
  '\x1f\x8b\x08',
  'PK\x03\x04',
  'BZh',
  '7z\xbc\xaf',
  'Rar!',
  '\xfd7zXZ',
  '\x28\xb5\x2f\xfd',
  '\x7fELF',
  '\x89PNG',
];

/**
 * Whether these are the bytes of another kind of file: they begin like one, or are distributed as evenly as those of a compressed file,
 * which samples of speech or music never are.
 */
export function looksForeign(bytes: Uint8Array): boolean {
  const begun = Buffer.from(bytes.subarray(0, 8)).toString('latin1');
  if (FOREIGN.some((mark) => begun.startsWith(mark))) return true;
  if (bytes.length < NOISE_BYTES) return false;
  const counts = new Uint32Array(256);
  for (const byte of bytes) counts[byte] = (counts[byte] as number) + 1;
  const expected = bytes.length / 256;
  const distance = counts.reduce((sum, count) => sum + (count - expected) ** 2 / expected, 0);
  return distance < NOISE_DISTANCE;
}

/** Bytes that {@link looksForeign} needs. */
export const NOISE_BYTES = 4096;
/** Chi-squared with 255 degrees of freedom: evenly distributed bytes stay below it in all but one of a million cases. */
const NOISE_DISTANCE = 380;

/** A name for an unsupported format. */
export function describe(begun: Uint8Array): string {
  const mark = begun.subarray(0, 12);
  const text = Buffer.from(mark).toString('latin1');
  if (text.startsWith('RIFF')) return `a RIFF file that is no WAV (${JSON.stringify(text.slice(8))})`;
  if (isText(mark))
    return `what looks like text (${JSON.stringify(Buffer.from(mark).toString('utf8').replaceAll('\ufffd', ''))})`;
  return `unknown bytes (${Buffer.from(mark).toString('hex').replace(/../g, '$& ').trim()})`;
}
