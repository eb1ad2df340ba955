/**
 * WebM (and Matroska) with an Opus track: the first audio track's packets, from its blocks of every kind. Other codecs go through ffmpeg
 * (containers.ts decides).
 *
 * Not prism-media's WebmDemuxer, which the tests use as a second opinion: it knows simple blocks only (the last packet of most files is
 * in a group, with the padding to discard), no lacing, no track above 15, and cannot tell a codec.
 */
import type { AudioChunk } from '../../events.js';
import { broken, type FormatDecoder } from './format.js';
import { isPlainOpus, readOpusHead } from './opus-head.js';
import { OPUS_RATE } from './opus-packet.js';
import { OpusTrack } from './opus-track.js';

const SEGMENT = 0x18538067;
const TRACKS = 0x1654ae6b;
const TRACK_ENTRY = 0xae;
const TRACK_NUMBER = 0xd7;
const TRACK_TYPE = 0x83;
const CODEC_ID = 0x86;
const CODEC_PRIVATE = 0x63a2;
const CLUSTER = 0x1f43b675;
const SIMPLE_BLOCK = 0xa3;
const BLOCK_GROUP = 0xa0;
const BLOCK = 0xa1;
const DISCARD_PADDING = 0x75a2;

/** Elements whose children are read; their ends need not be known. */
const MASTERS = new Set([SEGMENT, TRACKS, TRACK_ENTRY, CLUSTER, BLOCK_GROUP]);
const LEAVES = new Set([
  TRACK_NUMBER,
  TRACK_TYPE,
  CODEC_ID,
  CODEC_PRIVATE,
  SIMPLE_BLOCK,
  BLOCK,
  DISCARD_PADDING,
]);
/** A block of audio is smaller; a greater one is a picture, and skipped unread. */
const LARGEST_LEAF = 1 << 18;
const AUDIO = 2;

interface Track {
  number: number;
  type: number;
  codec: string;
  private: Uint8Array;
}

/** What is known of the first audio track: `undefined` until the tracks are read. */
export type WebmCodec = 'opus' | 'other' | undefined;

/** Incremental decoder. */
export class WebmOpusDecoder implements FormatDecoder {
  #held: Uint8Array = new Uint8Array(0);
  #skip = 0;
  readonly #tracks: Track[] = [];
  #chosen: Track | undefined;
  #tracksOver = false;
  #opus: OpusTrack | undefined;
  /** Packets of a group, whose padding may follow. */
  #waiting: Uint8Array[] = [];
  #discard = 0;
  #sized = false;

  /** The codec, as soon as the first cluster begins. */
  get codec(): WebmCodec {
    if (!this.#tracksOver) return undefined;
    const track = this.#chosen;
    return track?.codec === 'A_OPUS' && isPlainOpus(track.private) ? 'opus' : 'other';
  }

  /** Takes bytes only as far as the codec is concerned. */
  probe(bytes: Uint8Array): WebmCodec {
    for (const _ of this.#walk(bytes)) if (this.#tracksOver) break;
    return this.codec;
  }

  async *push(bytes: Uint8Array): AsyncGenerator<AudioChunk> {
    for (const { id, data } of this.#walk(bytes)) {
      if (id === SIMPLE_BLOCK || id === BLOCK) {
        const packets = this.#packets(data);
        if (packets.length === 0) continue;
        yield* this.#flush();
        this.#waiting = packets;
      } else if (id === DISCARD_PADDING) {
        this.#discard = Number(signed(data)) / 1e9;
      }
    }
  }

  async *end(): AsyncGenerator<AudioChunk> {
    yield* this.#flush();
    // Writers that could not go back leave the last size unknown; a leaf that is not whole was cut off.
    if (this.#held.length > 0 || this.#skip > 0) {
      throw broken(
        'Expected a whole Matroska element but the input ended within one. Check that the file is complete.',
      );
    }
    if (!this.#tracksOver && !this.#sized) {
      throw broken('Expected a WebM file but it holds nothing. Check that the file is complete.');
    }
  }

  close(): void {
    this.#opus?.close();
    this.#opus = undefined;
  }

  *#flush(): Generator<AudioChunk> {
    const packets = this.#waiting;
    const discard = Math.round(this.#discard * OPUS_RATE);
    this.#waiting = [];
    this.#discard = 0;
    if (packets.length === 0 || !this.#chosen) return;
    this.#opus ??= new OpusTrack(readOpusHead(this.#chosen.private));
    yield* this.#opus.decode(packets, () => discard);
  }

  /** The leaves that these bytes complete, as far as they matter. */
  *#walk(bytes: Uint8Array): Generator<{ id: number; data: Uint8Array }> {
    let rest: Uint8Array = this.#held.length === 0 ? bytes : Buffer.concat([this.#held, bytes]);
    this.#held = new Uint8Array(0);
    for (;;) {
      const skipped = Math.min(this.#skip, rest.length);
      this.#skip -= skipped;
      rest = rest.subarray(skipped);
      if (rest.length === 0) return;
      const head = elementHead(rest);
      if (!head) break;
      const { id, size, length } = head;
      if (MASTERS.has(id)) {
        this.#onMaster(id);
        rest = rest.subarray(length);
        if (id === CLUSTER) yield { id, data: new Uint8Array(0) };
        continue;
      }
      this.#sized = true;
      if (size === undefined) throw broken('Expected a Matroska element of known size but received another');
      if (!LEAVES.has(id) || size > LARGEST_LEAF) {
        this.#skip = size;
        rest = rest.subarray(length);
        continue;
      }
      if (rest.length < length + size) break;
      const data = rest.subarray(length, length + size);
      rest = rest.subarray(length + size);
      this.#onLeaf(id, data);
      yield { id, data };
    }
    this.#held = rest.slice();
  }

  #onMaster(id: number): void {
    if (id === TRACK_ENTRY) this.#tracks.push({ number: 0, type: 0, codec: '', private: new Uint8Array(0) });
    if (id === CLUSTER && !this.#tracksOver) {
      this.#tracksOver = true;
      this.#chosen = this.#tracks.find((track) => track.type === AUDIO);
    }
  }

  #onLeaf(id: number, data: Uint8Array): void {
    const track = this.#tracks.at(-1);
    if (!track || this.#tracksOver) return;
    if (id === TRACK_NUMBER) track.number = Number(unsigned(data));
    else if (id === TRACK_TYPE) track.type = Number(unsigned(data));
    else if (id === CODEC_ID) track.codec = Buffer.from(data).toString('latin1').replace(/\0+$/, '');
    else if (id === CODEC_PRIVATE) track.private = data.slice();
  }

  /** The frames of a block of our track: track number, time (2 bytes), flags, and the lacing. */
  #packets(block: Uint8Array): Uint8Array[] {
    const track = vint(block, 0);
    if (!track || track.value !== this.#chosen?.number) return [];
    const flags = block[track.length + 2];
    if (flags === undefined) throw malformed();
    const body = block.subarray(track.length + 3);
    const lacing = (flags >> 1) & 3;
    if (lacing === 0) return [body.slice()];
    const count = (body[0] ?? 0) + 1;
    const sizes =
      lacing === 2 ? fixedSizes(body, count) : lacing === 1 ? xiphSizes(body, count) : ebmlSizes(body, count);
    let at = body.length - sizes.reduce((sum, size) => sum + size, 0);
    if (at < 1 || sizes.some((size) => size < 0)) throw malformed();
    return sizes.map((size) => {
      const packet = body.slice(at, at + size);
      at += size;
      return packet;
    });
  }
}

function fixedSizes(body: Uint8Array, count: number): number[] {
  if ((body.length - 1) % count !== 0) throw malformed();
  return new Array<number>(count).fill((body.length - 1) / count);
}

function xiphSizes(body: Uint8Array, count: number): number[] {
  const sizes: number[] = [];
  let at = 1;
  for (let i = 1; i < count; i++) {
    let size = 0;
    let byte = 255;
    while (byte === 255) {
      const next = body[at++];
      if (next === undefined) throw malformed();
      byte = next;
      size += byte;
    }
    sizes.push(size);
  }
  return withLast(sizes, body.length - at);
}

function ebmlSizes(body: Uint8Array, count: number): number[] {
  const sizes: number[] = [];
  let at = 1;
  let size = 0;
  for (let i = 1; i < count; i++) {
    const read = vint(body, at);
    if (!read) throw malformed();
    at += read.length;
    // After the first, differences around zero.
    size = i === 1 ? read.value : size + read.value - (2 ** (7 * read.length - 1) - 1);
    sizes.push(size);
  }
  return withLast(sizes, body.length - at);
}

function withLast(sizes: number[], rest: number): number[] {
  return [...sizes, rest - sizes.reduce((sum, size) => sum + size, 0)];
}

/** An element's id, its size (undefined: unknown), and how long both are; undefined when more bytes are needed. */
function elementHead(
  bytes: Uint8Array,
): { id: number; size: number | undefined; length: number } | undefined {
  const first = bytes[0] as number;
  const idLength = Math.clz32(first) - 23;
  if (idLength > 4) throw malformed();
  if (bytes.length <= idLength) return undefined;
  let id = 0;
  for (let i = 0; i < idLength; i++) id = id * 256 + (bytes[i] as number);
  const size = vint(bytes, idLength);
  if (size === undefined) {
    if (bytes[idLength] === 0) throw malformed();
    return undefined;
  }
  const unknown = size.value === 2 ** (7 * size.length) - 1;
  return { id, size: unknown ? undefined : size.value, length: idLength + size.length };
}

/** A number of variable length (RFC 8794, section 4); undefined when it is not whole. */
function vint(bytes: Uint8Array, at: number): { value: number; length: number } | undefined {
  const first = bytes[at];
  if (first === undefined || first === 0) return undefined;
  const length = Math.clz32(first) - 23;
  if (at + length > bytes.length) return undefined;
  let value = first & (0xff >> length);
  for (let i = 1; i < length; i++) value = value * 256 + (bytes[at + i] as number);
  return { value, length };
}

function unsigned(data: Uint8Array): bigint {
  return data.reduce((sum, byte) => sum * 256n + BigInt(byte), 0n);
}

function signed(data: Uint8Array): bigint {
  return data.length === 0 || data.length > 8 ? 0n : BigInt.asIntN(8 * data.length, unsigned(data));
}

function malformed() {
  return broken('Expected well-formed Matroska elements but received others. Check that the file is intact.');
}
