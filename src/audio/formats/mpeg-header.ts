/** The head of an MPEG audio frame (layers I to III), and where in bytes such frames lie. It decodes nothing. */

export const MPEG_HEADER_BYTES = 4;

/** What a frame's head says. */
export interface MpegHeader {
  /** 1, 2, or 2.5. */
  version: number;
  /** 1 to 3. */
  layer: number;
  sampleRate: number;
  /** Bits per second. */
  bitRate: number;
  /** Bytes of the frame, its head included. */
  length: number;
  /** Samples per channel. */
  samples: number;
  mono: boolean;
}

const RATES = [44_100, 48_000, 32_000];
/** kbit/s by version 1's layers, and version 2's layer I and others. */
const KILOBITS = {
  v1l1: [32, 64, 96, 128, 160, 192, 224, 256, 288, 320, 352, 384, 416, 448],
  v1l2: [32, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320, 384],
  v1l3: [32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320],
  v2l1: [32, 48, 56, 64, 80, 96, 112, 128, 144, 160, 176, 192, 224, 256],
  v2l2: [8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160],
};

/** The header at `at`; undefined when there is none. Free bit rates, which are very rare, are not recognised. */
export function mpegHeader(bytes: Uint8Array, at = 0): MpegHeader | undefined {
  const [first = 0, second = 0, third = 0, fourth = 0] = bytes.subarray(at, at + MPEG_HEADER_BYTES);
  if (first !== 0xff || (second & 0xe0) !== 0xe0 || bytes.length - at < MPEG_HEADER_BYTES) return undefined;
  const versionBits = (second >> 3) & 3;
  const layer = 4 - ((second >> 1) & 3);
  const rateIndex = (third >> 2) & 3;
  const bitIndex = third >> 4;
  if (versionBits === 1 || layer === 4 || rateIndex === 3 || bitIndex === 0 || bitIndex === 15)
    return undefined;
  // The emphasis that is reserved.
  if ((fourth & 3) === 2) return undefined;
  const version = versionBits === 3 ? 1 : versionBits === 2 ? 2 : 2.5;
  const sampleRate = (RATES[rateIndex] as number) / (version === 1 ? 1 : version === 2 ? 2 : 4);
  const table =
    version === 1
      ? layer === 1
        ? KILOBITS.v1l1
        : layer === 2
          ? KILOBITS.v1l2
          : KILOBITS.v1l3
      : layer === 1
        ? KILOBITS.v2l1
        : KILOBITS.v2l2;
  const bitRate = 1000 * (table[bitIndex - 1] as number);
  const samples = layer === 1 ? 384 : layer === 3 && version !== 1 ? 576 : 1152;
  const padding = (third >> 1) & 1;
  const length =
    layer === 1
      ? (Math.floor((12 * bitRate) / sampleRate) + padding) * 4
      : Math.floor((samples * bitRate) / 8 / sampleRate) + padding;
  return { version, layer, sampleRate, bitRate, length, samples, mono: fourth >> 6 === 3 };
}

/** Whether two frames can be of one stream. */
export function sameStream(a: MpegHeader, b: MpegHeader): boolean {
  return a.version === b.version && a.layer === b.layer && a.sampleRate === b.sampleRate;
}

/** Consecutive heads that tell frames from bytes that happen to look like one. */
const CONSECUTIVE = 3;

/** The result of a search: where a row begins, or else from where to search on when there are more bytes. */
export interface MpegSearch {
  found: boolean;
  at: number;
}

/**
 * Looks for the first row of frames at or after `from`.
 *
 * @param ended No more bytes will come: a row may end with them.
 */
export function findMpegFrames(bytes: Uint8Array, from: number, ended: boolean): MpegSearch {
  for (let at = from; at + MPEG_HEADER_BYTES <= bytes.length; at++) {
    if (bytes[at] !== 0xff) continue;
    const row = isMpegRow(bytes, at, ended);
    if (row !== false) return { found: row === true, at };
  }
  return { found: false, at: Math.max(from, bytes.length - MPEG_HEADER_BYTES + 1) };
}

/** Whether frames follow each other from `at` on; undefined when more bytes are needed to know. */
function isMpegRow(bytes: Uint8Array, at: number, ended: boolean): boolean | undefined {
  let place = at;
  let before: MpegHeader | undefined;
  for (let i = 0; i < CONSECUTIVE; i++) {
    // Frames to the very end, and at least two of them: enough for a short file.
    if (ended && place + MPEG_HEADER_BYTES > bytes.length) return i >= 2;
    if (place + MPEG_HEADER_BYTES > bytes.length) return undefined;
    const header = mpegHeader(bytes, place);
    if (!header || (before && !sameStream(before, header))) return false;
    before = header;
    place += header.length;
  }
  return true;
}
