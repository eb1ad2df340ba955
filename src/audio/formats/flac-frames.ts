/**
 * The frames of a FLAC stream, each verified by its checksum before it is decoded. Damage is skipped up to the next intact frame.
 * It decodes nothing.
 */

/** The content of STREAMINFO. */
export interface FlacInfo {
  sampleRate: number;
  channels: number;
  bitsPerSample: number;
  /** Samples per channel of a frame: the same for all if the two are equal. */
  leastBlock: number;
  mostBlock: number;
  /** Bytes of the longest frame; 0 when unknown. */
  longestFrame: number;
  /** Samples per channel of the whole; 0 when unknown. */
  total: number;
}

/** An intact frame. */
export interface FlacFrame {
  bytes: Uint8Array;
  /** Position of its first sample in the stream. */
  position: number;
  samples: number;
  /** Bytes before it that belong to no intact frame. */
  damaged: number;
}

const HEADER_BYTES = 16;
/** Candidates for frame headers that are tracked at once; a false one occurs once in hundreds of megabytes. */
const MOST_STARTS = 8;
/** Longest frame of a stream that does not state it, in bytes. */
const LONGEST_FRAME = 1 << 20;
/** The beginning of a second file. */
const MARK = [0x66, 0x4c, 0x61, 0x43, 0x00, 0x00, 0x00, 0x22] as const;

const ID3V1_BYTES = 128;

interface Start {
  at: number;
  header: FrameHeader;
  /** Sum of the bytes from `at` to `summed`. */
  sum: number;
  summed: number;
}

/** Incremental reader. */
export class FlacFrames {
  #held: Uint8Array = new Uint8Array(0);
  /** Where in `#held` the search for headers continues. */
  #searched = 0;
  #starts: Start[] = [];
  /** Bytes that were skipped since the last intact frame. */
  #damaged = 0;
  readonly #longest: number;
  /** A second file begins: its first bytes, from its mark on. */
  next: Uint8Array | undefined;

  constructor(private readonly info: FlacInfo) {
    this.#longest = info.longestFrame > 0 ? info.longestFrame : LONGEST_FRAME;
  }

  /** Bytes since the last intact frame. */
  get rest(): number {
    return this.#damaged + this.#held.length;
  }

  /** The frames that these bytes complete: a frame is over when the next one begins. */
  *push(bytes: Uint8Array): Generator<FlacFrame> {
    this.#held = this.#held.length === 0 ? bytes.slice() : Buffer.concat([this.#held, bytes]);
    yield* this.#search(this.#held.length - HEADER_BYTES + 1);
    if (!this.next) this.#forget();
  }

  /** The frames that are whole, the last of them although nothing follows it yet. */
  *flush(): Generator<FlacFrame> {
    // Headers with fewer bytes than the longest are short or incomplete; incomplete ones are examined again.
    const { length } = this.#held;
    for (let at = this.#searched; at < length; at++) {
      if (frameHeader(this.#held, at, this.info)) {
        this.#searched = at;
        yield* this.#search(at + 1);
        break;
      }
    }
    yield* this.#over(this.#held.length);
  }

  /** The input is over: the last frame, behind which there may be a tag or padding. */
  *end(): Generator<FlacFrame> {
    yield* this.#search(this.#held.length);
    const { length } = this.#held;
    let padded = length;
    while (padded > 0 && this.#held[padded - 1] === 0) padded--;
    const tag = length - ID3V1_BYTES;
    const tagged = Buffer.from(this.#held.subarray(Math.max(0, tag), tag + 3)).toString('latin1') === 'TAG';
    // The sum of a frame may end in zeros itself.
    const ends = [
      length,
      ...(tagged ? [tag] : []),
      ...[0, 1, 2].map((more) => Math.min(length, padded + more)),
    ];
    for (const end of ends) {
      yield* this.#over(end, true);
      if (this.#starts.length === 0) break;
    }
    if (this.#starts.length === 0 && this.#damaged === 0) this.#held = new Uint8Array(0);
  }

  /** Looks for headers before `limit`, and returns the frames that end with them. */
  *#search(limit: number): Generator<FlacFrame> {
    // Emitted bytes are dropped from the front, so the end is counted from the back.
    const behind = this.#held.length - limit;
    while (this.#searched < this.#held.length - behind) {
      const at = this.#searched++;
      // Every byte passes through here.
      const byte = this.#held[at];
      if (byte !== 0xff && byte !== MARK[0]) continue;
      const second = this.#isMark(at);
      const header = second ? undefined : frameHeader(this.#held, at, this.info);
      if (!second && !header) continue;
      yield* this.#over(at);
      const here = this.#searched - 1;
      if (second) {
        this.#damaged += here;
        this.next = this.#held.subarray(here);
        this.#held = new Uint8Array(0);
        return;
      }
      this.#starts.push({ at: here, header: header as FrameHeader, sum: 0, summed: here });
      if (this.#starts.length > MOST_STARTS) this.#starts.shift();
    }
  }

  /** Returns the frame that ends at `end`, if there is one, and drops everything before. */
  *#over(end: number, anew = false): Generator<FlacFrame> {
    for (const start of this.#starts) {
      const from = anew ? start.at : start.summed;
      const sum = crc16(this.#held, from, end, anew ? 0 : start.sum);
      if (!anew) {
        start.sum = sum;
        start.summed = end;
      }
      if (sum !== 0 || end - start.at <= HEADER_BYTES / 2) continue;
      const { position, samples } = start.header;
      const damaged = this.#damaged + start.at;
      yield { bytes: this.#held.slice(start.at, end), position, samples, damaged };
      this.#damaged = 0;
      this.#held = this.#held.subarray(end);
      this.#searched = Math.max(0, this.#searched - end);
      this.#starts = this.#starts.filter(({ at }) => at >= end);
      for (const other of this.#starts) {
        other.at -= end;
        other.summed -= end;
      }
      return;
    }
  }

  /** Drops what can no longer be part of a frame. */
  #forget(): void {
    this.#starts = this.#starts.filter(({ at }) => this.#held.length - at <= this.#longest + HEADER_BYTES);
    const keep = Math.min(this.#starts[0]?.at ?? this.#searched, this.#searched);
    if (keep === 0) return;
    this.#damaged += keep;
    this.#held = this.#held.slice(keep);
    this.#searched -= keep;
    for (const start of this.#starts) {
      start.at -= keep;
      start.summed -= keep;
    }
  }

  #isMark(at: number): boolean {
    // The last block's flag may be set.
    return MARK.every((byte, i) => ((this.#held[at + i] as number) & (i === 4 ? 0x7f : 0xff)) === byte);
  }
}

interface FrameHeader {
  position: number;
  samples: number;
}

const RATES = [88_200, 176_400, 192_000, 8000, 16_000, 22_050, 24_000, 32_000, 44_100, 48_000, 96_000];
const BITS = [0, 8, 12, 0, 16, 20, 24, 32];

/** The head of a frame of this stream at `at`; undefined when there is none. */
function frameHeader(bytes: Uint8Array, at: number, info: FlacInfo): FrameHeader | undefined {
  const byte = (i: number) => bytes[at + i] as number;
  if (byte(0) !== 0xff || (byte(1) & 0xfe) !== 0xf8) return undefined;
  const variable = (byte(1) & 1) === 1;
  const blockCode = byte(2) >> 4;
  const rateCode = byte(2) & 15;
  const channelCode = byte(3) >> 4;
  const bitsCode = (byte(3) >> 1) & 7;
  if (blockCode === 0 || rateCode === 15 || channelCode > 10 || bitsCode === 3 || byte(3) & 1)
    return undefined;
  if ((channelCode < 8 ? channelCode + 1 : 2) !== info.channels) return undefined;
  if (bitsCode !== 0 && BITS[bitsCode] !== info.bitsPerSample) return undefined;
  if (rateCode > 0 && rateCode < 12 && RATES[rateCode - 1] !== info.sampleRate) return undefined;
  // A number written as in UTF-8, of up to 36 bits.
  const first = byte(4);
  const ones = Math.clz32(~(first << 24));
  if (ones === 1 || ones === 8) return undefined;
  let number = ones === 0 ? first : first & (0x7f >> ones);
  let length = 5;
  for (; length < 4 + Math.max(1, ones); length++) {
    if ((byte(length) & 0xc0) !== 0x80) return undefined;
    number = number * 64 + (byte(length) & 0x3f);
  }
  let samples = blockCode === 1 ? 192 : blockCode < 6 ? 576 << (blockCode - 2) : 256 << (blockCode - 8);
  if (blockCode === 6) samples = byte(length++) + 1;
  else if (blockCode === 7) samples = byte(length++) * 256 + byte(length++) + 1;
  length += rateCode === 12 ? 1 : rateCode > 12 ? 2 : 0;
  if (crc8(bytes, at, at + length) !== byte(length)) return undefined;
  return { position: variable ? number : number * info.mostBlock, samples };
}

const CRC8 = Uint8Array.from({ length: 256 }, (_, byte) => {
  let value = byte;
  for (let bit = 0; bit < 8; bit++) value = value & 0x80 ? (value << 1) ^ 0x07 : value << 1;
  return value;
});
const CRC16 = Uint16Array.from({ length: 256 }, (_, byte) => {
  let value = byte << 8;
  for (let bit = 0; bit < 8; bit++) value = value & 0x8000 ? (value << 1) ^ 0x8005 : value << 1;
  return value;
});

function crc8(bytes: Uint8Array, from: number, to: number): number {
  let sum = 0;
  for (let i = from; i < to; i++) sum = CRC8[sum ^ (bytes[i] as number)] as number;
  return sum;
}

/** Of a frame with its own sum at the end: 0. */
function crc16(bytes: Uint8Array, from: number, to: number, before: number): number {
  let sum = before;
  for (let i = from; i < to; i++)
    sum = ((sum << 8) & 0xffff) ^ (CRC16[(sum >> 8) ^ (bytes[i] as number)] as number);
  return sum;
}
