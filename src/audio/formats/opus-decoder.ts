/**
 * Opus packets of one stream to planar floats at 48 kHz, and sound in the place of packets that were lost. Knows no container
 * and no network: what was lost is told to it.
 */
import { broken } from './format.js';
import { type OpusBackend, type OpusHandle, opusBackend } from './opus-backend.js';
import { frameSamplesOf, MAX_PACKET_SAMPLES, parseOpusPacket } from './opus-packet.js';

/** CELT, fullband, 20 ms, mono: what is assumed of a lost packet before the first one that came. */
const DEFAULT_TOC = 0xf8;
const STEREO = 0x04;

/** The decoder of one Opus stream. Packets of any rate and of one or two channels come out at 48 kHz with `channels` channels. */
export class OpusDecoder {
  readonly #handle: OpusHandle;
  #toc: number;
  /** Which library decodes: `'native'` (prism-media's choice) or `'wasm'` (`@evan/opus`). */
  readonly library: OpusBackend['name'];

  /**
   * @param channels Channels that come out; a packet of the other kind is mixed or doubled.
   */
  constructor(
    readonly channels: 1 | 2,
    backend: OpusBackend = opusBackend(),
  ) {
    this.#handle = backend.open(channels);
    this.#toc = DEFAULT_TOC | (channels === 2 ? STEREO : 0);
    this.library = backend.name;
  }

  /**
   * The samples of one packet, one array per channel: 2.5 to 120 ms.
   *
   * @throws {@link AudioError} `ERR_PARAKEET_INVALID_AUDIO` for a packet that is none; the next one can be decoded.
   */
  decode(packet: Uint8Array): Float32Array[] {
    const { toc, frameSamples, frames } = parseOpusPacket(packet);
    const out = planes(this.channels, frames.length * frameSamples);
    // One frame at a time: the WebAssembly library has room for packets of 8 KiB.
    for (const [i, frame] of frames.entries()) this.#frame(toc, frame, out, i * frameSamples);
    this.#toc = toc;
    return out;
  }

  /**
   * Sound in the place of lost packets, made by libopus from what came before: it goes on and fades into noise.
   *
   * @param samples Samples per channel at 48 kHz that are missing: 1 to 5760 (120 ms), best a multiple of the packets' length.
   */
  conceal(samples: number): Float32Array[] {
    if (!(Number.isInteger(samples) && samples >= 1 && samples <= MAX_PACKET_SAMPLES)) {
      throw new RangeError(`Expected 1 to ${MAX_PACKET_SAMPLES} samples to conceal but received ${samples}`);
    }
    const frameSamples = frameSamplesOf(this.#toc);
    const count = Math.ceil(samples / frameSamples);
    const out = planes(this.channels, count * frameSamples);
    // A frame without bytes conceals just one frame. (An empty packet would conceal as much as the library's buffer holds.)
    for (let i = 0; i < count; i++) this.#frame(this.#toc, new Uint8Array(0), out, i * frameSamples);
    return out.map((plane) => plane.subarray(0, samples));
  }

  /** Frees the library's state. */
  close(): void {
    this.#handle.close();
  }

  #frame(toc: number, frame: Uint8Array, out: Float32Array[], at: number): void {
    const packet = new Uint8Array(1 + frame.length);
    packet[0] = toc;
    packet.set(frame, 1);
    let pcm: Int16Array;
    try {
      pcm = this.#handle.decode(packet);
    } catch (error) {
      throw broken(
        'Expected an Opus packet that libopus can decode but it refused one. Check that the input is intact.',
        error,
      );
    }
    for (const [channel, plane] of out.entries()) {
      for (let i = channel, to = at; i < pcm.length; i += this.channels, to++)
        plane[to] = (pcm[i] as number) / 32768;
    }
  }
}

function planes(channels: number, samples: number): Float32Array[] {
  return Array.from({ length: channels }, () => new Float32Array(samples));
}
