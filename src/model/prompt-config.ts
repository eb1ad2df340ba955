/** The languages that a multilingual model of NeMo can be told (`EncDecRNNTBPEModelWithPrompt`). */
import type { Section } from './config-section.js';

/** Numbers of languages when the configuration does not say how many. */
const DEFAULT_PROMPTS = 128;

/**
 * How many languages there is room for, and their names with their numbers.
 *
 * @throws {@link ModelError} `ERR_PARAKEET_INVALID_CONFIG` naming the key.
 */
export function readPrompts(root: Section): { count: number; prompts: Record<string, number> } {
  const defaults = root.section('model_defaults');
  const count = defaults.integer('num_prompts', 1, 65_536, DEFAULT_PROMPTS);
  const dictionary = defaults.section('prompt_dictionary');
  const prompts = Object.fromEntries(
    dictionary.keys.map((name) => [name, dictionary.integer(name, 0, count - 1)]),
  );
  return { count, prompts };
}
