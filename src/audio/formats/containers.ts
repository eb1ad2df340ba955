/**
 * Looks into containers that may hold what we decode ourselves, or something for ffmpeg. The containers themselves are `ogg.ts` and
 * `webm.ts`.
 */
import { isPlainOpus } from './opus-head.js';
import { WebmOpusDecoder } from './webm.js';

const OGG_HEAD_BYTES = 27;

/** Whether the beginning of a file holds Opus that we decode: true, false, or undefined when more is needed to know. */
export type Probe = (begun: Uint8Array) => boolean | undefined;

/** For the first bytes of an Ogg file: its first page holds the head of one codec. */
export const probeOgg: Probe = (begun) => {
  const segments = begun[OGG_HEAD_BYTES - 1];
  if (segments === undefined) return undefined;
  const packet = begun.subarray(OGG_HEAD_BYTES + segments);
  return packet.length < 19 ? undefined : isPlainOpus(packet);
};

/** For the first bytes of a WebM file. */
export const probeWebm: Probe = (begun) => {
  try {
    const codec = new WebmOpusDecoder().probe(begun);
    return codec && codec === 'opus';
  } catch {
    return false; // ffmpeg may make something of it
  }
};
