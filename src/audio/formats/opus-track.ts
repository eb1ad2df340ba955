/**
 * The Opus packets of one track in a container to audio: trims the start (pre-skip) and, if the container says so, the end; applies the
 * output gain. The framing of the container is in ogg.ts and webm.ts.
 */
import { cut, type Damage, type DecodedChunk, lostAudio, silence } from './format.js';
import { OpusDecoder } from './opus-decoder.js';
import type { OpusHead } from './opus-head.js';
import { OPUS_RATE, parseOpusPacket } from './opus-packet.js';

/** The longest gap that is filled, in seconds: a longer one is an error in a time. */
const LONGEST_HOLE = 3600;
/** Samples of a packet that cannot even be parsed, before the first that can. */
const USUAL_PACKET = 960;

/** Samples of one piece of audio, or silence for a packet that cannot be decoded. */
interface Part {
  planes: Float32Array[];
  lost: boolean;
}

export class OpusTrack {
  readonly #decoder: OpusDecoder;
  #skip: number;
  #usual = USUAL_PACKET;
  /** Samples per channel so far: decoded ones, including those of the pre-skip, and silence for gaps. */
  position = 0;

  /** @param damage Where packets that cannot be decoded are recorded. @param before Seconds of audio before this track's. */
  constructor(
    private readonly head: OpusHead,
    private readonly damage: Damage,
    private readonly before: number,
  ) {
    this.#decoder = new OpusDecoder(head.channels);
    this.#skip = head.preSkip;
  }

  /** Seconds of audio that were emitted, including those before this track. */
  get time(): number {
    return this.before + Math.max(0, this.position - this.head.preSkip) / OPUS_RATE;
  }

  /**
   * Silence for `samples` that the container has no packets for.
   *
   * @param damage Why, when they are lost rather than never there.
   */
  *hole(samples: number, damage?: string): Generator<DecodedChunk> {
    if (samples <= 0 || samples > LONGEST_HOLE * OPUS_RATE) return;
    if (damage !== undefined) this.damage.add(this.time, samples / OPUS_RATE, damage);
    this.position += samples;
    const fill = damage === undefined ? silence : lostAudio;
    yield* fill(samples, this.head.channels, OPUS_RATE);
  }

  /** The samples of packets, without the last `trim` of them. */
  *decode(
    packets: readonly Uint8Array[],
    trim: (position: number) => number = () => 0,
  ): Generator<DecodedChunk> {
    const parts: Part[] = [];
    let length = 0;
    for (const packet of packets) {
      const part = this.#decode(packet, length);
      length += part.planes[0]?.length ?? 0;
      parts.push(part);
    }
    this.position += length;
    const end = length - Math.min(length, Math.max(0, trim(this.position)));
    const begin = Math.min(this.#skip, end);
    this.#skip -= Math.min(this.#skip, length);
    let at = 0;
    for (const { planes, lost } of joined(parts)) {
      const size = planes[0]?.length ?? 0;
      const kept = planes.map((plane) =>
        plane.subarray(Math.max(0, begin - at), Math.max(0, Math.min(size, end - at))),
      );
      at += size;
      for (const chunk of cut(kept, OPUS_RATE)) yield lost ? { ...chunk, lost: true } : chunk;
    }
  }

  close(): void {
    this.#decoder.close();
  }

  #decode(packet: Uint8Array, ahead: number): Part {
    try {
      const planes = this.#decoder.decode(packet);
      this.#usual = planes[0]?.length ?? USUAL_PACKET;
      const { gain } = this.head;
      return {
        planes: gain === 1 ? planes : planes.map((plane) => plane.map((value) => value * gain)),
        lost: false,
      };
    } catch (error) {
      const samples = samplesOf(packet) ?? this.#usual;
      this.damage.add(
        this.time + ahead / OPUS_RATE,
        samples / OPUS_RATE,
        'an Opus packet cannot be decoded',
        error,
      );
      return {
        planes: Array.from({ length: this.head.channels }, () => new Float32Array(samples)),
        lost: true,
      };
    }
  }
}

/** Samples per channel of a packet; undefined for an invalid one. */
export function samplesOf(packet: Uint8Array): number | undefined {
  try {
    const { frames, frameSamples } = parseOpusPacket(packet);
    return frames.length * frameSamples;
  } catch {
    return undefined;
  }
}

/** Joins adjacent pieces of one kind. */
function* joined(parts: readonly Part[]): Generator<Part> {
  for (let from = 0; from < parts.length; ) {
    const lost = parts[from]?.lost === true;
    let to = from;
    while (to < parts.length && parts[to]?.lost === lost) to++;
    const run = parts.slice(from, to);
    from = to;
    const length = run.reduce((sum, { planes }) => sum + (planes[0]?.length ?? 0), 0);
    const planes = Array.from({ length: run[0]?.planes.length ?? 0 }, (_, channel) => {
      const all = new Float32Array(length);
      let at = 0;
      for (const part of run) {
        const plane = part.planes[channel] as Float32Array;
        all.set(plane, at);
        at += plane.length;
      }
      return all;
    });
    yield { planes, lost };
  }
}
