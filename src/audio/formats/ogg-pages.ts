/**
 * The pages of an Ogg file (RFC 3533) and the packets in them. Knows no codec.
 *
 * Not prism-media's OggDemuxer, which the tests use as a second opinion: it hides the granule positions (so neither the start nor the
 * end can be trimmed), drops what follows the first logical stream, joins no packet over pages, and checks no sum.
 */

/** A page: the packets that end on it. */
export interface OggPage {
  serial: number;
  /** First or last page of its logical stream. */
  first: boolean;
  last: boolean;
  /** The codec's position at the end of the last packet that ends here; −1 for none. */
  granule: number;
  packets: Uint8Array[];
  /** Bytes before it that belong to no intact page. */
  damaged: number;
  /** By its number, pages of its stream are missing before it. */
  missing: boolean;
}

const HEAD_BYTES = 27;
/** A packet may span pages: anything larger than this is not audio. */
const LONGEST_PACKET = 1 << 20;

/** Incremental reader. */
export class OggPages {
  #held: Uint8Array = new Uint8Array(0);
  /** Parts of packets that go on, by logical stream. */
  readonly #open = new Map<number, Uint8Array>();
  /** Number of the last page, by logical stream. */
  readonly #numbers = new Map<number, number>();
  #damaged = 0;

  /** Bytes of a page that has begun. */
  get incomplete(): boolean {
    return this.#held.length > 0 || [...this.#open.values()].some((part) => part.length > 0);
  }

  /** Bytes since the last intact page that can be no page, those of {@link incomplete} left out. */
  get damaged(): number {
    return this.#damaged;
  }

  /** The intact pages that these bytes complete; anything else is skipped. */
  *push(bytes: Uint8Array): Generator<OggPage> {
    this.#held = this.#held.length === 0 ? bytes : Buffer.concat([this.#held, bytes]);
    let at = 0;
    for (;;) {
      const size = pageSize(this.#held, at);
      if (size === undefined || this.#held.length - at < size) break;
      const page = this.#held.subarray(at, at + size);
      if (size > 0 && isIntact(page)) {
        at += size;
        yield this.#read(page);
        continue;
      }
      // To the next place that may begin one.
      const next = this.#held.indexOf(0x4f, at + 1);
      const passed = (next < 0 ? this.#held.length : next) - at;
      this.#damaged += passed;
      at += passed;
    }
    // The caller may reuse its buffer.
    this.#held = this.#held.slice(at);
  }

  #read(page: Uint8Array): OggPage {
    const view = new DataView(page.buffer, page.byteOffset, page.length);
    const flags = view.getUint8(5);
    const serial = view.getUint32(14, true);
    const number = view.getUint32(18, true);
    const before = this.#numbers.get(serial);
    const first = (flags & 2) !== 0;
    const missing = !first && before !== undefined && number !== (before + 1) >>> 0;
    this.#numbers.set(serial, number);
    // The first part of a packet does not fit the last part of another one.
    if (missing && number > (before ?? 0)) this.#open.delete(serial);
    const damaged = this.#damaged;
    this.#damaged = 0;
    return {
      serial,
      first,
      last: (flags & 4) !== 0,
      granule: Number(view.getBigInt64(6, true)),
      packets: this.#packets(page, serial, (flags & 1) !== 0),
      damaged,
      missing,
    };
  }

  #packets(page: Uint8Array, serial: number, continued: boolean): Uint8Array[] {
    const segments = page[26] as number;
    let at = HEAD_BYTES + segments;
    let part = continued ? this.#open.get(serial) : new Uint8Array(0);
    const packets: Uint8Array[] = [];
    for (let i = 0; i < segments; i++) {
      const size = page[HEAD_BYTES + i] as number;
      const piece = page.subarray(at, at + size);
      at += size;
      // The beginning of a continued packet may be missing: the rest is unusable.
      if (part) part = part.length === 0 ? piece : Buffer.concat([part, piece]);
      if (part && part.length > LONGEST_PACKET) part = undefined;
      if (size === 255) continue;
      if (part) packets.push(part.slice());
      part = new Uint8Array(0);
    }
    const goesOn = segments > 0 && page[HEAD_BYTES + segments - 1] === 255;
    if (goesOn && part) this.#open.set(serial, part.slice());
    else this.#open.delete(serial);
    return packets;
  }
}

/** Bytes of the page at `at`: 0 when there is none, undefined when more are needed to know. */
function pageSize(bytes: Uint8Array, at: number): number | undefined {
  const mark = Buffer.from(bytes.buffer, bytes.byteOffset + at, Math.min(5, bytes.length - at));
  if (!'OggS\0'.startsWith(mark.toString('latin1'))) return 0;
  const segments = bytes[at + 26];
  if (segments === undefined || bytes.length < at + HEAD_BYTES + segments) return undefined;
  let size = HEAD_BYTES + segments;
  for (let i = 0; i < segments; i++) size += bytes[at + HEAD_BYTES + i] as number;
  return size;
}

function isIntact(page: Uint8Array): boolean {
  return checksum(page) === new DataView(page.buffer, page.byteOffset, page.length).getUint32(22, true);
}

const TABLE = Uint32Array.from({ length: 256 }, (_, byte) => {
  let value = byte << 24;
  for (let bit = 0; bit < 8; bit++) value = value & 0x80000000 ? (value << 1) ^ 0x04c11db7 : value << 1;
  return value;
});

/** CRC-32 with the polynomial 0x04c11db7, not reflected, over the page with its own sum as zero. */
export function checksum(page: Uint8Array): number {
  let sum = 0;
  for (let i = 0; i < page.length; i++) {
    const byte = i >= 22 && i < 26 ? 0 : (page[i] as number);
    sum = (sum << 8) ^ (TABLE[((sum >>> 24) ^ byte) & 0xff] as number);
  }
  return sum >>> 0;
}
