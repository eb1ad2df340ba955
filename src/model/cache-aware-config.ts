/**
 * The keys by which NeMo's configuration says that a model is cache-aware: causal, with attention limited to chunks. All must be there and
 * agree: a model of which one part sees ahead would not stream as it was trained.
 */
import type { NativeAttention } from '../engine/addon.js';
import type { Section } from './config-section.js';

/** Largest context in frames: 13 minutes. */
const MAX_FRAMES = 10_000;

/**
 * The contexts that a cache-aware model was trained with, the shortest chunk first; empty for any other model.
 *
 * @throws {@link ModelError} `ERR_PARAKEET_INVALID_CONFIG` or `ERR_PARAKEET_UNSUPPORTED_MODEL` naming a key that is missing or contradicts
 * the others.
 */
export function readContexts(encoder: Section, preprocessor: Section): NativeAttention[] {
  const causal =
    encoder.get('att_context_style') === 'chunked_limited' ||
    encoder.get('causal_downsampling') === true ||
    encoder.get('conv_context_size') === 'causal';
  if (!causal) {
    encoder.only('causal_downsampling', [false], false);
    encoder.only('att_context_style', ['regular', 'chunked_limited_with_rc'], 'regular');
    return [];
  }
  encoder.only('att_context_style', ['chunked_limited']);
  encoder.only('causal_downsampling', [true]);
  encoder.only('conv_context_size', ['causal']);
  encoder.only('conv_norm_type', ['layer_norm']);
  encoder.only('self_attention_model', ['rel_pos']);
  preprocessor.only('normalize', ['NA']);
  const contexts = readPairs(encoder);
  return contexts.sort(([, one], [, other]) => one - other);
}

/**
 * How far back a chunk attends in a model that was trained with chunks of all kinds and without (`parakeet-unified`): the largest of its
 * left contexts. Undefined for other models.
 *
 * @throws {@link ModelError} `ERR_PARAKEET_INVALID_CONFIG`
 */
export function readChunkLeft(encoder: Section): number | undefined {
  if (encoder.get('att_context_style') !== 'chunked_limited_with_rc') return undefined;
  const key = 'att_chunk_context_size';
  const value = encoder.get(key);
  const [lefts] = Array.isArray(value) && value.length === 3 ? (value as unknown[]) : [];
  if (Array.isArray(lefts) && lefts.length > 0 && lefts.every(isFrames))
    return Math.max(...(lefts as number[]));
  throw encoder.invalid(
    key,
    `lists of left contexts, chunks and right contexts from 0 to ${MAX_FRAMES}`,
    value,
  );
}

function isFrames(one: unknown): boolean {
  return typeof one === 'number' && Number.isInteger(one) && one >= 0 && one <= MAX_FRAMES;
}

/** One pair, or a list of pairs. */
function readPairs(encoder: Section): NativeAttention[] {
  const key = 'att_context_size';
  const value = encoder.get(key);
  const pairs: unknown[] = Array.isArray(value) && Array.isArray(value[0]) ? value : [value];
  const contexts = pairs.map((pair): NativeAttention => {
    if (!Array.isArray(pair) || pair.length !== 2 || !pair.every(isFrames)) {
      throw encoder.invalid(key, `[left, right] from 0 to ${MAX_FRAMES}, or a list of such pairs,`, value);
    }
    const [left, right] = pair as NativeAttention;
    if (left % (right + 1) !== 0) {
      throw encoder.invalid(key, `whole chunks of right + 1 = ${right + 1} frames to the left`, pair);
    }
    return [left, right];
  });
  if (new Set(contexts.map(([, right]) => right)).size !== contexts.length) {
    throw encoder.invalid(key, 'pairs with a right context each of their own', value);
  }
  return contexts;
}
