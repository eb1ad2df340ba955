/** Walks over containers that are rows of small pieces: Ogg's pages, Matroska's elements, ASF's objects, MPEG's transport packets. */
import type { Findings, Walk } from './walk.js';

const view = (bytes: Uint8Array) => new DataView(bytes.buffer, bytes.byteOffset, bytes.length);

/** WavPack: a tag at its end is found by seeking, and taken for damage without. */
export function* walkWavPack(findings: Findings): Walk {
  findings.needsSeeking = true;
  // Its blocks are ffmpeg's to count.
  yield { skip: 0, take: 1 };
}

/** Ogg: the last page of each logical stream says that it is the last. */
export function* walkOgg(findings: Findings): Walk {
  findings.needsSeeking = false;
  const open = new Set<number>();
  for (;;) {
    const head = yield { skip: 0, take: 27 };
    if (head.length === 0) {
      if (open.size > 0) findings.missing = 'the last page of its stream';
      return;
    }
    if (Buffer.from(head.subarray(0, 4)).toString('latin1') !== 'OggS') {
      if (head.length < 4) findings.missing = 'the rest of its last page';
      return; // damaged: ffmpeg says so
    }
    const segments = head[26];
    const sizes = segments === undefined ? undefined : yield { skip: 0, take: segments };
    if (!sizes || sizes.length < (segments as number)) {
      findings.missing = 'the rest of its last page';
      return;
    }
    const serial = view(head).getUint32(14, true);
    const flags = head[5] as number;
    if (flags & 2) open.add(serial);
    if (flags & 4) open.delete(serial);
    const size = sizes.reduce((sum, part) => sum + part, 0);
    const last = size > 0 ? yield { skip: size - 1, take: 1 } : head;
    if (last.length < 1) {
      findings.missing = 'the rest of its last page';
      return;
    }
  }
}

const SEGMENT = 0x18538067;
const CLUSTER = 0x1f43b675;

/** Matroska and WebM: the elements of a segment, and those of clusters whose size is not known. */
export function* walkMatroska(findings: Findings): Walk {
  findings.needsSeeking = false;
  let at = 0;
  /** Where the segment ends, if it says so. */
  let segmentEnd: number | undefined;
  for (;;) {
    const first = yield { skip: 0, take: 1 };
    if (first.length < 1) {
      if (segmentEnd !== undefined && at < segmentEnd) findings.missing = 'the rest of its segment';
      return;
    }
    const idLength = Math.clz32(first[0] as number) - 23;
    if (idLength > 4) return; // damaged: ffmpeg says so
    const rest = yield { skip: 0, take: idLength };
    if (rest.length < idLength) {
      findings.missing = 'the rest of its last element';
      return;
    }
    const id = [first[0] as number, ...rest.subarray(0, idLength - 1)].reduce(
      (sum, byte) => sum * 256 + byte,
      0,
    );
    const sizeFirst = rest[idLength - 1] as number;
    const sizeLength = Math.clz32(sizeFirst) - 23;
    if (sizeLength > 8) return;
    const more = yield { skip: 0, take: sizeLength - 1 };
    if (more.length < sizeLength - 1) {
      findings.missing = 'the rest of its last element';
      return;
    }
    const size = more.reduce((sum, byte) => sum * 256 + byte, sizeFirst & (0xff >> sizeLength));
    const known = size !== 2 ** (7 * sizeLength) - 1;
    at += idLength + sizeLength;
    if (id === SEGMENT) {
      if (known) segmentEnd = at + size;
      continue;
    }
    if (!known && id === CLUSTER) continue;
    if (!known) return;
    at += size;
    const last = size > 0 ? yield { skip: size - 1, take: 1 } : first;
    if (last.length < 1) {
      findings.missing = 'the rest of its last element';
      return;
    }
  }
}

/** Windows Media: header, data and indexes with their sizes. */
export function* walkAsf(findings: Findings): Walk {
  findings.needsSeeking = false;
  for (;;) {
    const head = yield { skip: 0, take: 24 };
    if (head.length < 24) {
      if (head.length > 0) findings.missing = 'the rest of its last object';
      return;
    }
    const size = Number(view(head).getBigUint64(16, true)) - 24;
    if (size <= 0 || size > 2 ** 52) return; // a broadcast: its length is unknown
    const last = yield { skip: size - 1, take: 1 };
    if (last.length < 1) {
      findings.missing = 'the rest of its last object';
      return;
    }
  }
}

/** Packets that are looked at together. */
const TRANSPORT_PACKETS = 256;
/** A packet of audio ends within this many packets of the stream. */
const TRANSPORT_TAIL = 1 << 14;

/**
 * MPEG transport stream in packets of `size` bytes, the 188 of MPEG's at `sync`: packets are whole, and so are the larger packets of
 * audio (PES) in them.
 */
export const walkTransport = (size: number, sync: number) =>
  function* (findings: Findings): Walk {
    findings.needsSeeking = false;
    /** Bytes that the last PES packet of each audio stream still lacks. */
    const lacking = new Map<number, number>();
    // For a complete file, its end is sufficient.
    let skip = Math.max(0, Math.floor((findings.size ?? 0) / size) - TRANSPORT_TAIL) * size;
    for (;;) {
      const packets = yield { skip, take: TRANSPORT_PACKETS * size };
      skip = 0;
      for (let at = 0; at + size <= packets.length; at += size) {
        const packet = packets.subarray(at + sync, at + sync + 188);
        if (packet[0] !== 0x47) return; // damaged: ffmpeg says so
        countPes(packet, lacking);
      }
      if (packets.length % size > 0) findings.missing = 'the rest of its last packet';
      else if ([...lacking.values()].some((bytes) => bytes > 0))
        findings.missing = 'the rest of its last packet of audio';
      else delete findings.missing;
      if (packets.length < TRANSPORT_PACKETS * size) return;
    }
  };

function countPes(packet: Uint8Array, lacking: Map<number, number>): void {
  const [, second = 0, third = 0, flags = 0] = packet;
  const id = ((second & 0x1f) << 8) | third;
  if ((flags & 0x10) === 0) return;
  const payload = packet.subarray(4 + (flags & 0x20 ? 1 + (packet[4] ?? 0) : 0));
  if (second & 0x40) {
    const stream = payload[3] ?? 0;
    const isPes = payload[0] === 0 && payload[1] === 0 && payload[2] === 1;
    const length = ((payload[4] ?? 0) << 8) | (payload[5] ?? 0);
    // Audio: MPEG's own, or private (AC-3, DTS). A length of 0 means unknown.
    if (isPes && ((stream >= 0xc0 && stream < 0xe0) || stream === 0xbd || stream === 0xfd) && length > 0) {
      lacking.set(id, length + 6 - payload.length);
    } else lacking.delete(id);
    return;
  }
  const lacks = lacking.get(id);
  if (lacks !== undefined) lacking.set(id, lacks - payload.length);
}
