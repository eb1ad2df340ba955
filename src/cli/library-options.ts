/**
 * From the command line's names to the library's options, for what the commands share.
 */
import { type BoostPhrase, readBoostFile } from '../model/boost.js';
import type { DecodingOptions } from '../model/decoding.js';
import type { LoadModelOptions } from '../model/load-model.js';
import type { Parsed } from './options.js';

type Values = Parsed['values'];

/** The model's name (`undefined`: the bundled one) and how it is loaded. */
export function modelOptions(values: Values) {
  return {
    name: values.get('model') as string | undefined,
    options: {
      dtype: values.get('dtype') as LoadModelOptions['dtype'],
      ...optional(values, 'threads', 'threads'),
      ...optional(values, 'cache-dir', 'cacheDir'),
    },
  };
}

/** Where sentences end. */
export function sentenceOptions(values: Values): {
  maxWords?: number;
  silenceGap?: number;
  maxDuration?: number;
} {
  return {
    ...optional(values, 'max-words', 'maxWords'),
    ...optional(values, 'silence-gap', 'silenceGap'),
    ...optional(values, 'max-duration', 'maxDuration'),
  };
}

/** How words are chosen. As in parakeet-mlx, the beam's options mean something with a beam only. */
export async function decodingOptions(
  values: Values,
): Promise<{ decoding: DecodingOptions; boost?: BoostPhrase[] }> {
  const type = values.get('decoding') as 'greedy' | 'beam';
  const file = values.get('boost') as string | undefined;
  return {
    decoding: {
      type,
      ...optional(values, 'head', 'head'),
      ...(type === 'beam' && {
        ...optional(values, 'beam-size', 'beamSize'),
        ...optional(values, 'length-penalty', 'lengthPenalty'),
        ...optional(values, 'patience', 'patience'),
        ...optional(values, 'duration-reward', 'durationReward'),
      }),
    },
    ...(file !== undefined && { boost: await readBoostFile(file) }),
  };
}

/** Which part of a recording is heard. */
export function excerptOptions(values: Values): { start?: number; duration?: number; stream?: number } {
  return {
    ...optional(values, 'start', 'start'),
    ...optional(values, 'duration', 'duration'),
    ...optional(values, 'audio-stream', 'stream'),
  };
}

function optional(values: Values, name: string, property: string): Record<string, never> {
  const value = values.get(name);
  return (value === undefined ? {} : { [property]: value }) as Record<string, never>;
}
