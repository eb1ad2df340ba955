/** Small writers of Ogg and WebM around Opus packets, for tests: only what the formats' rules ask for. */
import { checksum } from '../../src/audio/formats/ogg-pages.js';

export function opusHead(channels: number, preSkip: number, { gain = 0, family = 0 } = {}): Uint8Array {
  const head = Buffer.alloc(family === 0 ? 19 : 21 + channels);
  head.write('OpusHead', 'latin1');
  head.writeUInt8(1, 8);
  head.writeUInt8(channels, 9);
  head.writeUInt16LE(preSkip, 10);
  head.writeUInt32LE(16_000, 12);
  head.writeInt16LE(gain, 16);
  head.writeUInt8(family, 18);
  return head;
}

interface PageOptions {
  serial: number;
  granule: number;
  flags?: number;
  sequence?: number;
}

/** One page of whole packets. */
export function oggPage(
  packets: Uint8Array[],
  { serial, granule, flags = 0, sequence = 0 }: PageOptions,
): Buffer {
  const table = packets.flatMap((packet) => [
    ...new Array<number>(Math.floor(packet.length / 255)).fill(255),
    packet.length % 255,
  ]);
  const head = Buffer.alloc(27);
  head.write('OggS', 'latin1');
  head.writeUInt8(flags, 5);
  head.writeBigInt64LE(BigInt(granule), 6);
  head.writeUInt32LE(serial, 14);
  head.writeUInt32LE(sequence, 18);
  head.writeUInt8(table.length, 26);
  const page = Buffer.concat([head, Uint8Array.from(table), ...packets]);
  page.writeUInt32LE(checksum(page), 22);
  return page;
}

export interface OggOptions {
  channels?: number;
  preSkip: number;
  /** Samples that the stream has, after pre-skip. */
  length: number;
  serial?: number;
  packetsPerPage?: number;
  frameSamples?: number;
  gain?: number;
  /** Granule position of the first sample, for a piece of a broadcast. */
  origin?: number;
}

/** An Ogg/Opus file. */
export function oggOpus(packets: Uint8Array[], options: OggOptions): Buffer {
  const {
    channels = 1,
    preSkip,
    length,
    serial = 1,
    packetsPerPage = 7,
    frameSamples = 960,
    origin = 0,
  } = options;
  const tags = Buffer.from('OpusTags\x04\0\0\0test\0\0\0\0', 'latin1');
  const pages = [
    oggPage([opusHead(channels, preSkip, { gain: options.gain ?? 0 })], { serial, granule: 0, flags: 2 }),
    oggPage([tags], { serial, granule: 0, sequence: 1 }),
  ];
  for (let at = 0; at < packets.length; at += packetsPerPage) {
    const last = at + packetsPerPage >= packets.length;
    const own = packets.slice(at, at + packetsPerPage);
    const granule = last ? preSkip + length : (at + own.length) * frameSamples;
    pages.push(
      oggPage(own, { serial, granule: origin + granule, flags: last ? 4 : 0, sequence: pages.length }),
    );
  }
  return Buffer.concat(pages);
}

/** An element with its size in four bytes; `unknown` leaves it open. */
export function element(id: number[], content: Uint8Array | Uint8Array[], unknown = false): Buffer {
  const body = Array.isArray(content) ? Buffer.concat(content) : content;
  const size = Buffer.alloc(4);
  size.writeUInt32BE(unknown ? 0x1fffffff : 0x10000000 + body.length);
  return Buffer.concat([Uint8Array.from(id), size, body]);
}

const CLUSTER = [0x1f, 0x43, 0xb6, 0x75];
/** @param time Milliseconds since the cluster's. */
const block = (track: number, flags: number, body: Uint8Array, time = 0) =>
  Buffer.concat([Uint8Array.from([0x80 + track, time >> 8, time & 255, flags]), body]);

export interface WebmOptions {
  channels?: number;
  preSkip: number;
  codec?: string;
  /** Samples to discard after the last packet. */
  discard?: number;
  /** How packets share blocks. */
  lacing?: 'none' | 'xiph' | 'fixed' | 'ebml';
  /** Milliseconds of a packet; when the sound begins; after which packet a hole of how many milliseconds. */
  frame?: number;
  begin?: number;
  hole?: { after: number; length: number };
}

/** A WebM file: a track of pictures beside the sound, clusters of unknown size, the last packet in a group. */
export function webmOpus(packets: Uint8Array[], options: WebmOptions): Buffer {
  const { channels = 1, preSkip, codec = 'A_OPUS', discard = 0, lacing = 'none' } = options;
  const track = (number: number, type: number, name: string, more: Buffer[] = []) =>
    element(
      [0xae],
      [
        element([0xd7], Uint8Array.of(number)),
        element([0x83], Uint8Array.of(type)),
        element([0x86], Buffer.from(name)),
        ...more,
      ],
    );
  const tracks = element(
    [0x16, 0x54, 0xae, 0x6b],
    [track(1, 1, 'V_VP9'), track(2, 2, codec, [element([0x63, 0xa2], opusHead(channels, preSkip))])],
  );
  const { frame = 20, begin = 0, hole } = options;
  const timeOf = (index: number) => begin + index * frame + (hole && index > hole.after ? hole.length : 0);
  let index = 0;
  const blocks = laced(packets.slice(0, -1), lacing).map((body) => {
    const time = timeOf(index);
    index += lacing === 'none' ? 1 : (body[0] as number) + 1;
    return element([0xa3], block(2, { none: 0, xiph: 2, fixed: 4, ebml: 6 }[lacing], body, time));
  });
  const padding = Buffer.alloc(8);
  padding.writeBigInt64BE(BigInt(Math.round((discard * 1e9) / 48_000)));
  const last = packets.at(-1) as Uint8Array;
  const group = element(
    [0xa0],
    [element([0xa1], block(2, 0, last, timeOf(packets.length - 1))), element([0x75, 0xa2], padding)],
  );
  const picture = element([0xa3], block(1, 0, new Uint8Array(300_000)));
  const half = Math.floor(blocks.length / 2);
  return Buffer.concat([
    element([0x1a, 0x45, 0xdf, 0xa3], element([0x42, 0x82], Buffer.from('webm'))),
    element(
      [0x18, 0x53, 0x80, 0x67],
      [
        element([0xec], new Uint8Array(50)),
        tracks,
        element(CLUSTER, [element([0xe7], Uint8Array.of(0)), picture, ...blocks.slice(0, half)], true),
        element(CLUSTER, [...blocks.slice(half), group], true),
      ],
      true,
    ),
  ]);
}

function laced(packets: Uint8Array[], lacing: WebmOptions['lacing']): Uint8Array[] {
  if (lacing === 'none') return packets;
  const bodies: Uint8Array[] = [];
  for (let at = 0; at < packets.length; ) {
    const own = [packets[at++] as Uint8Array];
    const fits = (packet: Uint8Array) => lacing !== 'fixed' || packet.length === own[0]?.length;
    while (own.length < 4 && at < packets.length && fits(packets[at] as Uint8Array))
      own.push(packets[at++] as Uint8Array);
    const sizes = own.slice(0, -1).map((packet) => packet.length);
    const written =
      lacing === 'fixed'
        ? []
        : lacing === 'xiph'
          ? sizes.flatMap((size) => [...new Array<number>(Math.floor(size / 255)).fill(255), size % 255])
          : sizes.flatMap((size, i) => {
              const value = i === 0 ? size : size - (sizes[i - 1] as number) + 8191;
              return [0x40 | (value >> 8), value & 255];
            });
    bodies.push(Buffer.concat([Uint8Array.from([own.length - 1, ...written]), ...own]));
  }
  return bodies;
}
