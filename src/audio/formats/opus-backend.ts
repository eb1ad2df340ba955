/**
 * libopus, native (`@discordjs/opus`) or as WebAssembly (`opusscript`): one frame in, interleaved 16-bit samples out. Which one
 * is there is decided once; what the samples mean is up to `opus-decoder.ts`.
 */
import { createRequire } from 'node:module';
import { DependencyError } from '../../errors.js';
import { OPUS_RATE } from './opus-packet.js';

/** One stream's decoder. */
export interface OpusHandle {
  /** Decodes a packet of a single frame. The samples are valid until the next call. Throws what the library throws. */
  decode(packet: Uint8Array): Int16Array;
  close(): void;
}

/** A libopus. */
export interface OpusBackend {
  readonly name: 'native' | 'wasm';
  open(channels: 1 | 2): OpusHandle;
}

const require = createRequire(import.meta.url);
let chosen: OpusBackend | undefined;

/**
 * The native library, or else the WebAssembly one.
 *
 * @throws {@link DependencyError} `ERR_PARAKEET_MISSING_DEPENDENCY` when neither can be loaded.
 */
export function opusBackend(): OpusBackend {
  chosen ??= pick();
  return chosen;
}

function pick(): OpusBackend {
  try {
    return nativeOpus();
  } catch (native) {
    try {
      return wasmOpus();
    } catch (wasm) {
      throw new DependencyError(
        'Expected @discordjs/opus or opusscript to decode Opus but neither could be loaded ' +
          `(${(wasm as Error).message}). Run: npm install opusscript`,
        { cause: native },
      );
    }
  }
}

interface NativeModule {
  OpusEncoder: new (rate: number, channels: number) => { decode(packet: Buffer): Buffer };
}

/** @discordjs/opus. Throws when it is not installed, or was not built. */
export function nativeOpus(): OpusBackend {
  const { OpusEncoder } = require('@discordjs/opus') as NativeModule;
  return {
    name: 'native',
    open(channels) {
      const codec = new OpusEncoder(OPUS_RATE, channels);
      return {
        decode(packet) {
          const bytes = codec.decode(Buffer.from(packet.buffer, packet.byteOffset, packet.byteLength));
          // Samples are 16 bits in the machine's order, and Node runs on little-endian machines; an own buffer, so aligned.
          return new Int16Array(bytes.buffer, bytes.byteOffset, bytes.byteLength / 2);
        },
        close() {},
      };
    },
  };
}

interface WasmHandler {
  _decode(input: number, bytes: number, output: number): number;
  _decoder_ctl(request: number, value: number): number;
}
interface WasmModule {
  HEAPU8: Uint8Array;
  HEAP16: Int16Array;
  _malloc(bytes: number): number;
  OpusScriptHandler: new (rate: number, channels: number, application: number) => WasmHandler;
}

const APPLICATION_AUDIO = 2049;
const RESET_STATE = 4028;
const MAX_INPUT_BYTES = 1276;
/** What the module's own buffer holds per call: 60 ms. */
const MAX_FRAME_SAMPLES = 2880;
let wasmModule: WasmModule | undefined;

/**
 * opusscript's WebAssembly, without its JavaScript: that takes addresses of 16-bit words for addresses of bytes, so its output
 * lies outside of what it allocated: with some twenty decoders they write into each other, and further ones give nothing (0.0.8).
 */
export function wasmOpus(): OpusBackend {
  wasmModule ??= (require('opusscript/build/opusscript_native_wasm.js') as () => WasmModule)();
  const module = wasmModule;
  return {
    name: 'wasm',
    open(channels) {
      // The module frees only part of a handler's memory, so handlers are used again.
      const parts = idle[channels].pop() ?? allocate(module, channels);
      let open = true;
      return {
        decode(packet) {
          if (!open || packet.length > MAX_INPUT_BYTES) throw new RangeError('Frame too long');
          // The heap's views are replaced when it grows.
          module.HEAPU8.set(packet, parts.input);
          const samples = parts.handler._decode(parts.input, packet.length, parts.output);
          if (samples < 0) throw new Error(`libopus returned ${samples}`);
          // Each 16-bit word of the output holds one byte.
          const words = module.HEAP16.subarray(parts.output / 2, parts.output / 2 + 2 * samples * channels);
          const pcm = parts.pcm.subarray(0, samples * channels);
          for (let i = 0; i < pcm.length; i++) {
            pcm[i] = ((words[2 * i + 1] as number) << 8) | (words[2 * i] as number);
          }
          return pcm;
        },
        close() {
          if (!open) return;
          open = false;
          parts.handler._decoder_ctl(RESET_STATE, 0);
          idle[channels].push(parts);
        },
      };
    },
  };
}

interface WasmParts {
  handler: WasmHandler;
  input: number;
  output: number;
  pcm: Int16Array;
}
const idle: Record<1 | 2, WasmParts[]> = { 1: [], 2: [] };

function allocate(module: WasmModule, channels: 1 | 2): WasmParts {
  return {
    handler: new module.OpusScriptHandler(OPUS_RATE, channels, APPLICATION_AUDIO),
    input: module._malloc(MAX_INPUT_BYTES),
    output: module._malloc(MAX_FRAME_SAMPLES * channels * 4),
    pcm: new Int16Array(MAX_FRAME_SAMPLES * channels),
  };
}
