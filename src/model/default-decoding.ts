/**
 * How tokens are chosen where the caller says nothing: greedily, or with the language model that comes with the bundled model, where a transcript is to
 * be right rather than early. Resolving options for the engine is in decoding.ts.
 */
import type { NativeModelInfo } from '../engine/addon.js';
import type { DecodingOptions } from './decoding.js';
import type { Latency } from './latency.js';

/** What a transcript is for. */
export interface DecodingGoal {
  mode: 'live' | 'file';
  latency?: Latency | undefined;
}

/** A beam with the language model in the model's folder. Measured: docs/decoding.md. */
const ACCURATE = { type: 'beam', lm: true } as const;

/**
 * The decoding options of a transcript. Whatever `decoding` says wins: the default counts where it says nothing but `confidence`. Beams run on the
 * CPU, so with a GPU the default stays greedy.
 */
export function decodingFor(
  { device, usesLanguageModel }: Pick<NativeModelInfo, 'device' | 'usesLanguageModel'>,
  decoding: DecodingOptions | undefined,
  { mode, latency }: DecodingGoal,
): DecodingOptions | undefined {
  const accurate = mode === 'file' || latency === 'accurate';
  if (!accurate || device === 'gpu' || usesLanguageModel !== true || saysHow(decoding)) return decoding;
  return { ...decoding, ...ACCURATE };
}

/** Whether the options say anything of how tokens are chosen. */
function saysHow(decoding: DecodingOptions | undefined): boolean {
  const { confidence: _, boost = [], ...others } = decoding ?? {};
  return boost.length > 0 || Object.values(others).some((value) => value !== undefined);
}
