/**
 * libopus: one frame in, interleaved 16-bit samples out. prism-media says which native one there is (`@discordjs/opus`, else
 * `node-opus`), and its `opus.Decoder` decodes on it; where there is none, `@evan/opus` (WebAssembly) does. What the samples mean is
 * `opus-decoder.ts`'s matter.
 *
 * Of what is needed here prism-media's decoder lacks: it ends with the first packet that libopus refuses (another one is opened then,
 * without what libopus remembered of the sound before); it conceals no losses and skips no pre-skip (opus-decoder.ts and opus-track.ts
 * do).
 *
 * Not its third choice, `opusscript`: that takes addresses of 16-bit words for addresses of bytes, so that beyond some twenty decoders
 * they write into each other, and further ones give nothing (0.0.8 and 0.1.1). Nor `opus-decoder`: of random bytes in place of a packet
 * its stereo decoder goes on with NaN, or traps and is lost (0.7.12).
 */
import type prism from 'prism-media';
import { nodeRequire } from '../../node-require.js';
import { OPUS_RATE } from './opus-packet.js';

/** One stream's decoder. */
export interface OpusHandle {
  /** Decodes a packet of a single frame. Throws what the library throws. */
  decode(packet: Uint8Array): Int16Array;
  close(): void;
}

/** A libopus. */
export interface OpusBackend {
  readonly name: 'native' | 'wasm';
  open(channels: 1 | 2): OpusHandle;
}

/** Samples per channel of a frame of 20 ms: prism-media asks for it, its decoder does not need it. */
const FRAME_SAMPLES = 960;
const require = nodeRequire(import.meta.url);

/**
 * Loaded when the first Opus packet comes. Required, not imported: bundlers follow an import to the packages that it may load, and stop
 * where they are not installed.
 */
const prismOpus = () => (require('prism-media') as typeof prism).opus;

let chosen: OpusBackend | undefined;

/** The native library, or else the WebAssembly one. */
export function opusBackend(): OpusBackend {
  chosen ??= nativeOpus() ?? wasmOpus();
  return chosen;
}

/** prism-media's decoder on `@discordjs/opus` or `node-opus`; undefined when it finds neither. */
export function nativeOpus(): OpusBackend | undefined {
  try {
    openPrism(1).destroy();
  } catch {
    return undefined;
  }
  if (prismOpus().Decoder.type === 'opusscript') return undefined;
  return { name: 'native', open: (channels) => new PrismHandle(channels) };
}

function openPrism(channels: 1 | 2): prism.opus.Decoder {
  const decoder = new (prismOpus().Decoder)({ rate: OPUS_RATE, channels, frameSize: FRAME_SAMPLES });
  // It is read from `errored`, where it stands at once.
  return decoder.on('error', () => {});
}

class PrismHandle implements OpusHandle {
  #decoder: prism.opus.Decoder;

  constructor(private readonly channels: 1 | 2) {
    this.#decoder = openPrism(channels);
  }

  decode(packet: Uint8Array): Int16Array {
    this.#decoder.write(Buffer.from(packet.buffer, packet.byteOffset, packet.byteLength));
    const bytes = this.#decoder.read() as Buffer | null;
    if (bytes) return shorts(bytes);
    const refusal = this.#decoder.errored ?? new Error('it gave no samples');
    this.#decoder.destroy();
    this.#decoder = openPrism(this.channels);
    throw refusal;
  }

  close(): void {
    this.#decoder.destroy();
  }
}

/** What of `@evan/opus` is used. Its memory is freed when the object is collected. */
interface WasmModule {
  Decoder: new (options: {
    channels: 1 | 2;
    sample_rate: number;
  }) => { decode(packet: Uint8Array): Uint8Array };
}

/** `@evan/opus`, of which the WebAssembly part is the same on all platforms. */
export function wasmOpus(): OpusBackend {
  const { Decoder } = require('@evan/opus/wasm/index.js') as WasmModule;
  return {
    name: 'wasm',
    open(channels) {
      const decoder = new Decoder({ channels, sample_rate: OPUS_RATE });
      return { decode: (packet) => shorts(decoder.decode(packet)), close() {} };
    },
  };
}

/** Samples are 16 bits in the machine's order, and Node runs on little-endian machines; a buffer of their own, so aligned. */
function shorts(bytes: Uint8Array): Int16Array {
  return new Int16Array(bytes.buffer, bytes.byteOffset, bytes.byteLength / 2);
}
