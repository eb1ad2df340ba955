/**
 * From the command line's names to the library's options, for what the commands share.
 */
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
