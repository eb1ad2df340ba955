/**
 * WebM (and Matroska) with an Opus track: the first audio track's packets, from its blocks of every kind. Other codecs go through ffmpeg
 * (containers.ts decides).
 *
 * Not prism-media's WebmDemuxer, which the tests use as a second opinion: it knows simple blocks only (the last packet of most files is
 * in a group, with the padding to discard), no lacing, no track above 15, and cannot tell a codec.
 */

import { warn } from '../../warn.js';
import { broken, Damage, type DecodedChunk, type FormatDecoder } from './format.js';
import { isPlainOpus, readOpusHead } from './opus-head.js';
import { OPUS_RATE } from './opus-packet.js';
import { OpusTrack, samplesOf } from './opus-track.js';

const EBML = 0x1a45dfa3;
const SEGMENT = 0x18538067;
const INFO = 0x1549a966;
const TIMESTAMP_SCALE = 0x2ad7b1;
const DURATION = 0x4489;
const CLUSTER_TIMESTAMP = 0xe7;
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
const MASTERS = new Set([SEGMENT, INFO, TRACKS, TRACK_ENTRY, CLUSTER, BLOCK_GROUP]);
const LEAVES = new Set([
  TIMESTAMP_SCALE,
  DURATION,
  CLUSTER_TIMESTAMP,
  TRACK_NUMBER,
  TRACK_TYPE,
  CODEC_ID,
  CODEC_PRIVATE,
  SIMPLE_BLOCK,
  BLOCK,
  DISCARD_PADDING,
]);
/** A block of audio is smaller; a larger one is video, and skipped unread. */
const LARGEST_LEAF = 1 << 18;
const AUDIO = 2;
/** Longest track number, time and flags, in bytes. */
const BLOCK_HEAD_BYTES = 11;
/**
 * What may come once the tracks are over, beside the above: anything else is damage. Seek head, tags, cues, chapters, attachments, Void,
 * a sum; of a cluster its position, the size of the one before, and what only pictures have; of a group duration, references, additions.
 */
const OTHERS = new Set([
  EBML,
  0x114d9b74,
  0x1254c367,
  0x1c53bb6b,
  0x1043a770,
  0x1941a469,
  0xec,
  0xbf,
  0xa7,
  0xab,
  0x5854,
  0xaf,
  0x9b,
  0xfa,
  0xfb,
  0xfd,
  0xa4,
  0x75a1,
  0x8e,
  0xc8,
]);
const OTHERS_OF_CLUSTERS = new Set([
  0xa7, 0xab, 0x5854, 0xaf, 0x9b, 0xfa, 0xfb, 0xfd, 0xa4, 0x75a1, 0x8e, 0xc8,
]);
/** A video frame is smaller; an element that is larger, or larger than its parent, is damaged. */
const LARGEST_ELEMENT = 1 << 26;
const CLUSTER_MARK = Buffer.from([0x1f, 0x43, 0xb6, 0x75]);
/** Shorter gaps in the times, in samples, are ignored: times are rounded to milliseconds, and clocks drift. */
const SHORTEST_HOLE = OPUS_RATE / 10;
/** Where bytes are damaged, a shorter gap already counts. */
const SHORTEST_LOSS = OPUS_RATE / 100;
/** Times that go back by more than this start a new timeline. */
const BACK = OPUS_RATE / 2;

/** Packets of the chosen track, and their time in nanoseconds. */
interface Block {
  packets: Uint8Array[];
  time: number;
}

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
  /** A block, whose group's padding may follow. */
  #waiting: Block | undefined;
  #discard = 0;
  /** A block whose time does not fit the previous ones: the next block tells whether the time or the block is wrong. */
  #doubtful: Block | undefined;
  #doubtfulDiscard = 0;
  #sized = false;
  readonly #damage = new Damage('WebM');
  /** Bytes that were skipped to find the next cluster. */
  #damaged = 0;
  #resynchronising = false;
  /** Nanoseconds of one unit of time; the cluster's time in units; the earliest time of any track, in nanoseconds. */
  #scale = 1_000_000;
  #clusterTime = 0;
  #origin: number | undefined;
  #duration: number | undefined;
  /** Bytes read so far, and where the segment and the cluster end, as far as they say so. */
  #position = 0;
  #segmentEnd = Number.POSITIVE_INFINITY;
  #clusterEnd = Number.POSITIVE_INFINITY;
  /** Seconds of the files before this one. */
  #before = 0;

  /** Seconds, if the file says so. */
  get duration(): number | undefined {
    return this.#duration === undefined ? undefined : (this.#duration * this.#scale) / 1e9;
  }

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

  async *push(bytes: Uint8Array): AsyncGenerator<DecodedChunk> {
    for (const { id, data } of this.#walk(bytes)) {
      if (id === SIMPLE_BLOCK || id === BLOCK) {
        const block = this.#block(data);
        if (!block) continue;
        yield* this.#decodeWaiting();
        this.#waiting = block;
        // Only a group can have padding.
        if (id === SIMPLE_BLOCK) yield* this.#decodeWaiting();
      } else if (id === DISCARD_PADDING) {
        this.#discard = Number(signed(data)) / 1e9;
      } else if (id === EBML) {
        yield* this.#decodeHeld();
        this.#beginFile();
      }
    }
  }

  async *flush(): AsyncGenerator<DecodedChunk> {
    yield* this.#decodeHeld();
  }

  async *end(): AsyncGenerator<DecodedChunk> {
    yield* this.#decodeHeld();
    if (this.#resynchronising)
      this.#damage.add(this.#opus?.time ?? 0, 0, `the last ${this.#damaged} bytes do not form elements`);
    // Writers that could not seek back leave the last size unknown; an incomplete leaf was cut off.
    const within = this.#held.length > 0 || this.#skip > 0;
    const before = this.#segmentEnd < Number.POSITIVE_INFINITY && this.#position < this.#segmentEnd;
    const missing =
      !this.#resynchronising && (within || before)
        ? 'Expected a whole Matroska element but the input ended within one.'
        : undefined;
    const damage = this.#damage.error(missing);
    if (damage) throw damage;
    if (missing) throw broken(`${missing} Check that the file is complete.`);
    if (!this.#tracksOver && !this.#sized) {
      throw broken('Expected a WebM file but it holds nothing. Check that the file is complete.');
    }
  }

  close(): void {
    this.#opus?.close();
    this.#opus = undefined;
  }

  *#decodeWaiting(): Generator<DecodedChunk> {
    const block = this.#waiting;
    const discard = Math.round(this.#discard * OPUS_RATE);
    this.#waiting = undefined;
    this.#discard = 0;
    if (!block || block.packets.length === 0 || !this.#chosen) return;
    if (this.codec !== 'opus')
      throw broken('Expected Opus in the second WebM file but received another codec.');
    this.#opus ??= new OpusTrack(readOpusHead(this.#chosen.private), this.#damage, this.#before);
    this.#origin ??= block.time;
    yield* this.#decodeDoubtful(this.#opus, block);
    if (isJump(this.#holeBefore(block, this.#opus))) {
      this.#doubtful = block;
      this.#doubtfulDiscard = discard;
      return;
    }
    yield* this.#hole(this.#opus, block);
    yield* this.#opus.decode(block.packets, () => discard);
  }

  /** The block whose time is in doubt. A damaged time must not shift anything later, so `next` has to confirm a jump. */
  *#decodeDoubtful(track: OpusTrack, next?: Block): Generator<DecodedChunk> {
    const block = this.#doubtful;
    this.#doubtful = undefined;
    if (!block) return;
    const length = block.packets.reduce((sum, packet) => sum + (samplesOf(packet) ?? 0), 0);
    // There may be gaps between packets, as in discontinuous transmission, but time must not go back.
    const jump = this.#holeBefore(block, track);
    const after = next && this.#holeBefore(next, track);
    const isWrong =
      after !== undefined && after >= length - BACK && (jump < 0 || after < jump + length - BACK);
    if (isWrong)
      this.#damage.add(track.time, 0, "a block's time fits neither the one before it nor the next");
    else yield* this.#hole(track, block);
    yield* track.decode(block.packets, () => this.#doubtfulDiscard);
  }

  /** No further block can resolve the ones that are held back. */
  *#decodeHeld(): Generator<DecodedChunk> {
    yield* this.#decodeWaiting();
    if (this.#opus) yield* this.#decodeDoubtful(this.#opus);
  }

  /** Samples that are missing before a block, by its time; negative when it begins before the end of what came. */
  #holeBefore({ time }: Block, track: OpusTrack): number {
    return Math.round(((time - (this.#origin ?? time)) * OPUS_RATE) / 1e9) - track.position;
  }

  *#hole(track: OpusTrack, block: Block): Generator<DecodedChunk> {
    const hole = this.#holeBefore(block, track);
    if (hole < -BACK) this.#origin = block.time - (track.position * 1e9) / OPUS_RATE;
    if (this.#damaged > 0) {
      const what = `${this.#damaged} bytes do not form elements`;
      this.#damaged = 0;
      if (hole >= SHORTEST_LOSS) yield* track.hole(hole, what);
      else this.#damage.add(track.time, 0, what);
    } else if (hole >= SHORTEST_HOLE) yield* track.hole(hole);
  }

  /** Another file behind the first. */
  #beginFile(): void {
    if (!this.#tracksOver) return;
    warn('WARN_PARAKEET_SECOND_FILE', 'A second WebM file follows the first; it is transcribed too.');
    if (this.#opus) this.#before = this.#opus.time;
    this.close();
    this.#tracks.length = 0;
    this.#tracksOver = false;
    this.#chosen = undefined;
    this.#origin = undefined;
    this.#clusterTime = 0;
    this.#segmentEnd = Number.POSITIVE_INFINITY;
    this.#clusterEnd = Number.POSITIVE_INFINITY;
  }

  /** The leaves that these bytes complete, as far as they are relevant; and the beginnings of clusters and files. */
  *#walk(bytes: Uint8Array): Generator<{ id: number; data: Uint8Array }> {
    let rest: Uint8Array = this.#held.length === 0 ? bytes : Buffer.concat([this.#held, bytes]);
    this.#held = new Uint8Array(0);
    const pass = (count: number) => {
      rest = rest.subarray(count);
      this.#position += count;
    };
    for (;;) {
      const skipped = Math.min(this.#skip, rest.length);
      this.#skip -= skipped;
      pass(skipped);
      if (rest.length === 0) return;
      if (this.#resynchronising) {
        const { at, found } = this.#findElement(rest);
        this.#damaged += at;
        pass(at);
        if (!found) break;
        this.#resynchronising = false;
      }
      let head: ElementHead | undefined;
      try {
        head = elementHead(rest);
        if (!head) break;
        this.#check(head);
      } catch (error) {
        // Without the tracks, decoding cannot continue.
        if (!this.#tracksOver) throw error;
        this.#resynchronising = true;
        this.#damaged++;
        pass(1);
        continue;
      }
      const { id, size, length } = head;
      if (MASTERS.has(id)) {
        pass(length);
        this.#onMaster(id, size);
        if (id === CLUSTER) yield { id, data: new Uint8Array(0) };
        continue;
      }
      this.#sized = true;
      if (size === undefined) throw broken('Expected a Matroska element of known size but received another');
      if ((id === SIMPLE_BLOCK || id === BLOCK) && size > LARGEST_LEAF) {
        // Video; only its time matters.
        if (rest.length < length + BLOCK_HEAD_BYTES) break;
        this.#block(rest.subarray(length, length + BLOCK_HEAD_BYTES));
      }
      if (!LEAVES.has(id) || size > LARGEST_LEAF) {
        this.#skip = size;
        pass(length);
        if (id === EBML) yield { id, data: new Uint8Array(0) };
        continue;
      }
      if (rest.length < length + size) break;
      const data = rest.subarray(length, length + size);
      pass(length + size);
      this.#onLeaf(id, data);
      yield { id, data };
    }
    this.#held = rest.slice();
  }

  /** Where the next cluster or block begins; if there is none, where to continue the search when there are more bytes. */
  #findElement(bytes: Uint8Array): { at: number; found: boolean } {
    for (let at = 0; at < bytes.length; at++) {
      const mark = CLUSTER_MARK.subarray(0, bytes.length - at);
      if (CLUSTER_MARK[0] === bytes[at] && mark.every((byte, i) => bytes[at + i] === byte))
        return { at, found: mark.length === CLUSTER_MARK.length };
      if (bytes[at] !== SIMPLE_BLOCK && bytes[at] !== BLOCK_GROUP) continue;
      const known = this.#isBlock(bytes.subarray(at));
      if (known !== false) return { at, found: known === true };
    }
    return { at: bytes.length, found: false };
  }

  /** Whether a block of one of our tracks begins here, followed by another element; undefined when more bytes are needed. */
  #isBlock(bytes: Uint8Array): boolean | undefined {
    try {
      const head = elementHead(bytes);
      if (!head) return undefined;
      const { id, size, length } = head;
      if (size === undefined || size > LARGEST_LEAF || this.#position + length + size > this.#clusterEnd)
        return false;
      if (bytes.length < length + 4) return undefined;
      const first = vint(bytes, length);
      const isOurs =
        id === BLOCK_GROUP
          ? bytes[length] === BLOCK
          : this.#tracks.some(({ number }) => number === first?.value);
      if (!isOurs) return false;
      const next = bytes.subarray(length + size);
      if (next.length === 0) return undefined;
      const following = elementHead(next);
      if (!following) return undefined;
      return MASTERS.has(following.id) || LEAVES.has(following.id) || OTHERS.has(following.id);
    } catch {
      return false;
    }
  }

  /** @throws {@link AudioError} for an element that is not allowed there. */
  #check({ id, size, length }: ElementHead): void {
    if (!this.#tracksOver) return;
    if (!(MASTERS.has(id) || LEAVES.has(id) || OTHERS.has(id))) throw malformed();
    const inCluster = LEAVES.has(id) || id === BLOCK_GROUP || OTHERS_OF_CLUSTERS.has(id);
    if (!inCluster) return;
    if (size === undefined || size > LARGEST_ELEMENT) throw malformed();
    if (this.#position + length + size > this.#clusterEnd) throw malformed();
  }

  #onMaster(id: number, size: number | undefined): void {
    const end = this.#position + (size ?? Number.POSITIVE_INFINITY);
    if (id === SEGMENT) this.#segmentEnd = end;
    if (id === CLUSTER) this.#clusterEnd = end;
    if (id === TRACK_ENTRY) this.#tracks.push({ number: 0, type: 0, codec: '', private: new Uint8Array(0) });
    if (id === CLUSTER && !this.#tracksOver) {
      this.#tracksOver = true;
      this.#chosen = this.#tracks.find((track) => track.type === AUDIO);
    }
  }

  #onLeaf(id: number, data: Uint8Array): void {
    if (id === CLUSTER_TIMESTAMP) this.#clusterTime = Number(unsigned(data));
    else if (id === TIMESTAMP_SCALE) this.#scale = Number(unsigned(data)) || this.#scale;
    else if (id === DURATION) this.#duration = float(data);
    const track = this.#tracks.at(-1);
    if (!track || this.#tracksOver) return;
    if (id === TRACK_NUMBER) track.number = Number(unsigned(data));
    else if (id === TRACK_TYPE) track.type = Number(unsigned(data));
    else if (id === CODEC_ID) track.codec = Buffer.from(data).toString('latin1').replace(/\0+$/, '');
    else if (id === CODEC_PRIVATE) track.private = data.slice();
  }

  /** A block of our track. Undefined for another track's, and for a malformed one. */
  #block(block: Uint8Array): Block | undefined {
    const track = vint(block, 0);
    if (!track || block.length < track.length + 3) return undefined;
    const high = block[track.length] as number;
    const ticks = ((high << 8) | (block[track.length + 1] as number)) - (high >= 0x80 ? 0x10000 : 0);
    const time = Math.max(0, this.#clusterTime + ticks) * this.#scale;
    // The first of any track: a film's video may begin before its sound.
    this.#origin ??= time;
    if (track.value !== this.#chosen?.number) return undefined;
    try {
      return { packets: packetsOf(block, track.length), time };
    } catch (error) {
      this.#damage.add(this.#opus?.time ?? 0, 0, 'a block is malformed', error);
      return undefined;
    }
  }
}

function isJump(hole: number): boolean {
  return hole >= SHORTEST_HOLE || hole < -BACK;
}

/** The frames of a block: behind the track's number come the time (2 bytes), flags, and the lacing. */
function packetsOf(block: Uint8Array, numberLength: number): Uint8Array[] {
  const flags = block[numberLength + 2] as number;
  const body = block.subarray(numberLength + 3);
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

interface ElementHead {
  id: number;
  size: number | undefined;
  length: number;
}

/** An element's id, its size (undefined: unknown), and how long both are; undefined when more bytes are needed. */
function elementHead(bytes: Uint8Array): ElementHead | undefined {
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

/** Of four or eight bytes. */
function float(data: Uint8Array): number | undefined {
  const view = new DataView(data.buffer, data.byteOffset, data.length);
  const value = data.length === 4 ? view.getFloat32(0) : data.length === 8 ? view.getFloat64(0) : 0;
  return Number.isFinite(value) && value > 0 ? value : undefined;
}

function malformed() {
  return broken('Expected well-formed Matroska elements but received others. Check that the file is intact.');
}
