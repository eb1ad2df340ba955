// Small cache-aware models in folders that load, and their parts by hand: a stream's tokens, and those of the whole signal.
import path from 'node:path';
import { randomModel } from '../../bench/random-model.mjs';
import type {
  NativeContext,
  NativeDecoding,
  NativeEncoderOptions,
  NativeFrames,
} from '../../src/engine/addon.js';
import type { Model } from '../../src/model.js';
import type { FrameToken } from '../reference/transducer.js';
import { frameTokens, pieces } from './native-stream.js';

/** The golden model of transformers' layout. */
export const cacheAwareGoldens = path.join(
  import.meta.dirname,
  '..',
  'goldens',
  'transformers-cache-aware-rnnt',
);

/** A shape of a random model. */
export interface CacheAwareShape {
  layers: number;
  width: number;
  heads: number;
  features: number;
  convKernel: number;
  subsamplingFactor: number;
  subsamplingChannels: number;
  useBias: boolean;
  contexts: [left: number, right: number][];
  /** Whether some tokens end utterances. */
  marks: boolean;
  /** Languages that the model is told. */
  prompts: Record<string, number>;
}

/** Writes a small model with random weights, whose tokens are far from ties, to `folder`. */
export function randomCacheAware(folder: string, shape: Partial<CacheAwareShape> = {}): string {
  const small = {
    layers: 3,
    width: 64,
    heads: 4,
    features: 40,
    convKernel: 9,
    subsamplingFactor: 8,
    subsamplingChannels: 16,
    vocabulary: 63,
    hidden: 48,
    lstm: 1,
    useBias: true,
    ctc: false,
    contexts: [
      [8, 3],
      [8, 1],
      [8, 0],
    ],
  };
  return randomModel('custom', { dtype: 'float32', size: { ...small, ...shape }, out: folder });
}

/** A native stream's options for one of the model's contexts. */
export function cacheAwareOptions(
  [left, right]: NativeContext,
  more: Partial<NativeEncoderOptions> = {},
): NativeEncoderOptions {
  return {
    chunk: right + 1,
    lookahead: 0,
    context: [left, right],
    cache: left,
    normalization: 'none',
    emissionDelay: 1000,
    hangover: 80,
    gate: false,
    history: 0,
    grow: 1,
    recall: [left, right],
    ...more,
  };
}

/** The tokens of a stream whose audio comes in pieces of `sizes` samples, and the frames that each step made final. */
export async function streamTokens(
  { native }: Model,
  samples: Float32Array,
  options: NativeEncoderOptions,
  sizes: readonly number[],
  flush = 0,
  decoding: NativeDecoding = { head: 'rnnt' },
): Promise<{ tokens: FrameToken[]; finals: number[] }> {
  const mel = native.createMel(80);
  const encoder = native.createEncoder(options);
  const decoder = native.createDecoder(decoding);
  const tokens: FrameToken[] = [];
  const finals: number[] = [];
  const drain = async (frames?: NativeFrames): Promise<void> => {
    for (let ticket = await encoder.step(frames); ticket !== null; ticket = await encoder.step()) {
      const { final } = await decoder.decode(encoder, ticket.ticket, true);
      tokens.push(...frameTokens(final));
      finals.push(ticket.final);
    }
  };
  try {
    for (const piece of pieces(samples, sizes)) {
      const frames = await mel.push(piece);
      if (frames.rows > 0) await drain(frames);
    }
    encoder.push(await mel.finish(flush));
    encoder.finish(samples.length);
    await drain();
  } finally {
    await Promise.all([mel.close(), encoder.close(), decoder.close()]);
  }
  return { tokens, finals };
}

/** The tokens of the whole signal in one pass. */
export async function wholeTokens(
  { native }: Model,
  samples: Float32Array,
  context: NativeContext,
  flush = 0,
  decoding: NativeDecoding = { head: 'rnnt' },
): Promise<FrameToken[]> {
  const padded = new Float32Array(samples.length + flush);
  padded.set(samples);
  const mel = await native.logMel(padded);
  if (mel.rows === 0) return [];
  const encoded = await native.encode(mel.data, mel.rows, context, 0);
  return frameTokens(await native.decode(encoded.data, encoded.rows, decoding, 0));
}

export const confidences = (tokens: readonly FrameToken[]): number[] =>
  tokens.map((token) => token.confidence);
