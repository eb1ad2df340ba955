/**
 * The native model with errors of this package's classes: whoever calls it, a stage or `model.transcribe`, gets a `ParakeetError` and
 * never the addon's plain `Error`. Nothing else changes on the way.
 */
import type {
  NativeContext,
  NativeDecoder,
  NativeDecoding,
  NativeEncoder,
  NativeEncoderOptions,
  NativeMel,
  NativeModel,
} from './addon.js';
import { fromNative } from './native-error.js';

/** `model`, and every session that it makes, with typed errors. */
export function typedModel(model: NativeModel): NativeModel {
  return {
    logMel: (samples: Float32Array) => later(() => model.logMel(samples)),
    normalize: (logMel: Float32Array, frames: number) => later(() => model.normalize(logMel, frames)),
    encode: (features: Float32Array, frames: number, context: NativeContext, job: number) =>
      later(() => model.encode(features, frames, context, job)),
    decode: (encoded: Float32Array, frames: number, decoding: NativeDecoding, job: number) =>
      later(() => model.decode(encoded, frames, decoding, job)),
    transcribe: (samples, options) => later(() => model.transcribe(samples, options)),
    recognizeMel: (mel, frames, options) => later(() => model.recognizeMel(mel, frames, options)),
    createMel: () => now(() => typedMel(model.createMel())),
    createEncoder: (options: NativeEncoderOptions) =>
      now(() => new TypedEncoder(model.createEncoder(options))),
    createDecoder: (decoding: NativeDecoding) => now(() => typedDecoder(model.createDecoder(decoding))),
    close: () => later(() => model.close()),
  };
}

function typedMel(mel: NativeMel): NativeMel {
  return {
    push: (samples) => later(() => mel.push(samples)),
    finish: (flush) => later(() => mel.finish(flush)),
    save: () => later(() => mel.save()),
    load: (state) => later(() => mel.load(state)),
    close: () => later(() => mel.close()),
  };
}

/** A class, since the decoder must find the addon's own object in it. */
class TypedEncoder implements NativeEncoder {
  constructor(readonly native: NativeEncoder) {}

  push(data: Float32Array): void {
    now(() => this.native.push(data));
  }
  finish(samples: number): void {
    now(() => this.native.finish(samples));
  }
  flush(silence: number): void {
    now(() => this.native.flush(silence));
  }
  save() {
    return later(() => this.native.save());
  }
  load(state: Uint8Array) {
    return later(() => this.native.load(state));
  }
  step() {
    return later(() => this.native.step());
  }
  close() {
    return later(() => this.native.close());
  }
}

function typedDecoder(decoder: NativeDecoder): NativeDecoder {
  const own = (encoder: NativeEncoder) => (encoder instanceof TypedEncoder ? encoder.native : encoder);
  return {
    decode: (encoder, ticket, draft) => later(() => decoder.decode(own(encoder), ticket, draft)),
    hearAgain: (encoder, from, until) => later(() => decoder.hearAgain(own(encoder), from, until)),
    setBoost: (boost) => later(() => decoder.setBoost(boost)),
    save: () => later(() => decoder.save()),
    load: (state) => later(() => decoder.load(state)),
    close: () => later(() => decoder.close()),
  };
}

function now<T>(call: () => T): T {
  try {
    return call();
  } catch (error) {
    throw fromNative(error);
  }
}

async function later<T>(call: () => Promise<T>): Promise<T> {
  try {
    return await call();
  } catch (error) {
    throw fromNative(error);
  }
}
