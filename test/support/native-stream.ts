// Drives the engine's three sessions of one stream by hand, as the stages do: audio in pieces, tokens out.
// Nothing of Node's streams, so that what differs here differs in the engine.
import type { NativeFrames, NativeTicket, NativeTokens } from '../../src/engine/addon.js';
import type { StepperOptions } from '../reference/stepper.js';
import type { FrameToken } from '../reference/transducer.js';
import type { NativeGolden } from './native-golden.js';

interface NativeStep extends NativeTicket {
  finalTokens: FrameToken[];
  draftTokens: FrameToken[];
}

export interface NativeRun {
  steps: NativeStep[];
  tokens: FrameToken[];
}

export function frameTokens(tokens: NativeTokens): FrameToken[] {
  return Array.from(tokens.ids, (id, i) => ({
    id,
    start: tokens.starts[i] as number,
    duration: tokens.durations[i] as number,
    confidence: tokens.confidences[i] as number,
  }));
}

/** Sizes of pushes: the sizes given, over and over, until the signal is used up. */
export function* pieces(samples: Float32Array, sizes: readonly number[]): Generator<Float32Array> {
  for (let at = 0, i = 0; at < samples.length; i++) {
    const size = Math.max(1, sizes[i % sizes.length] as number);
    yield samples.slice(at, at + size);
    at += size;
  }
}

/** Runs a whole stream whose audio comes in pieces of `sizes` samples. */
export async function runNative(
  { native }: NativeGolden,
  samples: Float32Array,
  options: StepperOptions,
  sizes: readonly number[],
): Promise<NativeRun> {
  const { normalization } = options;
  const prior = normalization === 'running' ? options.prior : undefined;
  const begun = prior ?? normalization;
  const mel = native.createMel(80);
  const encoder = native.createEncoder({
    chunk: options.chunk,
    lookahead: options.lookahead,
    agreement: options.agreement,
    context: [...options.context],
    cache: options.cache,
    normalization:
      typeof begun === 'string'
        ? begun
        : {
            mean: Float32Array.from(begun.mean),
            std: Float32Array.from(begun.std),
            ...(prior && { frames: prior.frames }),
          },
    emissionDelay: options.emissionDelay,
    hangover: 80,
    gate: false,
    history: 0,
    grow: 1,
    recall: [-1, -1],
  });
  const decoder = native.createDecoder({ head: options.head });
  const steps: NativeStep[] = [];
  const drain = async (frames?: NativeFrames): Promise<void> => {
    for (let ticket = await encoder.step(frames); ticket !== null; ticket = await encoder.step()) {
      const { final, draft } = await decoder.decode(encoder, ticket.ticket, true);
      steps.push({ ...ticket, finalTokens: frameTokens(final), draftTokens: frameTokens(draft) });
    }
  };
  try {
    for (const piece of pieces(samples, sizes)) {
      const frames = await mel.push(piece);
      if (frames.rows > 0) await drain(frames);
    }
    encoder.push(await mel.finish(options.flush));
    encoder.finish(samples.length);
    await drain();
  } finally {
    await Promise.all([mel.close(), encoder.close(), decoder.close()]);
  }
  return { steps, tokens: steps.flatMap((step) => step.finalTokens) };
}

/** A token without its confidence, which only agrees to a tolerance. */
export const placed = (tokens: readonly FrameToken[]): number[][] =>
  tokens.map(({ id, start, duration }) => [id, start, duration]);
