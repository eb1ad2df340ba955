/**
 * Containers that may hold what we decode ourselves, or something for ffmpeg: waits until the codec is known, then hands everything on.
 */
import type { AudioChunk } from '../../events.js';
import { FfmpegDecoder } from './ffmpeg.js';
import type { FormatDecoder } from './format.js';
import { OggOpusDecoder } from './ogg.js';
import { isPlainOpus } from './opus-head.js';
import { WebmOpusDecoder } from './webm.js';

/** A codec that is not known after so many bytes is ffmpeg's to find. */
export const PROBE_BYTES = 1 << 20;
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

/** Decoder of a container whose codec is not known yet. */
export class ContainerDecoder implements FormatDecoder {
  #decoder: FormatDecoder | undefined;
  #begun: Uint8Array = new Uint8Array(0);

  constructor(
    private readonly probe: Probe,
    private readonly own: () => FormatDecoder,
  ) {}

  async *push(bytes: Uint8Array): AsyncGenerator<AudioChunk> {
    if (this.#decoder) {
      yield* this.#decoder.push(bytes);
      return;
    }
    this.#begun = Buffer.concat([this.#begun, bytes]);
    const ours = this.probe(this.#begun);
    if (ours === undefined && this.#begun.length < PROBE_BYTES) return;
    yield* this.#decide(ours === true);
  }

  async *end(): AsyncGenerator<AudioChunk> {
    if (!this.#decoder) yield* this.#decide(false);
    yield* (this.#decoder as FormatDecoder).end();
  }

  close(): void {
    this.#decoder?.close();
  }

  async *#decide(ours: boolean): AsyncGenerator<AudioChunk> {
    this.#decoder = ours ? this.own() : new FfmpegDecoder();
    const begun = this.#begun;
    this.#begun = new Uint8Array(0);
    yield* this.#decoder.push(begun);
  }
}

/** How to look into a container with these first bytes, if it is one of these. */
export function containerProbe(mark: Uint8Array): Probe | undefined {
  const text = Buffer.from(mark).toString('latin1');
  if (text.startsWith('OggS')) return probeOgg;
  return text.startsWith('\x1aE\xdf\xa3') ? probeWebm : undefined;
}

/** The decoder for a container's first bytes, if it is one of these. */
export function containerDecoder(mark: Uint8Array): ContainerDecoder | undefined {
  const probe = containerProbe(mark);
  if (!probe) return undefined;
  return new ContainerDecoder(probe, () =>
    probe === probeOgg ? new OggOpusDecoder() : new WebmOpusDecoder(),
  );
}
