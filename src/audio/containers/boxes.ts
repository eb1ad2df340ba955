/** Walks over containers that are lists of sized boxes: ISO media (MP4, M4A, QuickTime), AIFF, CAF, Wave64. */
import type { Findings, Walk } from './walk.js';

const text = (bytes: Uint8Array, at: number) => Buffer.from(bytes.subarray(at, at + 4)).toString('latin1');
const view = (bytes: Uint8Array) => new DataView(bytes.buffer, bytes.byteOffset, bytes.length);

/** MP4, M4A, QuickTime, 3GP: the boxes of the outermost level. */
export function* walkIsoMedia(findings: Findings): Walk {
  for (;;) {
    const head = yield { skip: 0, take: 8 };
    if (head.length < 8) return end(findings, head.length);
    const kind = text(head, 4);
    if (kind === 'ftyp' && findings.needsSeeking !== undefined) {
      findings.more = 'a second file behind the first, which ffmpeg does not read';
      return;
    }
    // The description of all samples: what comes after it can be read as it arrives.
    if (kind === 'moov' || kind === 'moof') findings.needsSeeking ??= false;
    if (kind === 'mdat') findings.needsSeeking ??= true;
    let size = view(head).getUint32(0);
    let headLength = 8;
    if (size === 1) {
      const long = yield { skip: 0, take: 8 };
      if (long.length < 8) return end(findings, 1);
      size = Number(view(long).getBigUint64(0));
      headLength = 16;
    }
    if (size === 0) return; // to the end of the file
    if (size < headLength || !/^[\x20-\x7e\xa9]{4}$/.test(kind)) return; // no box: ffmpeg has to see what it is
    // The last byte of a box, so that its absence is noticed.
    if (size > headLength) {
      const last = yield { skip: size - headLength - 1, take: 1 };
      if (last.length < 1) return end(findings, 1);
    }
  }
}

/** AIFF: the description (`COMM`) may come after the samples (`SSND`). */
export function* walkAiff(findings: Findings): Walk {
  const head = yield { skip: 0, take: 12 };
  if (head.length < 12) return end(findings, 1);
  const total = view(head).getUint32(4) + 8;
  for (let at = 12; at + 8 <= total; ) {
    const chunk = yield { skip: 0, take: 8 };
    if (chunk.length < 8) return end(findings, 1);
    const kind = text(chunk, 0);
    if (kind === 'COMM') findings.needsSeeking ??= false;
    if (kind === 'SSND') findings.needsSeeking ??= true;
    const size = view(chunk).getUint32(4);
    at += 8 + size + (size % 2);
    const last = size > 0 ? yield { skip: size - 1, take: 1 } : chunk;
    if (last.length < 1) return end(findings, 1);
    // The padding of the last chunk is often left out.
    if (size % 2 === 1) yield { skip: 0, take: 1 };
  }
  const next = yield { skip: 0, take: 4 };
  if (text(next, 0) === 'FORM') findings.more = 'a second file behind the first, which ffmpeg does not read';
}

/** RIFF: AVI, and WAV of codings that are not ours. Large AVI files are several of them. */
export function* walkRiff(findings: Findings): Walk {
  findings.needsSeeking = false;
  for (;;) {
    const head = yield { skip: 0, take: 8 };
    if (head.length < 8 || text(head, 0) !== 'RIFF') return; // what follows the last one belongs to nothing
    const size = view(head).getUint32(4, true);
    if (size === 0 || size >= 0x7fffff00) return; // never updated by the writer
    const last = yield { skip: size - 1, take: 1 };
    if (last.length < 1) return end(findings, 1);
    if (size % 2 === 1) yield { skip: 0, take: 1 };
  }
}

/** Core Audio: what describes the packets may come after them, and not every ffmpeg reads it from a pipe. */
export function* walkCaf(findings: Findings): Walk {
  findings.needsSeeking = true;
  yield { skip: 0, take: 8 };
  for (;;) {
    const chunk = yield { skip: 0, take: 12 };
    if (chunk.length < 12) return end(findings, chunk.length);
    const size = Number(view(chunk).getBigInt64(4));
    if (size < 0) return; // data of unknown size: to the end
    const last = size > 0 ? yield { skip: size - 1, take: 1 } : chunk;
    if (last.length < 1) return end(findings, 1);
  }
}

/** Sony's Wave64: chunks with a GUID, their size includes their head. */
export function* walkWave64(findings: Findings): Walk {
  findings.needsSeeking = false;
  yield { skip: 0, take: 40 };
  for (;;) {
    const chunk = yield { skip: 0, take: 24 };
    if (chunk.length < 24) return end(findings, chunk.length);
    const size = Number(view(chunk).getBigUint64(16, true)) - 24;
    if (size < 0 || size > 2 ** 52) return; // never updated by the writer
    const last = size > 0 ? yield { skip: size - 1, take: 1 } : chunk;
    if (last.length < 1) return end(findings, 1);
    yield { skip: 0, take: (8 - (size % 8)) % 8 };
  }
}

/** @param part Bytes of a box that has begun. */
function end(findings: Findings, part: number): void {
  if (part > 0) findings.missing = 'the rest of its last box';
}
