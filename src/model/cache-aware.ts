/**
 * Which of its contexts a cache-aware model uses. It was trained with a few; the chunk of one, `right` + 1 frames, is the longest that a word
 * waits. Options of other models have no meaning here and are refused.
 */
import type { NativeAttention, NativeEncoderOptions, NativeModelInfo } from '../engine/addon.js';
import type { ArgumentError } from '../errors.js';
import { expected } from '../options.js';
import { inLanguage } from './language.js';
import { type Latency, type LatencyPreset, latencyPresets } from './latency.js';
import { frameSeconds } from './token-placer.js';

/** Longest chunk that a preset takes, in seconds. */
const LONGEST_CHUNK: Readonly<Record<LatencyPreset, number>> = {
  low: 0.16,
  balanced: 0.56,
  accurate: Number.POSITIVE_INFINITY,
};

/** Two numbers of seconds within this are the same. */
const CLOSE = 1e-6;

/** Whether a model is cache-aware: causal, with caches that make a stream equal a whole recording. */
export function isCacheAware({ contexts }: Pick<NativeModelInfo, 'contexts'>): boolean {
  return contexts.length > 0;
}

/**
 * The context for a preset, or for the seconds of a chunk.
 *
 * @throws {@link ArgumentError} for seconds that the model was not trained with, and for other options of latency.
 */
export function contextOf(info: NativeModelInfo, latency: Latency = 'balanced'): NativeAttention {
  const seconds = ([, right]: NativeAttention) => (right + 1) * frameSeconds(info);
  if (typeof latency === 'string') {
    const within = info.contexts.filter((one) => seconds(one) <= LONGEST_CHUNK[latency] + CLOSE);
    return (within.at(-1) ?? info.contexts[0]) as NativeAttention;
  }
  const found =
    typeof latency === 'number' && info.contexts.find((one) => Math.abs(seconds(one) - latency) <= CLOSE);
  if (found) return found;
  throw untrained(
    'latency',
    info.contexts.map((one) => String(Number(seconds(one).toFixed(6)))),
    latency,
  );
}

/** How far frames attend in a whole recording: `wanted` in frames must be a trained context. @throws {@link ArgumentError} */
export function trainedContext(
  info: Pick<NativeModelInfo, 'contexts'>,
  option: string,
  wanted: NativeAttention,
): NativeAttention {
  if (info.contexts.some(([left, right]) => left === wanted[0] && right === wanted[1])) return wanted;
  throw untrained(
    option,
    info.contexts.map((one) => `[${one.join(', ')}] frames`),
    wanted,
  );
}

function untrained(option: string, values: readonly string[], value: unknown): ArgumentError {
  const presets = option === 'latency' ? latencyPresets.map((name) => `'${name}'`) : [];
  return expected(
    `one of ${[...values, ...presets].join(', ')}, which this model was trained with,`,
    option,
    value,
  );
}

/** Options that only models that hear whole recordings have. */
const REFUSED = ['chunk', 'lookahead', 'left', 'agreement', 'depth', 'keepOriginalAttention'] as const;

/** Options of a stream, of which a cache-aware model takes `latency` or `contextSize`. */
export interface ContextOptions extends Partial<Record<(typeof REFUSED)[number], unknown>> {
  latency?: Latency | undefined;
  contextSize?: readonly [left: number, right: number] | undefined;
  normalization?: unknown;
  language?: string | undefined;
}

/** The numbers of a stream that follow from the context. @throws {@link ArgumentError} */
export function resolveContext(
  info: NativeModelInfo,
  options: ContextOptions,
): Pick<NativeEncoderOptions, 'chunk' | 'lookahead' | 'context' | 'cache' | 'normalization' | 'recall'> {
  for (const option of REFUSED) {
    if (options[option] !== undefined && options[option] !== false) {
      throw expected('no value for a cache-aware model', option, options[option], 'Set latency instead.');
    }
  }
  if (options.normalization !== undefined && options.normalization !== 'none') {
    throw expected(
      'no value for a cache-aware model, which takes features as they are,',
      'normalization',
      options.normalization,
    );
  }
  const { contextSize } = options;
  const context =
    contextSize === undefined
      ? contextOf(info, options.latency)
      : trainedContext(info, 'contextSize', [contextSize[0], contextSize[1]]);
  const [left, right] = context;
  return {
    chunk: right + 1,
    lookahead: 0,
    context: inLanguage(info, options.language, context),
    cache: left,
    normalization: 'none',
    recall: inLanguage(info, options.language, info.attention),
  };
}
