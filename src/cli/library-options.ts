/**
 * From the command line's values to the library's options, as far as the commands share them.
 */

import type { LoadModelOptions } from '../load-model.js';
import { readBoostFile } from '../model/boost.js';
import type { DecodingOptions } from '../model/decoding.js';
import type { LanguageModelOptions, LanguageModelShare } from '../model/language-model.js';
import type { WindowOptions } from '../recordings/window-plan.js';
import type { SentenceOptions } from '../text/sentence-options.js';
import type { Values } from './cli-option.js';

/** Frame duration of every Parakeet model's encoder. */
const FRAME_SECONDS = 0.08;

/** How the model is loaded. */
export function loadOptions(values: Values): Pick<LoadModelOptions, 'dtype' | 'threads' | 'cacheDir'> {
  return pick(values, ['dtype', 'threads', 'cacheDir']);
}

/** Where sentences end. */
export function sentenceOptions(values: Values): SentenceOptions {
  return {
    maxWords: values.maxWords as number | undefined,
    maxGap: values.silenceGap as number | undefined,
    maxDuration: values.maxDuration as number | undefined,
  };
}

/**
 * How tokens are chosen. The beam's options, which may come from the environment, apply to beam search only. What nobody said is the library's to
 * decide: the default of the bundled model is no option's.
 */
export async function decodingOptions(
  values: Values,
  said: (option: string) => boolean,
): Promise<DecodingOptions> {
  const type = values.decoding as 'greedy' | 'beam';
  const boost = values.boost as string | undefined;
  return {
    ...((said('decoding') || type === 'beam') && { type }),
    ...pick<DecodingOptions>(values, ['head', 'confidence']),
    ...(type === 'beam' &&
      pick<DecodingOptions>(values, ['beamSize', 'search', 'lengthPenalty', 'patience', 'durationReward'])),
    ...(boost !== undefined && { boost: await readBoostFile(boost) }),
    ...languageModelOptions(values),
  };
}

function languageModelOptions(values: Values): LanguageModelOptions {
  const files = values.lm as string[] | undefined;
  if (files === undefined) return {};
  const [only = ''] = files.length === 1 ? files : [];
  if (only === 'none') return { lm: false };
  const weights = pick<LanguageModelOptions>(values, ['lmWeight', 'tokenBonus', 'internalLmWeight']);
  return { lm: only === 'model' ? true : files.map(share), ...weights };
}

/** `FILE` or `FILE=WEIGHT`. */
function share(text: string): LanguageModelShare {
  const [, path = text, weight] = /^(.*)=(\d+(?:\.\d+)?)$/.exec(text) ?? [];
  return { path, ...(weight !== undefined && { weight: Number(weight) }) };
}

/** How long recordings are cut into windows. parakeet-mlx gives local attention in frames of 80 ms. */
export function windowOptions(values: Values): WindowOptions {
  const side = (values.localAttentionContextSize as number) * FRAME_SECONDS;
  const duration = values.chunkDuration as number;
  return {
    duration: duration === 0 ? Number.POSITIVE_INFINITY : duration,
    overlap: duration === 0 ? undefined : (values.overlapDuration as number),
    ...(values.attention === 'local' && { attention: { left: side, right: side } }),
  };
}

/** The values that were given or have a default, by the library's names. */
export function pick<T>(values: Values, names: readonly (keyof T & string)[]): T {
  const given = names.filter((name) => values[name] !== undefined);
  return Object.fromEntries(given.map((name) => [name, values[name]])) as T;
}
