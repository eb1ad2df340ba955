/** How much memory one stream of a cache-aware model takes: measured, by encoding silence until its caches are full. */
import type { NativeAttention } from '../engine/addon.js';
import { headsOf } from './decoding.js';
import type { StageModel } from './stage-model.js';
import { resolveStreaming } from './streaming-options.js';

/** Bytes of a stream's state with this context: keys, values, the convolutions' inputs, mel frames, and the decoder. */
export async function streamBytes(model: StageModel, context: NativeAttention): Promise<number> {
  const { info, native } = model;
  const [left, right] = context;
  const encoder = native.createEncoder(resolveStreaming(info, { contextSize: context }));
  const [head] = headsOf(info.architecture);
  const decoder = native.createDecoder({ head: head ?? 'rnnt' });
  try {
    const chunk = (right + 1) * info.subsamplingFactor;
    for (let frames = 0; frames <= left + right + 1; frames += right + 1) {
      const ticket = await encoder.step(new Float32Array(chunk * info.features));
      if (ticket) await decoder.decode(encoder, ticket.ticket, false);
    }
    const [encoded, decoded] = [await encoder.save(), await decoder.save()];
    return encoded.length + decoded.length;
  } finally {
    await Promise.all([encoder.close(), decoder.close()]);
  }
}
